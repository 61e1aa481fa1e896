# SPDX-License-Identifier: Apache-2.0
# mlv runs: recorded runs are listed, compared, brought back and shared.
. "$(dirname "$0")/lib.sh"

# Three runs: a, b and c with lr 1, 2 and 3, of which c failed.
make_runs()
{
	new_repo project
	echo 'lr: 0' >params.yaml
	echo 'echo "{\"acc\": 0.$1}" >>"$MLV_METRICS"; echo "$1" >out.txt; exit $2' >train.sh
	git add -A
	git commit -q -m "first"
	mlv run -q -n a -S lr=1 -- sh train.sh 1 0
	mlv run -q -n b -S lr=2 -- sh train.sh 2 0
	mlv run -q -n c -S lr=3 -- sh train.sh 3 5 || true
}

test_case "runs are listed, filtered and sorted" <<'CASE'
	make_runs
	expect_ok mlv runs list --columns state,acc,lr --sort acc
	expect_out_is 'name  state   acc  lr
a     done    0.1  1
b     done    0.2  2
c     failed  0.3  3'
	expect_ok mlv runs list --columns acc --sort=-acc -n 1
	expect_out_is 'name  acc
c     0.3'
	expect_ok mlv runs list --columns lr --where 'acc > 0.1 and state = done'
	expect_out_is 'name  lr
b     2'
	expect_status 129 mlv runs list --where 'acc >'
	expect_err 'expected a value'
	expect_ok mlv runs
	expect_out 'acc  lr'
CASE

test_case "the table comes as CSV, Markdown and JSON too" <<'CASE'
	make_runs
	mlv runs list --format csv --columns lr,command --sort lr | tr -d '\r' >csv
	[ "$(sed -n 2p csv)" = 'a,1,sh train.sh 1 0' ]
	expect_ok mlv runs list --format markdown --columns lr --sort lr -n 1
	expect_out_is '| name | lr |
| --- | --- |
| a | 1 |'
	mlv runs list --json >json
	grep -q '"name": "b"' json
	grep -q '"seconds": ' json
	expect_status 129 mlv runs list --format html
CASE

test_case "one run is shown, by a part of its name too" <<'CASE'
	make_runs
	mlv run -q -- true
	expect_ok mlv runs show a
	expect_out 'command: sh train.sh 1 0'
	expect_out '    acc: 0.1'
	expect_ok mlv runs show true-
	expect_status 128 mlv runs show nobody
	git rev-parse -q --verify mlv/runs/a
CASE

test_case "runs diff tells layer by layer" <<'CASE'
	make_runs
	expect_ok mlv runs diff a b
	expect_out 'code'
	expect_out '    params.yaml: '
	expect_out '    lr: 1 -> 2'
	expect_out '    acc: 0.1 -> 0.2'
	! mlv runs diff a b | grep -q '^environment'
	expect_ok mlv runs diff a
	expect_out '    lr: 1 -> 3'
	mlv runs diff --json a b >json
	grep -q '"metrics": \[' json
CASE

test_case "apply brings a run back, and loses nothing" <<'CASE'
	make_runs
	rm out.txt
	expect_ok mlv runs apply a
	[ "$(cat params.yaml)" = 'lr: 1' ]
	[ "$(cat out.txt)" = 1 ]
	[ ! -e .mlv-run ]
	expect_ok mlv runs apply b
	[ "$(cat params.yaml)" = 'lr: 2' ]
	echo 'lr: 99' >params.yaml
	echo mine >untracked.txt
	expect_status 128 mlv runs apply a
	expect_err "'params.yaml' has changes that no commit and no run has"
	[ "$(cat params.yaml)" = 'lr: 99' ]
	expect_ok mlv runs apply --force a
	[ "$(cat params.yaml)" = 'lr: 1' ]
	[ "$(cat untracked.txt)" = mine ]
	[ -z "$(git diff --cached --name-only)" ]
CASE

test_case "apply brings back data that a run had" <<'CASE'
	new_repo project
	echo one >data.txt
	mlv add -q data.txt
	git commit -q -m "one"
	mlv run -q -n a -- true
	echo two >data.txt
	mlv add -q data.txt
	git commit -q -m "two"
	expect_ok mlv runs apply a
	[ "$(cat data.txt)" = one ]
CASE

test_case "branch makes a branch of a run, without its record" <<'CASE'
	make_runs
	expect_ok mlv runs branch b try
	[ "$(git show try:params.yaml)" = 'lr: 2' ]
	[ "$(git rev-parse try^)" = "$(git rev-parse HEAD)" ]
	! git cat-file -e try:.mlv-run
	expect_status 128 mlv runs branch a try
	expect_status 129 mlv runs branch a 'no good'
CASE

test_case "rm and prune remove runs" <<'CASE'
	make_runs
	expect_ok mlv runs prune --dry-run
	expect_out_is 'c'
	expect_ok mlv runs prune
	expect_out_is 'removed c'
	expect_ok mlv runs rm --where 'acc < 0.2'
	expect_out_is 'removed a'
	expect_ok mlv runs rm b
	expect_ok mlv runs
	expect_err 'no runs yet'
	expect_status 128 mlv runs rm b
	[ -z "$(git for-each-ref refs/mlv)" ]
CASE

test_case "gc keeps what runs need, and drops it with them" <<'CASE'
	new_repo project
	mlv run -q -n a -- sh -c 'seq 1 100000' >/dev/null
	git config mlv.grace 0
	mlv gc -q --grace 0 || mlv gc -q
	mlv runs show --log a >log
	[ "$(tail -n 1 log)" = 100000 ]
	expect_ok mlv fsck
CASE

test_case "push and pull move runs and their data together" <<'CASE'
	make_runs
	mlv run -q -n big -- sh -c 'seq 1 100000' >/dev/null
	mlv run -q --queue -n later -- true >/dev/null
	git init -q --bare ../origin.git
	git remote add origin "$PWD/../origin.git"
	mkdir ../store
	mlv remote add origin ../store
	git add -A
	git commit -q -m "remote"
	git push -q -u origin main
	expect_ok mlv runs push
	expect_err 'pushed 4 runs'
	[ "$(git ls-remote origin 'refs/mlv/runs/*' | wc -l)" = 4 ]
	cd ..
	git clone -q origin.git other
	cd other
	expect_ok mlv runs pull
	expect_err 'pulled 4 runs'
	expect_ok mlv runs list --columns acc --where 'acc = 0.2'
	expect_out_is 'name  acc
b     0.2'
	mlv runs show --log big >log
	[ "$(tail -n 1 log)" = 100000 ]
	expect_ok mlv runs pull origin a
CASE

test_case "what others queued is not run here" <<'CASE'
	make_runs
	mlv run -q --queue -n later -- touch "$PWD/ran" >/dev/null
	git clone -q . ../other
	cd ../other
	git fetch -q origin 'refs/mlv/runs/*:refs/mlv/runs/*'
	expect_ok mlv run --all
	expect_err 'nothing is queued'
	[ ! -e ../project/ran ]
	expect_ok mlv runs rm later
	cd ../project
	expect_ok mlv run --all
	[ -e ran ]
CASE

test_case "what is no record is passed over" <<'CASE'
	make_runs
	git update-ref refs/mlv/runs/odd HEAD
	expect_ok mlv runs list --columns lr --where 'lr = 1'
	expect_err '1 of refs/mlv/runs/ cannot be read'
	expect_out_is 'name  lr
a     1'
	expect_status 128 mlv runs show odd
	git update-ref -d refs/mlv/runs/odd
CASE

test_done
