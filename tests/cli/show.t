# SPDX-License-Identifier: Apache-2.0
# mlv show: what one commit did to data.
. "$(dirname "$0")/lib.sh"

make_history()
{
	new_repo project
	mkdir -p data
	gen_tree data/tree 20 1
	printf 'id,label\n1,cat\n' >data/labels.csv
	mlv add -q data/tree data/labels.csv
	git commit -q -m "first data" -m "With a second paragraph."
	git tag v1.0
	printf 'id,label\n1,cat\n2,dog\n' >data/labels.csv
	rm data/tree/run.sh
	mlv add -q data/tree data/labels.csv
	git commit -q -m "second"
}

test_case "HEAD is shown with its message and each changed file" <<'CASE'
	make_history
	expect_ok mlv show
	expect_out "commit $(git rev-parse HEAD)"
	expect_out "Author: A Tester <tester@example.com>"
	expect_out "Date:   2023-11-14 22:13:20 +0000"
	expect_out "    second"
	expect_out "D  data/tree/run.sh"
	expect_out "M  data/labels.csv  15 B -> 21 B"
	expect_ok mlv show v1.0
	expect_out "    With a second paragraph."
	expect_out "A  data/tree/part0/f000000  1000 B"
	expect_out "A  data/tree/empty folder/"
	expect_out "A  data/labels.csv  15 B"
CASE

test_case "-p shows the changed lines" <<'CASE'
	make_history
	expect_ok mlv show -p
	expect_out "+2,dog"
CASE

test_case "paths limit it" <<'CASE'
	make_history
	expect_ok mlv show HEAD -- data/labels.csv
	expect_out "data/labels.csv"
	expect_no_out "run.sh"
CASE

test_case "--name-status, --name-only, -z and --stat" <<'CASE'
	make_history
	expect_ok mlv show --name-status
	expect_out "D	data/tree/run.sh"
	expect_ok mlv show -z
	printf 'data/labels.csv\0data/tree/run.sh\0' | cmp - "$CASE/out"
	expect_ok mlv show --stat
	expect_out "data/tree  +0 -1 ~0"
CASE

test_case "--json is one document" <<'CASE'
	make_history
	expect_ok mlv show --json
	expect_json '[.mlv, .command, .subject]' '[1,"show","second"]'
	expect_json '[.changes[].path]' '["data/labels.csv","data/tree/run.sh"]'
	expect_json '[.targets[].path]' '["data/labels.csv","data/tree"]'
CASE

test_case "a commit without data says so" <<'CASE'
	make_history
	git commit -q --allow-empty -m "nothing"
	expect_ok mlv show
	expect_out "    nothing"
	expect_err "no tracked data changed in this commit"
CASE

test_case "an unknown revision is an error, two are a usage error" <<'CASE'
	make_history
	expect_status 128 mlv show nonsense --
	expect_err "'nonsense' names no commit"
	expect_status 129 mlv show HEAD v1.0 --
CASE

test_done
