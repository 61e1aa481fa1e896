# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/http/lib.sh"
. "$TOP/tests/s3/lib.sh"

# A repository with data that lie on a folder remote, which is served: as the folder `project`.
web_project()
{
	new_repo "${1:-project}"
	gen_tree data 20 1
	gen_random 700000 2 model.pt
	mkdir ../store
	mlv remote add origin ../store
	mlv add -q data model.pt
	commit_all one
	mlv push -q
}

# A clone that has nothing but the web server to get its data from.
web_clone()
{
	git clone -q ../project "$1"
	cd "$1"
	mlv remote set-url --local origin "$URL${2:-}"
}

test_case "what was pushed and published is cloned and read over plain HTTP" <<'CASE'
	web_project
	serve ../store
	expect_ok mlv remote publish
	expect_err "published"
	web_clone ../clone
	expect_ok mlv pull
	expect_same_tree ../project/data data
	expect_same ../project/model.pt model.pt
	expect_ok mlv pull
	expect_err "up to date"
	expect_ok mlv verify --remote
	expect_out "complete"
	git clone -q ../project ../other
	cd ../other
	mlv remote set-url --local origin "$URL/"
	expect_ok mlv ls -R data
	expect_out part1/f000000
	expect_ok mlv cat --range 5-9 model.pt
	[ "$(cat "$CASE/out" | od -An -tx1)" = "$(tail -c +6 ../project/model.pt | head -c 5 | od -An -tx1)" ]
	expect_ok mlv fetch
	expect_ok mlv status
CASE

test_case "mlv clone brings data over HTTP" <<'CASE'
	web_project
	serve ../store
	mlv remote publish -q
	mlv remote set-url origin "$URL"
	commit_all two
	cd ..
	expect_ok mlv clone project clone
	expect_same_tree project/data clone/data
CASE

test_case "a server that knows no ranges, or says no length, serves as well" <<'CASE'
	web_project
	mlv remote publish -q
	serve ../store --no-ranges
	web_clone ../clone
	expect_ok mlv cat data/part1/f000000
	cmp "$CASE/out" ../project/data/part1/f000000
	expect_ok mlv pull -- data/part2
	expect_ok mlv pull
	expect_same_tree ../project/data data
	serve ../../work/store --no-ranges --chunked
	web_clone ../chunked
	expect_ok mlv pull
	expect_same ../project/model.pt model.pt
CASE

test_case "a remote that is not published says so, and what to do" <<'CASE'
	web_project
	serve ../store
	web_clone ../clone
	expect_status 128 mlv pull
	expect_err "is not published"
	expect_err "mlv remote publish"
	mkdir ../nothing
	serve ../nothing
	mlv remote set-url --local origin "$URL"
	expect_status 128 mlv pull
	expect_err "there is no remote at"
CASE

test_case "what would write says that it cannot" <<'CASE'
	web_project
	mlv remote publish -q
	serve ../store
	web_clone ../clone
	mlv pull -q
	echo more >>data/part1/f000000
	mlv add -q data
	commit_all two
	expect_status 128 mlv push
	expect_err "can only be read"
	expect_status 128 mlv gc --remote
	expect_err "can only be read"
	expect_status 128 mlv remote publish
	expect_err "can only be read"
	expect_ok mlv push --dry-run
CASE

test_case "with publish = true every push writes the list, and once written it is kept" <<'CASE'
	web_project
	expect_no_file ../store/live/list
	mlv remote set origin publish true
	expect_ok mlv push
	expect_file ../store/live/list
	mlv remote set origin publish
	serve ../store
	echo more >>data/part1/f000000
	mlv add -q data
	commit_all two
	expect_ok mlv push
	web_clone ../clone
	expect_ok mlv pull
	expect_same_tree ../project/data data
	cd ../project
	expect_ok mlv remote publish --stop
	expect_no_file ../store/live/list
	mlv push -q
	expect_no_file ../store/live/list
CASE

