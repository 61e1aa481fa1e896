# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/http/lib.sh"
. "$TOP/tests/s3/lib.sh"

# A folder to be served, with a file in it.
web()
{
	mkdir web
	gen_random 700000 1 web/model.bin
	gen_csv 1000 1 web/labels.csv
}

test_case "a file from the web is tracked, written, and remembers where it came from" <<'CASE'
	web
	serve web
	new_repo project
	expect_ok mlv import-url "$URL/model.bin"
	expect_same model.bin ../web/model.bin
	expect_file model.bin.mlv
	grep -qx "url $URL/model.bin" model.bin.mlv-import
	grep -qx 'etag "[0-9a-f]*"' model.bin.mlv-import
	grep -qx "size 700000" model.bin.mlv-import
	[ "$(git diff --cached --name-only | tr '\n' ' ')" = ".gitignore model.bin.mlv model.bin.mlv-import " ]
	expect_ok mlv status
	commit_all one
	mkdir data
	expect_ok mlv import-url --json "$URL/labels.csv?version=2" data/
	expect_json .path '"data/labels.csv"'
	expect_json .url "\"$URL/labels.csv?version=2\""
	expect_same data/labels.csv ../web/labels.csv
	expect_ok mlv import-url "$URL/labels.csv" new/folder/name.csv
	expect_same new/folder/name.csv ../web/labels.csv
	commit_all two
	expect_ok mlv status
CASE

test_case "update asks the source, and fetches nothing that has not changed" <<'CASE'
	web
	serve web
	new_repo project
	mlv import-url -q "$URL/model.bin"
	mlv import-url -q "$URL/labels.csv"
	commit_all one
	: >"$SERVER"
	expect_ok mlv update
	expect_err "nothing has changed"
	expect_requests 2 ' 304 '
	expect_requests 0 ' 200 '
	gen_csv 1200 2 ../web/labels.csv
	expect_status 1 mlv update -n --exit-code
	expect_out_is "labels.csv: has changed"
	expect_ok git diff --quiet
	expect_ok mlv update --json
	expect_json .updated 1
	expect_json '[.imports[].state]' '["updated","unchanged"]'
	expect_json '.imports[0].id != .imports[0].old_id' true
	expect_same labels.csv ../web/labels.csv
	[ "$(git diff --cached --name-only | tr '\n' ' ')" = "labels.csv.mlv labels.csv.mlv-import " ]
	expect_ok mlv status
	commit_all two
	expect_ok mlv update labels.csv
	expect_err "nothing has changed"
	git checkout -q HEAD~1
	expect_ok mlv checkout
	gen_csv 1000 1 old
	expect_same labels.csv old
	git checkout -q main
CASE

test_case "a source that was only touched changes the record, not the data" <<'CASE'
	web
	touch -d 2020-01-01 web/labels.csv
	serve web --no-validators
	new_repo project
	mlv import-url -q "$URL/labels.csv"
	! grep -q '^etag\|^modified' labels.csv.mlv-import || fail "there is a validator"
	commit_all one
	expect_ok mlv update
	expect_err "nothing has changed"
	expect_requests 2 ' 200 '
	gen_csv 1001 1 ../web/labels.csv
	expect_ok mlv update
	expect_out "labels.csv: updated"
	expect_same labels.csv ../web/labels.csv
CASE

test_case "what breaks off goes on where it stopped, or begins anew" <<'CASE'
	web
	serve web --cut 3:200000
	new_repo project
	expect_ok mlv import-url "$URL/model.bin"
	expect_same model.bin ../web/model.bin
	expect_requests 1 ' 206 bytes=200000-'
	expect_requests 1 ' 206 bytes=600000-'
	serve ../web --cut 1:200000 --no-ranges
	expect_ok mlv import-url "$URL/model.bin" again.bin
	expect_same again.bin ../web/model.bin
	serve ../web --cut 1:200000 --no-validators
	expect_ok mlv import-url "$URL/model.bin" third.bin
	expect_same third.bin ../web/model.bin
	expect_requests 0 'bytes='
	serve ../web --chunked
	expect_ok mlv import-url "$URL/model.bin" fourth.bin
	expect_same fourth.bin ../web/model.bin
	serve ../web --fail 2:503
	expect_ok mlv import-url "$URL/model.bin" fifth.bin
