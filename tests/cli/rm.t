# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"

tracked()
{
	new_repo project
	gen_tree data/set 20 1
	echo one >data/one.txt
	echo two >data/two.txt
	mlv add -q data/set data/one.txt data/two.txt
	mlv commit -q -m "begin"
}

test_case "rm takes data, pointer and ignore line away, staged" <<'CASE'
	tracked
	expect_ok mlv rm data/one.txt
	expect_out_is "rm data/one.txt"
	expect_no_file data/one.txt
	expect_no_file data/one.txt.mlv
	! grep -q one.txt data/.gitignore
	[ "$(git diff --cached --name-status)" = "M	data/.gitignore
D	data/one.txt.mlv" ]
	expect_ok mlv rm -q data/set.mlv
	expect_silence
	expect_no_file data/set
	mlv commit -q -m "gone"
	mlv status --exit-code -q
	mlv checkout -q HEAD~1
	expect_content data/one.txt one
	expect_file data/set/part0/f000000
CASE

test_case "rm of a part renews the directory's pointer" <<'CASE'
	tracked
	expect_ok mlv rm data/set/part0/f000000
	expect_no_file data/set/part0/f000000
	expect_file data/set/part0
	expect_status 129 mlv rm data/set/part1
	expect_file data/set/part1/f000000
	expect_ok mlv rm -r data/set/part1
	expect_no_file data/set/part1
	expect_ok mlv status --short
	expect_out "D  data/set/part0/f000000"
	mlv commit -q -m "parts gone"
	mlv status --exit-code -q
	rm -r data/set
	mlv checkout -q
	expect_no_file data/set/part1
	expect_file data/set/part2/f000000
CASE

test_case "rm --cached stops tracking and keeps the data" <<'CASE'
	tracked
	expect_ok mlv rm --cached data/set data/one.txt
	expect_file data/set/part0/f000000
	expect_content data/one.txt one
	expect_no_file data/set.mlv
	expect_no_file data/one.txt.mlv
	git status --short --untracked-files=all >../out
	grep -q '^?? data/one.txt$' ../out
	mlv add -q data/set
	expect_status 129 mlv rm --cached data/set/part0/f000000
	expect_file data/set/part0/f000000
CASE

test_case "rm refuses what no store has, and -f does not" <<'CASE'
	tracked
	echo unsaved >data/set/new
	expect_status 128 mlv rm data/set
	expect_err "data/set/new"
	expect_file data/set/part0/f000000
	expect_file data/set.mlv
	expect_status 128 mlv rm data/set/new
	echo changed >data/one.txt
	expect_status 128 mlv rm data/two.txt data/one.txt
	expect_file data/two.txt
	expect_ok mlv rm -f data/set data/one.txt
	expect_no_file data/set
	expect_no_file data/one.txt
CASE

test_case "rm -r takes a folder of targets, and nothing that is not tracked" <<'CASE'
	tracked
	echo code >data/code.py
	expect_status 129 mlv rm data
	expect_ok mlv rm -r data
	expect_content data/code.py code
	expect_no_file data/one.txt
	expect_no_file data/set
	expect_status 128 mlv rm data/code.py
	expect_err "git rm"
CASE

test_case "rm -n only tells" <<'CASE'
	tracked
	expect_ok mlv rm -n data/set
	expect_out_is "rm data/set"
	expect_file data/set/part0/f000000
	expect_ok mlv rm -n --json data/set
	expect_json '.removed[0].path' '"data/set"'
	mlv status --exit-code -q
CASE

test_case "what is ignored survives rm" <<'CASE'
	tracked
	echo '*.tmp' >data/set/.mlvignore
	mlv add -q data/set
	echo scratch >data/set/x.tmp
	expect_ok mlv rm data/set
	expect_content data/set/x.tmp scratch
	expect_no_file data/set/part0
CASE

test_done