test_case "a push that has nothing to send mends a list that is out of date" <<'CASE'
	web_project
	mlv remote publish -q
	cp ../store/live/list old
	echo more >>data/part1/f000000
	mlv add -q data
	commit_all two
	mlv push -q
	cp -f ../store/live/list new
	cp -f old ../store/live/list
	touch -d 2001-01-01 ../store/live/list
	expect_ok mlv push
	expect_err "up to date"
	expect_same new ../store/live/list
CASE

test_case "gc --remote keeps the list, and readers by it lose nothing" <<'CASE'
	web_project
	mlv remote publish -q
	cp ../store/live/list old
	serve ../store
	git clone -q . ../clone
	git rm -q model.pt.mlv
	commit_all two
	mlv add -q data
	mlv push -q
	git reset -q --hard HEAD~1
	git commit -q --amend -m other --allow-empty
	git rm -q data.mlv
	commit_all three
	mlv push -q
	git reflog expire --expire=now --all
	expect_ok mlv gc --remote --grace 0
	expect_ok mlv push
	cd ../clone
	git pull -q -r origin main || git reset -q --hard origin/main
	mlv remote set-url --local origin "$URL"
	expect_ok mlv pull
	expect_ok mlv verify --remote
CASE

test_case "a list from before is safe: what it names and is gone is told, nothing is wrong" <<'CASE'
	web_project
	mlv remote publish -q
	cp ../store/live/list old
	for i in 1 2 3 4 5 6 7 8; do
		echo $i >>data/part1/f000000
		mlv add -q data
		commit_all $i
		mlv push -q
	done
	serve ../store
	web_clone ../clone
	expect_ok mlv pull
	cd ..
	rm -rf clone
	rm -f store/live/list
	cp project/old store/live/list 2>/dev/null || cp old store/live/list
	cd project
	web_clone ../clone
	expect_status 128 mlv pull
	expect_err "mlv remote publish"
	cd ../project
	expect_ok mlv remote publish
	cd ../clone
	expect_ok mlv pull
	expect_same_tree ../project/data data
CASE

test_case "a login is asked of git's credential helper, used, and told to be good" <<'CASE'
	web_project
	mlv remote publish -q
	serve ../store --basic 'anna:pa:ss wörd'
	helper anna 'pa:ss wörd'
	web_clone ../clone
	expect_ok mlv pull
	expect_same ../project/model.pt model.pt
	expect_requests 1 ' 401 '
	grep -qx get "$CASE/asked"
	grep -qx store "$CASE/asked"
	grep -q "^host=127.0.0.1:" "$CASE/asked"
	expect_ok mlv -v pull
	expect_no_err 'wörd'
CASE

test_case "where the server asks for Bearer the password is the token" <<'CASE'
	web_project
	mlv remote publish -q
	serve ../store --bearer s3cr3t.token
	helper anyone s3cr3t.token
	web_clone ../clone
	expect_ok mlv pull
	expect_requests 1 ' 401 '
	grep -q Bearer "$SERVER"
	serve ../store --bearer another --basic anyone:s3cr3t.token
	mlv remote set-url --local origin "$URL"
	expect_status 128 mlv fetch
	expect_no_err s3cr3t
CASE

test_case "a refused login is told to be bad, and a missing one says what to do; no secret is printed" <<'CASE'
	web_project
	mlv remote publish -q
	serve ../store --basic anna:right
	web_clone ../clone
	expect_status 128 mlv pull
	expect_err "wants a login"
	expect_err "credential"
	helper anna wr0ng-s3cret
	expect_status 128 mlv -v pull
	expect_err "refuses the login"
	grep -qx erase "$CASE/asked"
	! grep -r wr0ng-s3cret "$CASE/out" "$CASE/err" .git || fail "the secret is somewhere"
	GIT_TRACE=1 GIT_CURL_VERBOSE=1 run mlv -v pull
	expect_no_err wr0ng-s3cret
CASE