CASE

test_case "an empty file is imported and updated" <<'CASE'
	mkdir web
	: >web/empty
	serve web
	new_repo project
	expect_ok mlv import-url "$URL/empty"
	expect_file empty
	[ ! -s empty ]
	expect_ok mlv update
	echo more >../web/empty
	expect_ok mlv update
	expect_content empty more
CASE

test_case "what is missing, refused or no address is told, and nothing is tracked" <<'CASE'
	web
	serve web
	new_repo project
	expect_status 128 mlv import-url "$URL/nothing"
	expect_err "is not there"
	expect_status 129 mlv import-url "$URL/"
	expect_err "say where it goes"
	expect_status 129 mlv import-url ftp://host/x
	expect_status 129 mlv import-url "http://anna:s3cret@host/x"
	expect_no_err s3cret
	expect_status 129 mlv import-url "https://host/x?a=1&X-Amz-Signature=s3cret"
	expect_err "X-Amz-Signature"
	expect_no_err s3cret
	expect_status 129 mlv import-url "https://host/x?TOKEN=s3cret"
	expect_no_err s3cret
	expect_status 128 mlv import-url "$URL/model.bin" ../outside
	echo mine >model.bin
	expect_status 128 mlv import-url "$URL/model.bin"
	expect_err "on disk"
	expect_content model.bin mine
	expect_status 129 mlv import-url
	[ -z "$(git status --porcelain -- '*.mlv*')" ]
	expect_requests 1 'GET'
CASE

test_case "-f puts it over what is there" <<'CASE'
	web
	serve web
	new_repo project
	gen_tree data 10 1
	mlv add -q data
	commit_all one
	expect_status 128 mlv import-url "$URL/model.bin" data/x
	expect_err "lies in 'data'"
	expect_status 128 mlv import-url "$URL/model.bin" data/../data
	echo mine >model.bin
	expect_ok mlv import-url -f "$URL/model.bin" model.bin
	expect_same model.bin ../web/model.bin
	commit_all two
	expect_ok mlv import-url -f "$URL/labels.csv" model.bin
	expect_same model.bin ../web/labels.csv
	grep -q labels.csv model.bin.mlv-import
	expect_ok mlv status
CASE

test_case "data that were changed here are left alone, unless -f says otherwise" <<'CASE'
	web
	serve web
	new_repo project
	mlv import-url -q "$URL/labels.csv"
	commit_all one
	echo edited >>labels.csv
	gen_csv 900 3 ../web/labels.csv
	expect_status 1 mlv update
	expect_err "labels.csv"
	tail -n 1 labels.csv | grep -qx edited
	mlv add -q labels.csv
	expect_status 1 mlv update --json
	expect_json '.imports[0].state' '"edited"'
	expect_ok mlv update -f
	expect_same labels.csv ../web/labels.csv
	expect_ok mlv update
	expect_err "nothing has changed"
CASE

test_case "a source that is gone does not keep the others from being updated" <<'CASE'
	web
	serve web
	new_repo project
	mlv import-url -q "$URL/labels.csv"
	mlv import-url -q "$URL/model.bin"
	rm ../web/labels.csv
	gen_random 1000 5 ../web/model.bin
	expect_status 1 mlv update --json
	expect_json '[.imports[].state]' '["gone","updated"]'
	expect_same model.bin ../web/model.bin
	expect_status 128 mlv update nothing
	expect_err "nothing at these paths"
CASE

test_case "--no-checkout stores and tracks, and checkout brings it" <<'CASE'
	web
	serve web
	new_repo project
	expect_ok mlv import-url --no-checkout "$URL/model.bin"
	expect_no_file model.bin
	expect_ok mlv status
	expect_no_out deleted
	expect_ok mlv checkout
	expect_same model.bin ../web/model.bin
CASE

