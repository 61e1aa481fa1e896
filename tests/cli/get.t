# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/http/lib.sh"
. "$TOP/tests/s3/lib.sh"

# A repository with two versions of a folder and a file, pushed: git's to ../origin.git, data to the
# folder `store` beside it, named absolutely.
project()
{
	git init -q --bare origin.git
	mkdir -p store
	new_repo project
	git remote add origin ../origin.git
	mlv remote add origin "${1:-$PWD/../store}"
	gen_tree data/images 40 1
	gen_random 700000 2 model.pt
	gen_csv 100 1 data/labels.csv
	echo 'print(1)' >train.py
	chmod +x train.py
	mlv add -q data/images data/labels.csv model.pt
	commit_all one
	git tag v1
	gen_csv 120 2 data/labels.csv
	mlv add -q data/labels.csv
	commit_all two
	git push -q origin main v1
	mlv push -q --all
	cd ..
}

test_case "a file and a folder come out of a repository, by its path and by its URL" <<'CASE'
	project
	export TMPDIR=$CASE/tmp
	mkdir out "$TMPDIR"
	cd out
	for place in ../project ../origin.git "file://$PWD/../origin.git" "$PWD/../project/.git"; do
		expect_ok mlv get "$place" model.pt
		expect_same model.pt ../project/model.pt
		expect_ok mlv get "$place" data/images -o pictures
		expect_same_tree pictures ../project/data/images
		expect_ok mlv get "$place" data/images/part1/f000000
		expect_same f000000 ../project/data/images/part1/f000000
		rm -rf ./*
	done
	[ -z "$(ls -A "$TMPDIR")" ] || fail "something was left in the temporary folder"
	[ -z "$(ls -A)" ]
CASE

test_case "a revision is named as in git" <<'CASE'
	project
	gen_csv 100 1 old
	gen_csv 120 2 new
	commit=$(git -C project rev-parse HEAD~1)
	for place in project origin.git "ssh-less://"; do
		[ "$place" != "ssh-less://" ] || place="file://localhost$PWD/origin.git"
		for rev in v1 main~1 "$commit"; do
			expect_ok mlv get "$place" data/labels.csv --rev "$rev" -o got
			expect_same got old
			rm got
		done
		expect_ok mlv get "$place" data/labels.csv --rev main -o got
		expect_same got new
		rm got
		expect_status 128 mlv get "$place" data/labels.csv --rev nothing
		expect_err "nothing"
		expect_no_file labels.csv
	done
CASE

test_case "data that were never pushed come out of the store of a repository that is near" <<'CASE'
	new_repo project
	gen_random 700000 2 model.pt
	mlv add -q model.pt
	commit_all one
	cd ..
	expect_ok mlv get project model.pt
	expect_same model.pt project/model.pt
CASE

test_case "a remote's name means the repository around, and the data come from it" <<'CASE'
	project
	git clone -q project clone
	cd clone
	expect_ok mlv get origin model.pt -o ../got
	expect_same ../got ../project/model.pt
	expect_no_file .git/mlv/store/packs
	expect_ok mlv get ../store data/labels.csv --rev v1 -o ../labels
	gen_csv 100 1 ../old
	expect_same ../labels ../old
	cd ..
	expect_status 129 mlv get store model.pt
	expect_err "knows data by their ids alone"
CASE

test_case "over HTTP: git's own from one server, data from another" <<'CASE'
	mkdir store
	serve store
	data=$URL
	project "$PWD/store"
	cd project
	mlv remote publish -q
	mlv remote set-url origin "$data"
	git commit -q -a -m three
	git push -q origin main
	cd ..
	git -C origin.git update-server-info
	serve origin.git
	expect_ok mlv get "$URL" model.pt
	expect_same model.pt project/model.pt
	: >"${SERVER%2.log}1.log"
	expect_ok mlv get "$URL" data/images --rev v1
	expect_same_tree images project/data/images
	grep -q packs "${SERVER%2.log}1.log" || fail "the data came from elsewhere"
CASE

test_case "small files come in few requests" <<'CASE'
	mkdir store
	serve store
	data=$URL
	project "$PWD/store"
	(cd project && mlv remote publish -q && mlv remote set-url origin "$data" && git commit -q -a -m three)
	rm -rf project/.git/mlv/store
	: >"$SERVER"
	expect_ok mlv get project data/images
	expect_same_tree images project/data/images
	[ "$(count_requests GET)" -lt 20 ] || fail "$(count_requests GET) requests"
	leave_damaged
CASE

test_case "what is there is not overwritten" <<'CASE'
	project
	echo mine >model.pt
	expect_status 128 mlv get project model.pt
	expect_err "exists"
	expect_content model.pt mine
	expect_ok mlv get project model.pt -f
	expect_same model.pt project/model.pt
	mkdir images
	expect_status 128 mlv get project data/images
	expect_err "is a folder"
	expect_status 128 mlv get -f project data/images
	mkdir into
	expect_ok mlv get project data/images -o into
	expect_same_tree into/images project/data/images
	expect_status 128 mlv get project model.pt -o nowhere/model.pt
	[ -z "$(find . -name '.mlv-get-*')" ]
CASE

test_case "-o - writes a file to the standard output" <<'CASE'
	project
	expect_ok mlv get project model.pt -o -
	cmp "$CASE/out" project/model.pt
	expect_status 129 mlv get project data/images -o -
	expect_status 129 mlv get project model.pt -o - --json
	expect_ok mlv get project model.pt --json
	expect_json .bytes 700000
	expect_json .files 1
	expect_json .output '"model.pt"'
	expect_json .path '"model.pt"'
	expect_json '.revision | length' 40
CASE

test_case "git's own files come too, and a folder brings the data below it" <<'CASE'
	project
	expect_ok mlv get origin.git train.py
	expect_same train.py project/train.py
	[ -x train.py ]
	expect_ok mlv get "file://$PWD/origin.git" data
	expect_same data/labels.csv project/data/labels.csv
	expect_same_tree data/images project/data/images
	expect_ok mlv get project . -o everything
	expect_same everything/model.pt project/model.pt
	expect_status 129 mlv get project .
CASE

test_case "what is not there is told, and leaves nothing" <<'CASE'
	project
	expect_status 128 mlv get project nothing
	expect_err "there is no 'nothing' there"
	expect_status 128 mlv get project data/images/nothing
	expect_status 129 mlv get project data/../../x
	expect_status 128 mlv get nowhere model.pt
	expect_err "nowhere"
	expect_status 129 mlv get -- --upload-pack=x model.pt
	expect_status 129 mlv get project
	rm -rf store/packs
	rm -rf project/.git/mlv
	expect_status 128 mlv get project data/images
	expect_no_file images
	[ -z "$(find . -name '.mlv-get-*')" ]
CASE

test_case "a remote that is relative to clones cannot be found from a URL alone" <<'CASE'
	project ../store
	expect_ok mlv get origin.git model.pt
	expect_same model.pt project/model.pt
	expect_status 128 mlv get "file://localhost$PWD/origin.git" data/labels.csv
	expect_err "relative to its clones"
CASE

test_case "a hook's environment is not taken for the other repository's" <<'CASE'
	project
	new_repo here
	expect_ok env GIT_DIR="$PWD/.git" GIT_WORK_TREE="$PWD" mlv get "file://localhost$PWD/../origin.git" model.pt
	expect_same model.pt ../project/model.pt
	rm model.pt
CASE

test_case "data come out of a bucket" <<'CASE'
	need_s3
	git init -q --bare origin.git
	s3_project
	git remote add origin ../origin.git
	git push -q origin main
	mlv push -q
	cd ..
	expect_ok mlv get "file://localhost$PWD/origin.git" data
	expect_same_tree data project/data
	expect_no_secret
CASE

test_case "what a get that was killed leaves is removed by the next, and by no other" <<'CASE'
	need_s3
	start_proxy
	s3_project
	mlv push -q
	git clone -q . ../clone
	cd ../clone
	mkdir ../out
	proxy_rules "@1:GET:packs/:stall=100"
	mlv get origin data -o ../out/data >"$CASE/killed" 2>&1 &
	pid=$!
	poll 20 grep -q ' stall=100 ' "$CASE/proxy.log"
	poll 20 eval '[ -n "$(find ../out -name ".mlv-get-*")" ]'
	expect_ok mlv get origin model.pt -o ../out/model.pt
	[ -n "$(find ../out -name '.mlv-get-*')" ] || fail "what is being written was removed"
	kill -9 $pid
	wait $pid || true
	expect_ok mlv get origin data/part1 -o ../out/part1
	[ -z "$(find ../out -name '.mlv-get-*')" ] || fail "what was left is still there"
CASE

test_done