test_case "a login goes to the host that it is for and to no other" <<'CASE'
	web_project
	mlv remote publish -q
	serve ../store
	OTHER=$SERVER
	there=$URL
	serve ../store --basic anna:right --redirect "/moved=$there"
	helper anna right
	web_clone ../clone
	expect_ok mlv pull
	mlv remote set-url --local origin "$URL/moved"
	rm -rf .git/mlv data model.pt
	expect_ok mlv pull
	expect_same ../project/model.pt model.pt
	! grep -q Basic "$OTHER" || fail "the login went to the other host"
	grep -q GET "$OTHER"
CASE

test_case "an address with a password in it is refused, and not repeated" <<'CASE'
	new_repo project
	for url in http://anna:s3cret@host/x https://anna@host/x https://anna:s3/cret@host/x; do
		expect_status 129 mlv remote add web "$url"
		expect_err "user name or a password"
		expect_no_err s3
	done
	git config mlv-remote.web.url https://anna:s3cret@host/x
	expect_status 129 mlv fetch web
	expect_no_err s3cret
	expect_status 129 mlv remote add web ftp://anna:s3cret@host/x
	expect_no_err s3cret
	git config --unset mlv-remote.web.url
	expect_status 129 mlv remote add web 'http://host/x?token=1'
	expect_status 129 mlv remote add web 'http://host:99999/x'
	expect_status 129 mlv remote add web 'http:///x'
	expect_ok mlv remote add web 'http://host:8080/a@b'
CASE

test_case "a private CA is trusted where cafile names it, and tlsVerify = false trusts all" <<'CASE'
	web_project
	mlv remote publish -q
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$CASE/key" -out "$CASE/cert" -days 2 \
		-subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null
	serve ../store --tls "$CASE/cert:$CASE/key"
	web_clone ../clone
	expect_status 128 mlv fetch
	expect_err "certificate is not trusted"
	mlv remote set origin cafile "$CASE/cert"
	expect_ok mlv fetch
	mlv remote set origin cafile
	mlv remote set origin tlsVerify false
	rm -rf .git/mlv
	expect_ok mlv fetch
CASE

test_case "errors of the server are tried again, and cut answers too" <<'CASE'
	web_project
	mlv remote publish -q
	serve ../store --fail 2:503 --cut 2:10
	web_clone ../clone
	expect_ok mlv pull
	expect_same_tree ../project/data data
	expect_requests 2 ' 503 '
	serve ../store --status 403
	mlv remote set-url --local origin "$URL"
	expect_status 128 mlv fetch
	expect_err "may not be read (403)"
CASE

test_case "what lies in a bucket is published too" <<'CASE'
	need_s3
	s3_project
	mlv remote set origin publish true
	path=/${S3_URL#s3://}
	expect_ok mlv push
	for i in 1 2 3 4 5 6 7 8; do
		echo $i >>data/part1/f000000
		mlv add -q data
		commit_all $i
		expect_ok mlv push
		"$TOP/tests/s3/client" GET "$path/live/list" >list
		grep -o '^live/[^ ]*' list >named
		s3_keys "${S3_URL#s3://mlv-test/}/live/" | sed 's,.*/live/,live/,' | grep -v live/list | sort >there
		expect_same named there
	done
	expect_ok mlv gc --remote --grace 0
	expect_ok mlv fsck --remote
	expect_ok mlv remote publish --stop
	! "$TOP/tests/s3/client" GET "$path/live/list"
CASE

test_case "a damaged list is refused" <<'CASE'
	web_project
	mlv remote publish -q
	serve ../store
	web_clone ../clone
	chmod u+w ../store/live/list
	sed -i 's/ \([0-9]*\) \([0-9]*\)$/ \1\2 7/' ../store/live/list
	expect_status 128 mlv pull
	expect_err "is damaged"
	echo "<html>" >../store/live/list
	expect_status 128 mlv pull
	expect_err "is damaged"
	echo "mlv list 2" >../store/live/list
	expect_status 128 mlv pull
	expect_err "install a newer mlv"
CASE

test_done
