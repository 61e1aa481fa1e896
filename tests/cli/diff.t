# SPDX-License-Identifier: Apache-2.0
# mlv diff: what differs between two states of data, file by file.
. "$(dirname "$0")/lib.sh"

# A repository with a directory, a table and a model, committed.
make_data()
{
	new_repo project
	mkdir -p data/images
	for i in 1 2 3 4; do gen_random 2000 "$i" "data/images/$i.png"; done
	printf 'id,label\n1,cat\n2,dog\n3,cow\n' >data/labels.csv
	gen_random 500000 9 model.bin
	mlv add -q data/images data/labels.csv model.bin
	git commit -q -m "first"
}

# Changes of each kind.
change_data()
{
	gen_random 2100 77 data/images/1.png
	rm data/images/2.png
	mv data/images/3.png data/images/three.png
	gen_random 100 78 data/images/5.png
	printf 'id,label\n1,cat\n2,wolf\n3,cow\n4,hen\n' >data/labels.csv
}

STATUS_LINES='M	data/images/1.png
D	data/images/2.png
A	data/images/5.png
R	data/images/3.png	data/images/three.png
M	data/labels.csv'

test_case "nothing changed prints nothing and exits 0" <<'CASE'
	make_data
	expect_ok mlv diff --exit-code
	expect_silence
	expect_ok mlv diff HEAD --exit-code
	expect_silence
	expect_ok mlv diff --cached
	expect_silence
CASE

test_case "without an argument the work tree is compared with what is staged" <<'CASE'
	make_data
	change_data
	expect_ok mlv diff --name-status
	expect_out_is "$STATUS_LINES"
	mlv add -q data/images data/labels.csv
	expect_ok mlv diff
	expect_silence
CASE

test_case "--cached compares what is staged with HEAD, and --staged is the same" <<'CASE'
	make_data
	change_data
	expect_ok mlv diff --cached
	expect_silence
	mlv add -q data/images data/labels.csv
	expect_ok mlv diff --cached --name-status
	expect_out_is "$STATUS_LINES"
	expect_ok mlv diff --staged --name-status
	expect_out_is "$STATUS_LINES"
CASE

test_case "one revision is compared with the work tree, two with each other" <<'CASE'
	make_data
	change_data
	expect_ok mlv diff HEAD --name-status
	expect_out_is "$STATUS_LINES"
	mlv add -q data/images data/labels.csv
	git commit -q -m "second"
	expect_ok mlv diff HEAD~1 --name-status
	expect_out_is "$STATUS_LINES"
	expect_ok mlv diff HEAD~1 HEAD --name-status
	expect_out_is "$STATUS_LINES"
	expect_ok mlv diff HEAD~1..HEAD --name-status
	expect_out_is "$STATUS_LINES"
	expect_ok mlv diff HEAD~1.. --name-status
	expect_out_is "$STATUS_LINES"
	expect_ok mlv diff HEAD HEAD~1 --name-only
	expect_out "data/images/2.png"
CASE

test_case "three dots compare with the common ancestor" <<'CASE'
	make_data
	git checkout -q -b side
	printf 'other\n' >other.txt
	mlv add -q other.txt
	git commit -q -m "side"
	git checkout -q main
	change_data
	mlv add -q data/images data/labels.csv
	git commit -q -m "main"
	expect_ok mlv diff --name-status main...side
	expect_out_is "A	other.txt"
CASE

test_case "lines have letters, paths and sizes, and the sum stands at the end" <<'CASE'
	make_data
	change_data
	expect_ok mlv diff
	expect_out "data/images/"
	expect_out "M  data/images/1.png  2.0 KiB -> 2.1 KiB"
	expect_out "D  data/images/2.png  2.0 KiB"
	expect_out "A  data/images/5.png  100 B"
	expect_out "R  data/images/3.png -> data/images/three.png  2.0 KiB"
	expect_out "M  data/labels.csv  27 B -> 34 B"
	expect_out "1 added (+100 B), 1 deleted (-2.0 KiB), 2 modified, 1 renamed; -1.8 KiB in all"
CASE

test_case "--stat and --summary print sums only" <<'CASE'
	make_data
	change_data
	for option in --stat --summary; do
		expect_ok mlv diff $option
		expect_out "data/images  +1 -1 ~1 (1 renamed)  -1.8 KiB"
		expect_no_out "1.png"
	done
