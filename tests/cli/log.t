# SPDX-License-Identifier: Apache-2.0
# mlv log: which commits changed which data, and by how much.
. "$(dirname "$0")/lib.sh"

# Three commits of data and one of code.
make_history()
{
	new_repo project
	mkdir -p data/images
	for i in 1 2 3; do gen_random 1000 "$i" "data/images/$i.png"; done
	printf 'id,label\n1,cat\n' >data/labels.csv
	mlv add -q data/images data/labels.csv
	git commit -q -m "first data"
	git tag v1.0
	echo code >code.py
	git add code.py
	git commit -q -m "only code"
	gen_random 1500 11 data/images/1.png
	gen_random 2000 12 data/images/4.png
	rm data/images/3.png
	mlv add -q data/images
	git commit -q -m "better images"
	printf 'id,label\n1,cat\n2,dog\n' >data/labels.csv
	mlv add -q data/labels.csv
	git commit -q -m "more labels"
	git tag v2.0
}

test_case "commits that changed data are listed, newest first, with files and bytes" <<'CASE'
	make_history
	expect_ok mlv log
	grep -o 'A Tester .*' "$CASE/out" >subjects
	expect_content subjects 'A Tester  more labels
A Tester  better images
A Tester  first data'
	expect_out "commit $(git rev-parse --short v2.0)  2023-11-14 22:13:20 +0000  A Tester  more labels"
	expect_out "    data/images  +1 -1 ~1  +1.5 KiB"
	expect_out "    data/images      +3 -0 ~0  +2.9 KiB  (new)"
	expect_out "    data/labels.csv  +1 -0 ~0  +15 B  (new)"
CASE

test_case "--oneline prints a line a commit" <<'CASE'
	make_history
	expect_ok mlv log --oneline
	[ "$(wc -l <"$CASE/out")" = 3 ]
	expect_out "$(git rev-parse --short HEAD) more labels  data/labels.csv +0 -0 ~1  +6 B"
CASE

test_case "-n N, -nN and -N limit the number" <<'CASE'
	make_history
	for limit in "-n 2" -n2 -2 --max-count=2; do
		# shellcheck disable=SC2086
		expect_ok mlv log --oneline $limit
		[ "$(wc -l <"$CASE/out")" = 2 ]
	done
	expect_ok mlv log -n 0
	expect_silence
	for none in "-n -1" -n-1 --max-count=-1 "--max-count -5"; do
		# shellcheck disable=SC2086
		expect_ok mlv log --oneline $none
		[ "$(wc -l <"$CASE/out")" = 3 ]
	done
CASE

test_case "revisions and ranges say where it begins and ends" <<'CASE'
	make_history
	expect_ok mlv log --oneline v1.0
	[ "$(wc -l <"$CASE/out")" = 1 ]
	expect_ok mlv log --oneline v1.0..v2.0
	[ "$(wc -l <"$CASE/out")" = 2 ]
	expect_ok mlv log --oneline HEAD ^HEAD~1
	[ "$(wc -l <"$CASE/out")" = 1 ]
CASE

test_case "paths choose: a target, a file in a directory, one that is gone" <<'CASE'
	make_history
	expect_ok mlv log --oneline -- data/labels.csv
	[ "$(wc -l <"$CASE/out")" = 2 ]
	expect_ok mlv log --oneline -- data/images/2.png
	[ "$(wc -l <"$CASE/out")" = 1 ]
	expect_ok mlv log --oneline -- data/images/3.png
	[ "$(wc -l <"$CASE/out")" = 2 ]
	expect_out "data/images +0 -1 ~0  -1000 B"
	expect_ok mlv log --oneline data/images/4.png
	[ "$(wc -l <"$CASE/out")" = 1 ]
	expect_ok mlv log -- nothing/here
	expect_silence
CASE

test_case "--stat, --name-status and -p show the files" <<'CASE'
	make_history
	expect_ok mlv log --stat -1 -- data/images
	expect_out "    M  data/images/1.png  1000 B -> 1.5 KiB"
	expect_out "    D  data/images/3.png  1000 B"
	expect_out "    A  data/images/4.png  2.0 KiB"
	expect_ok mlv log --name-status -1
	expect_out "M	data/labels.csv"
	expect_ok mlv log -p -1
	expect_out "+2,dog"
CASE

test_case "--json has commits with their targets, and with --stat their files" <<'CASE'
	make_history
	expect_ok mlv log --json
	expect_json '.commits | length' 3
	expect_json '.commits[0] | [.subject, .author, .email, .time]' \
		'["more labels","A Tester","tester@example.com",1700000000]'
	expect_json '.commits[0].commit' "\"$(git rev-parse HEAD)\""
	expect_json '.commits[1].targets[0] | [.path, .added, .deleted, .modified, .bytes_delta]' \
		'["data/images",1,1,1,1500]'
	expect_json '.commits[1].targets[0] | [.old.files, .new.files]' '[3,3]'
	expect_ok mlv log --json --stat -1
	expect_json '.commits[0].changes[0].path' '"data/labels.csv"'
CASE

test_case "a moved target is one move, and a removed one is removed" <<'CASE'
	make_history
	git mv data/images.mlv data/photos.mlv
	mv data/images data/photos
	mlv add -q data/photos
	git rm -q --cached data/labels.csv.mlv
	git commit -q -m "moved"
	expect_ok mlv log -1
	expect_out "data/photos      +0 -0 ~0 (3 renamed)  +0 B  (moved from data/images)"
	expect_out "data/labels.csv  +0 -1 ~0  -21 B  (removed)"
	expect_no_out "    data/images "
CASE

test_case "of a merge only what differs from both sides is told" <<'CASE'
	make_history
	git checkout -q -b side v1.0
	echo side >side.txt
	mlv add -q side.txt
	git commit -q -m "side"
	git checkout -q main
	git merge -q -m "merged" side
	expect_ok mlv log --oneline
	expect_no_out "merged"
	expect_out "side"
CASE

test_case "--all begins at every branch" <<'CASE'
	make_history
	git checkout -q -b side v1.0
	echo side >side.txt
	mlv add -q side.txt
	git commit -q -m "on the side"
	git checkout -q main
	expect_ok mlv log --oneline
	expect_no_out "on the side"
	expect_ok mlv log --oneline --all
	expect_out "on the side"
CASE

test_case "commits whose objects are not here are told by their pointers" <<'CASE'
	make_history
	rm -rf .git/mlv/store
	leave_damaged
	expect_ok mlv log
	expect_out "data/images  3 -> 3 files  +1.5 KiB  (its objects are not here; 'mlv fetch' brings them)"
	expect_out "data/images      +3 -0 ~0  +2.9 KiB  (new)"
	expect_out "data/labels.csv  +0 -0 ~1  +6 B"
CASE

test_case "before the first commit there is nothing to list" <<'CASE'
	git init -q project
	cd project
	mlv init -q
	expect_status 128 mlv log
	expect_err "there are no commits yet"
CASE

test_case "a pointer that cannot be read does not end the list" <<'CASE'
	make_history
	echo nonsense >data/labels.csv.mlv
	git add data/labels.csv.mlv
	git commit -q -m "broken"
	leave_damaged
	expect_ok mlv log --oneline
	expect_out "broken"
	expect_out "first data"
CASE

test_done