test_case "a path is imported, and followed" <<'CASE'
	web
	chmod +x web/model.bin
	new_repo project
	mkdir sub
	cd sub
	expect_ok mlv import-url ../../web/labels.csv
	expect_same labels.csv ../../web/labels.csv
	grep -qx 'url ../web/labels.csv' labels.csv.mlv-import
	cd ..
	expect_ok mlv import-url "file://$PWD/../web/model.bin" m
	expect_same m ../web/model.bin
	[ -x m ]
	expect_ok mlv update
	expect_err "nothing has changed"
	touch -d 2020-01-01 ../web/labels.csv
	expect_ok mlv -v update
	expect_err "has the same bytes"
	gen_csv 50 9 ../web/labels.csv
	expect_ok mlv update sub
	expect_out "sub/labels.csv: updated"
	expect_same sub/labels.csv ../web/labels.csv
	expect_status 128 mlv import-url ../web
	expect_err "is a folder"
	mkfifo ../web/pipe
	expect_status 128 mlv import-url ../web/pipe
CASE

test_case "the record goes along with mv and away with rm" <<'CASE'
	web
	serve web
	new_repo project
	mlv import-url -q "$URL/labels.csv"
	commit_all one
	mkdir d
	expect_ok mlv mv labels.csv d/new.csv
	expect_file d/new.csv.mlv-import
	expect_no_file labels.csv.mlv-import
	commit_all two
	expect_ok mlv update
	expect_err "nothing has changed"
	expect_ok mlv rm d/new.csv
	expect_no_file d/new.csv.mlv-import
	[ "$(git diff --cached --name-only | grep -c import)" = 1 ]
CASE

test_case "redirects are followed, and a login goes to its own host" <<'CASE'
	web
	serve web
	there=$URL
	OTHER=$SERVER
	serve web --basic anna:right --redirect "/moved=$there"
	helper anna right
	new_repo project
	expect_ok mlv import-url "$URL/model.bin"
	expect_ok mlv import-url "$URL/moved/labels.csv"
	expect_same labels.csv ../web/labels.csv
	grep -qx "url $URL/moved/labels.csv" labels.csv.mlv-import
	! grep -q Basic "$OTHER"
	! grep -rq right model.bin.mlv-import .git/config
CASE

test_case "a damaged record, or one of a newer version, is told and never used" <<'CASE'
	web
	serve web
	new_repo project
	mlv import-url -q "$URL/labels.csv"
	: >"$SERVER"
	sed -i 's/^size /size 0/' labels.csv.mlv-import
	expect_status 1 mlv update
	expect_err "no record of an import"
	printf 'mlv import 2\n' >labels.csv.mlv-import
	expect_status 1 mlv update
	expect_err "install a newer mlv"
	expect_requests 0 GET
CASE

test_case "an object of a bucket is imported, and followed" <<'CASE'
	need_s3
	web
	path=/${S3_URL#s3://}
	"$TOP/tests/s3/client" PUT "$path/raw/labels.csv" web/labels.csv
	new_repo project
	export AWS_ENDPOINT_URL=$S3_ENDPOINT
	expect_ok mlv import-url "$S3_URL/raw/labels.csv"
	expect_same labels.csv ../web/labels.csv
	grep -q '^etag ' labels.csv.mlv-import
	expect_ok mlv update
	expect_err "nothing has changed"
	gen_csv 60 4 ../web/labels.csv
	"$TOP/tests/s3/client" PUT "$path/raw/labels.csv" ../web/labels.csv
	expect_ok mlv update
	expect_same labels.csv ../web/labels.csv
	expect_status 128 mlv import-url "$S3_URL/raw/nothing"
	expect_err "is not there"
	unset AWS_ENDPOINT_URL
	mlv remote add origin "$S3_URL/store" --endpoint "$S3_ENDPOINT"
	expect_ok mlv import-url "$S3_URL/raw/labels.csv" again.csv
	expect_no_secret
CASE

test_case "an object that breaks off goes on where it stopped" <<'CASE'
	need_s3
	web
	path=/${S3_URL#s3://}
	"$TOP/tests/s3/client" PUT "$path/model.bin" web/model.bin
	start_proxy '2:GET:model:rst-resp=200000'
	new_repo project
	export AWS_ENDPOINT_URL=$PROXY
	expect_ok mlv import-url "$S3_URL/model.bin"
	expect_same model.bin ../web/model.bin
	proxy_rules
	[ "$PROXY_UNUSED" = 0 ] || fail "nothing was cut"
CASE

test_done