CASE

test_case "-p shows the changed lines of tables and nothing of what is no text" <<'CASE'
	make_data
	change_data
	expect_ok mlv diff -p
	expect_out "--- a/data/labels.csv"
	expect_out "+++ b/data/labels.csv"
	expect_out "@@ -1,4 +1,5 @@"
	expect_out "-2,dog"
	expect_out "+2,wolf"
	expect_out "+4,hen"
	expect_no_out "--- a/data/images/1.png"
	mlv add -q data/images data/labels.csv
	git commit -q -m "second"
	expect_ok mlv diff -p HEAD~1 HEAD -- data/labels.csv
	expect_out "+4,hen"
CASE

test_case "a patch that it prints can be applied by patch" <<'CASE'
	need_command patch
	make_data
	cp data/labels.csv before.csv
	change_data
	mlv diff -p data/labels.csv >changes.patch
	patch -s -p1 -R <changes.patch
	expect_same before.csv data/labels.csv
CASE

test_case "JSON that stands in one line is compared member by member" <<'CASE'
	new_repo project
	printf '{"loss": 0.5, "epochs": 10}' >metrics.json
	mlv add -q metrics.json
	git commit -q -m "first"
	printf '{"loss": 0.4, "epochs": 10}' >metrics.json
	expect_ok mlv diff -p
	expect_out '-  "loss": 0.5,'
	expect_out '+  "loss": 0.4,'
	expect_no_out '-  "epochs"'
CASE

test_case "control characters of data never reach the terminal" <<'CASE'
	new_repo project
	printf 'a\n' >evil.txt
	mlv add -q evil.txt
	git commit -q -m "first"
	printf 'a\n\033[31mred\n' >evil.txt
	expect_ok mlv diff -p
	! grep -q $'\033' "$CASE/out"
CASE

test_case "paths limit it: a file in a directory, a folder, a pattern, a pointer" <<'CASE'
	make_data
	change_data
	expect_ok mlv diff --name-only -- data/images/1.png
	expect_out_is "data/images/1.png"
	expect_ok mlv diff --name-only data/labels.csv
	expect_out_is "data/labels.csv"
	expect_ok mlv diff --name-only '*.csv'
	expect_out_is "data/labels.csv"
	expect_ok mlv diff --name-only -- data/labels.csv.mlv
	expect_out_is "data/labels.csv"
	cd data
	expect_ok mlv diff --name-only -- images/5.png
	expect_out_is "data/images/5.png"
	expect_ok mlv diff HEAD --name-only ../model.bin
	expect_silence
CASE

test_case "--exit-code tells of differences as git does" <<'CASE'
	make_data
	change_data
	expect_ok mlv diff --name-only
	expect_status 1 mlv diff --exit-code --name-only
	expect_ok mlv diff --exit-code -- model.bin
	expect_status 1 mlv diff --exit-code HEAD -- data
CASE

test_case "-z ends names with NUL, as they are" <<'CASE'
	new_repo project
	mkdir d
	echo 1 >$'d/a name\nin two lines'
	printf '2' >$'d/\xff\xfe'
	mlv add -q d
	git commit -q -m "first"
	echo 11 >$'d/a name\nin two lines'
	printf '22' >$'d/\xff\xfe'
	expect_ok mlv diff --name-only -z
	printf 'd/a name\nin two lines\0d/\xff\xfe\0' | cmp - "$CASE/out"
	expect_ok mlv diff -z --name-status
	printf 'M\0d/a name\nin two lines\0M\0d/\xff\xfe\0' | cmp - "$CASE/out"
	expect_ok mlv diff --name-only
	expect_out '"d/a name\nin two lines"'
	expect_out '"d/\377\376"'
CASE

test_case "--json has changes with both sides and a summary" <<'CASE'
	make_data
	change_data
	expect_ok mlv diff --json
	expect_json .mlv 1
	expect_json .command '"diff"'
	expect_json '[.old, .new]' '["index","workspace"]'
	expect_json '[.changes[] | .change]' '["modified","deleted","added","renamed","modified"]'
	expect_json '.changes[3] | [.from, .path, .target]' \
		'["data/images/3.png","data/images/three.png","data/images"]'
	expect_json '.changes[0].old.bytes' 2000
	expect_json '.changes[0].new.bytes' 2100
	expect_json '.changes[0].new.id[0:7]' '"sha256:"'
	expect_json '.summary | [.added, .deleted, .modified, .renamed]' '[1,1,2,1]'
	expect_ok mlv diff HEAD HEAD --json
	expect_json '[.changes, (.old | length)]' '[[],40]'
