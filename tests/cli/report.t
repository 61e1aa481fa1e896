# SPDX-License-Identifier: Apache-2.0
# mlv report: what a branch changes, on one page.
. "$(dirname "$0")/lib.sh"

make_branch()
{
	new_repo project
	printf 'metrics: [m.json]\nplots:\n- loss.csv: {x: e, y: l}\n- same.csv\n' >mlv.yaml
	echo '{"acc": 0.9}' >m.json
	echo 'lr: 0.1' >params.yaml
	printf 'e,l\n1,3\n2,2\n' >loss.csv
	printf 'a\n1\n' >same.csv
	gen_tree data 20 1
	mlv add -q data
	commit_all first
	git checkout -q -b better
	echo '{"acc": 0.95}' >m.json
	echo 'lr: 0.2' >params.yaml
	printf 'e,l\n1,2\n2,1\n' >loss.csv
	echo new >data/new
	gen_random 100 3 model.bin
	mlv add -q data model.bin
	commit_all second
}

test_case "a branch is compared with where it left the main one" <<'CASE'
	make_branch
	expect_ok mlv report
	expect_out '# better'
	expect_out "workspace against $(git rev-parse --short main)"
	expect_out '| m.json | acc | 0.9 | 0.95 | +0.05 | better |'
	expect_out '| params.yaml | lr | 0.1 | 0.2 | +0.1 |  |'
	expect_out '| data | 1 file added | +4 B |'
	expect_out '| model.bin | new: 1 file | +100 B |'
	expect_out '<details><summary>loss.csv</summary>'
	expect_out '1 plot is the same on both sides.'
	cp "$CASE/out" first
	expect_ok mlv report
	expect_same first "$CASE/out"
CASE

test_case "two revisions are compared as they were" <<'CASE'
	make_branch
	echo '{"acc": 0.1}' >m.json
	expect_ok mlv report main better --title 'A <b>title</b>' --no-plots
	expect_out '# A &#60;b&#62;title&#60;/b&#62;'
	expect_out '| 0.9 | 0.95 |'
	expect_no_out 'Plots'
	expect_ok mlv report better main
	expect_out '| model.bin | gone: 1 file | -100 B |'
	expect_ok mlv report better better~0
	expect_out 'Nothing differs.'
CASE

test_case "a page of HTML has it all" <<'CASE'
	make_branch
	expect_ok mlv report -o page.html
	expect_silence
	grep -q '<td class="better">' page.html || grep -q 'class="better">better' page.html
	grep -q '<svg' page.html
	grep -q 'model.bin' page.html
	! grep -q '<script' page.html
	mlv report --html >piped.html
	expect_same page.html piped.html
	expect_ok mlv report --md -o page.md
	grep -q '^| m.json' page.md
CASE

test_case "the main branch is compared with the commit before" <<'CASE'
	make_branch
	git checkout -q main
	expect_ok mlv report
	expect_out 'against HEAD\~1'
	git merge -q better
	expect_ok mlv report
	expect_out '+0.05'
CASE

test_case "a long report in Markdown fits into a comment" <<'CASE'
	new_repo project
	echo 'plots: [p]' >mlv.yaml
	mkdir p
	for i in $(seq 60); do printf 'a\n1\n2\n5\n' >p/$i.csv; done
	commit_all first
	for i in $(seq 60); do printf 'a\n1\n3\n4\n' >p/$i.csv; done
	expect_ok mlv report
	[ "$(stat -c %s "$CASE/out")" -lt 65000 ]
	expect_out 'more did not fit'
CASE

test_case "there must be something to compare with" <<'CASE'
	git init -q project
	cd project
	mlv init -q
	expect_status 128 mlv report
	expect_err 'nothing to compare with'
	expect_status 128 mlv report nonsense
	expect_status 129 mlv report a b c
CASE

test_done
