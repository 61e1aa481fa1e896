# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"

tracked()
{
	new_repo project
	gen_tree data/set 20 1
	gen_tree data/other 20 2
	echo one >one.txt
	echo two >two.txt
	mlv add -q data/set data/other one.txt two.txt
	mlv commit -q -m "begin"
	cp -a data ../data
}

test_case "mv moves data, pointer and ignore line together, staged" <<'CASE'
	tracked
	expect_ok mlv mv one.txt texts/uno.txt
	expect_silence
	expect_content texts/uno.txt one
	expect_file texts/uno.txt.mlv
	expect_no_file one.txt
	expect_no_file one.txt.mlv
	grep -qx '/uno.txt' texts/.gitignore
	! grep -q 'one.txt' .gitignore
	git diff --cached -M --name-status >../out
	grep -q 'R100	one.txt.mlv	texts/uno.txt.mlv' ../out
	[ "$(git status --short | grep -c '^??')" = 0 ]
	expect_ok mlv mv data/set data/renamed
	expect_same_tree data/renamed ../data/set
	mlv commit -q -m moved
	mlv status --exit-code -q
	mlv checkout -q HEAD~1
	expect_same_tree data/set ../data/set
	expect_no_file data/renamed
CASE

test_case "several go into a directory" <<'CASE'
	tracked
	mkdir texts
	expect_ok mlv -v mv one.txt two.txt texts
	expect_out "rename one.txt to texts/one.txt"
	expect_content texts/one.txt one
	expect_content texts/two.txt two
	expect_status 129 mlv mv texts/one.txt texts/two.txt nowhere
CASE

test_case "parts move within a tracked directory and to another" <<'CASE'
	tracked
	expect_ok mlv mv data/set/part0/f000000 data/set/part1/moved
	expect_ok mlv mv data/set/part2 data/other/from-set
	expect_same data/set/part1/moved ../data/set/part0/f000000
	expect_same_tree data/other/from-set ../data/set/part2
	expect_ok mlv status --short
	expect_out "R  data/set/part0/f000000 -> data/set/part1/moved"
	mlv commit -q -m moved
	mlv status --exit-code -q
	rm -r data
	git checkout -q -- data
	mlv checkout -q
	expect_same_tree data/other/from-set ../data/set/part2
	expect_no_file data/set/part2
CASE

test_case "what stands at the new path is safe unless -f" <<'CASE'
	tracked
	expect_status 128 mlv mv one.txt two.txt
	expect_err "two.txt"
	expect_content two.txt two
	expect_content one.txt one
	expect_ok mlv mv -f one.txt two.txt
	expect_content two.txt one
	expect_no_file one.txt
	[ "$(git show HEAD:one.txt.mlv)" = "$(git show :two.txt.mlv)" ]
CASE

test_case "mv refuses what makes no sense and says what to do" <<'CASE'
	tracked
	echo code >code.py
	expect_status 128 mlv mv code.py data/set/code.py
	expect_err "git mv"
	expect_status 128 mlv mv one.txt data/set
	expect_err "mlv rm --cached"
	expect_status 129 mlv mv data/set data/set/inner
	expect_status 128 mlv mv data/set/part0 out
	expect_content one.txt one
CASE

test_case "mv -k passes over what cannot be moved, and -n only tells" <<'CASE'
	tracked
	echo code >code.py
	mkdir texts
	expect_ok mlv mv -n one.txt texts
	expect_out_is "rename one.txt to texts/one.txt"
	expect_content one.txt one
	expect_ok mlv mv -k code.py one.txt texts
	expect_err "code.py"
	expect_content texts/one.txt one
	expect_content code.py code
	expect_ok mlv mv -n --json two.txt texts
	expect_json '.moved[0].to' '"texts/two.txt"'
CASE

test_case "data that was not brought moves by its pointer" <<'CASE'
	tracked
	git clone -q . ../clone
	cd ../clone
	expect_ok mlv mv data/set data/renamed
	expect_file data/renamed.mlv
	expect_no_file data/set.mlv
	grep -qx '/renamed' data/.gitignore
CASE

test_case "a target with the longest name moves and goes" <<'CASE'
	new_repo project
	name=$(printf 'n%.0s' $(seq 251))
	echo 1 >"$name"
	mlv add -q "$name"
	expect_ok mlv mv "$name" short
	expect_content short 1
	expect_ok mlv mv short "$name"
	expect_ok mlv rm "$name"
	expect_no_file "$name"
	expect_no_file "$name.mlv"
CASE

test_done