CASE

test_case "modes, types and empty folders are told" <<'CASE'
	new_repo project
	mkdir -p d/empty
	echo run >d/run.sh
	ln -s run.sh d/link
	mlv add -q d
	git commit -q -m "first"
	chmod +x d/run.sh
	rm d/link
	cp d/run.sh d/link
	chmod -x d/link
	rmdir d/empty
	mkdir d/vacant
	expect_ok mlv diff
	expect_out "M  d/run.sh  now executable"
	expect_out "T  d/link  symlink -> file"
	expect_out "D  d/empty/"
	expect_out "A  d/vacant/"
	mlv add -q d
	expect_ok mlv diff --cached
	expect_out "M  d/run.sh  now executable"
	expect_out "T  d/link  symlink -> file"
	expect_out "D  d/empty/"
	expect_out "A  d/vacant/"
CASE

test_case "--no-renames tells what went and what came" <<'CASE'
	make_data
	change_data
	expect_ok mlv diff --no-renames --name-status -- data/images
	expect_out "D	data/images/3.png"
	expect_out "A	data/images/three.png"
	expect_no_out "R	"
CASE

test_case "targets that came, went and moved as a whole are told" <<'CASE'
	make_data
	git mv data/images.mlv data/photos.mlv
	mv data/images data/photos
	mlv add -q data/photos
	git rm -q --cached model.bin.mlv
	rm model.bin.mlv model.bin
	echo new >new.txt
	mlv add -q new.txt
	git commit -q -m "moved"
	expect_ok mlv diff HEAD~1 HEAD --name-status
	expect_out "R	data/images	data/photos"
	expect_out "D	model.bin"
	expect_out "A	new.txt"
	expect_no_out "1.png"
CASE

test_case "a pointer in conflict is compared by our side, and that is said" <<'CASE'
	new_repo project
	mkdir d
	echo 1 >d/a
	mlv add -q d
	git commit -q -m "one"
	git checkout -q -b side
	echo 2 >d/a
	mlv add -q d
	git commit -q -m "side"
	git checkout -q main
	echo 3 >d/a
	mlv add -q d
	git commit -q -m "main"
	! git -c merge.mlv.driver=false merge -q side
	echo 333 >d/a
	expect_ok mlv diff --name-status
	expect_out_is "M	d/a"
	expect_err "unmerged: d"
	git merge --abort
CASE

test_case "data that were never brought here are not told as deleted" <<'CASE'
	make_data
	cd ..
	git clone -q project copy
	cd copy
	leave_damaged
	expect_ok mlv diff --exit-code -- data/images
	expect_silence
CASE

test_case "before the first commit everything staged is new" <<'CASE'
	git init -q project
	cd project
	mlv init -q
	echo 1 >x
	mlv add -q x
	expect_ok mlv diff --cached --name-status
	expect_out_is "A	x"
CASE

test_case "what is neither revision nor path is an error, what is both a usage error" <<'CASE'
	make_data
	expect_status 128 mlv diff nonsense
	expect_err "'nonsense' is neither a revision nor a path"
	git branch model.bin
	expect_status 129 mlv diff model.bin
	expect_err "'model.bin' is both a revision and a path"
	expect_ok mlv diff model.bin --
	expect_ok mlv diff -- model.bin
	expect_status 129 mlv diff HEAD HEAD HEAD --
	expect_status 129 mlv diff --cached HEAD HEAD
	expect_status 129 mlv diff --json --stat
CASE

test_case "directories that are not in the store are told by their totals" <<'CASE'
	make_data
	change_data
	mlv add -q data/images data/labels.csv
	git commit -q -m "second"
	rm -rf .git/mlv/store
	leave_damaged
	expect_ok mlv diff HEAD~1 HEAD
	expect_out "M  data/images/  4 files, 7.8 KiB -> 4 files, 6.1 KiB (not here; 'mlv fetch' brings it)"
	expect_out "M  data/labels.csv"
CASE

test_done
