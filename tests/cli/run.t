# SPDX-License-Identifier: Apache-2.0
# mlv run: experiments are run and recorded.
. "$(dirname "$0")/lib.sh"

make_project()
{
	new_repo project
	printf 'lr: 0.1 # rate\ntrain:\n  depth: 3\n' >params.yaml
	cat >train.sh <<-'PROGRAM'
		lr=$(sed -n 's/^lr: \([0-9.]*\).*/\1/p' params.yaml)
		echo "training with $lr as $MLV_RUN"
		echo "{\"step\": 1, \"acc\": 0.5}" >>"$MLV_METRICS"
		echo "{\"step\": 2, \"acc\": 0.75, \"val\": {\"loss\": $lr}}" >>"$MLV_METRICS"
	PROGRAM
	git add -A
	git commit -q -m "first"
}

record()
{
	git log -1 --format=%B "refs/mlv/runs/$1"
}

test_case "a run is a commit that git can read, and no branch moves" <<'CASE'
	make_project
	before=$(git rev-parse HEAD)
	expect_ok mlv run -n one -- sh train.sh
	expect_out_is 'training with 0.1 as one'
	expect_err 'run one: done after'
	expect_err '; acc 0.75, val.loss 0.1'
	[ "$(git rev-parse HEAD)" = "$before" ]
	[ -z "$(git status --porcelain)" ]
	[ "$(git rev-parse refs/mlv/runs/one^)" = "$before" ]
	record one | grep -q '"state": "done"'
	record one | grep -q '"metrics": {"acc": 0.75, "val.loss": 0.1}'
	record one | grep -q '"params": {"lr": 0.1, "train.depth": 3}'
	[ "$(git show refs/mlv/runs/one:.mlv-run/log)" = 'training with 0.1 as one' ]
	[ "$(git show refs/mlv/runs/one:.mlv-run/metrics.jsonl | wc -l)" = 2 ]
	git show refs/mlv/runs/one:.mlv-run/env.json | grep -q '"kernel"'
CASE

test_case "a dirty tree is kept, with files that git does not know, without ignored ones" <<'CASE'
	make_project
	echo '*.tmp' >.gitignore
	git add .gitignore
	git commit -q -m "ignore"
	echo changed >>train.sh
	echo new >new.py
	echo junk >junk.tmp
	git rm -q --cached params.yaml
	mlv run -q -n one -- sh -c 'echo made >made.txt'
	[ "$(git rev-parse refs/mlv/runs/one^^)" = "$(git rev-parse HEAD)" ]
	[ "$(git show refs/mlv/runs/one^:new.py)" = new ]
	git show refs/mlv/runs/one^:train.sh | grep -q changed
	git show refs/mlv/runs/one^:params.yaml | grep -q lr
	! git cat-file -e refs/mlv/runs/one:junk.tmp
	! git cat-file -e refs/mlv/runs/one^:made.txt
	[ "$(git show refs/mlv/runs/one:made.txt)" = made ]
	git status --porcelain >status
	grep -q '^D  params.yaml' status
	grep -q '^?? new.py' status
CASE

test_case "data that were changed and not added are recorded as they are" <<'CASE'
	make_project
	mkdir data
	echo 1 >data/a
	echo 1 >raw.csv
	mlv add -q data raw.csv
	mlv commit -q -m "data"
	echo 2 >data/a
	echo new >data/b
	git status --porcelain >../before
	mlv run -q -n one -- sh -c 'cat data/a; echo made >raw.csv'
	[ "$(git status --porcelain)" = "$(cat ../before)" ]
	[ "$(mlv cat refs/mlv/runs/one:data/b)" = new ]
	[ "$(mlv cat refs/mlv/runs/one^:data/a)" = 2 ]
	[ "$(mlv cat refs/mlv/runs/one^:raw.csv)" = 1 ]
	[ "$(mlv cat refs/mlv/runs/one:raw.csv)" = made ]
	mlv status --short >status
	grep -q '^ M data/a' status
	mlv run -q --temp -n two -- cat data/a data/b
	[ "$(git show refs/mlv/runs/two:.mlv-run/log)" = "2
new" ]
	# Kept by the run alone.
	mlv checkout -q -f -- data
	mlv gc -q --grace 0
	[ "$(mlv cat refs/mlv/runs/one:data/b)" = new ]
CASE

test_case "many files are recorded as git itself would store them" <<'CASE'
	make_project
	mkdir many
	for i in $(seq 1 60); do
		echo "first $i" >many/$i
	done
	printf '*.txt text eol=crlf\n*.id ident\n' >.gitattributes
	git add -A
	git commit -q -m "many"
	for i in $(seq 1 60); do
		echo "second $i" >many/$i
	done
	: >many/1
	rm many/2
	chmod +x many/3
	ln -s 3 many/link
	printf 'a\r\nb\r\n' >lines.txt
	printf '$Id$\n' >some.id
	gen_random 3000000 1 large
	gen_random 500 2 "odd $(printf 'n\377me')"
	packs=$(ls .git/objects/pack | wc -l)
	mlv run -q -n one -- true
	[ "$(ls .git/objects/pack | wc -l)" = $((packs + 2)) ]
	mlv run -q -n two -- true
	[ "$(ls .git/objects/pack | wc -l)" = $((packs + 2)) ]
	git fsck --strict
	git add -A
	[ "$(git write-tree)" = "$(git rev-parse 'refs/mlv/runs/one^^{tree}')" ]
	[ "$(git write-tree)" = "$(git rev-parse 'refs/mlv/runs/two^^{tree}')" ]
CASE

test_case "a file too large for git is left out and told" <<'CASE'
	make_project
	git config mlv.maxGitFile 1k
	gen_random 4000 1 big.bin
	expect_ok mlv run -n one -- true
	expect_err 'big.bin is not recorded'
	! git cat-file -e refs/mlv/runs/one:big.bin
CASE

test_case "a failed command is a failed run" <<'CASE'
	make_project
	expect_status 1 mlv run -n one -- sh -c 'echo oops >&2; exit 7'
	expect_err 'oops'
	record one | grep -q '"state": "failed"'
	record one | grep -q '"status": 7'
	expect_status 1 mlv run -n two -- ./no-such-program
	record two | grep -q '"status": 127'
	expect_status 128 mlv run -n one -- true
	expect_err "there is a run 'one' already"
	expect_status 129 mlv run -n 'a b' -- true
	expect_status 129 mlv run --
CASE

test_case "parameters are changed in place, comments and all" <<'CASE'
	make_project
	mlv run -q -n one -S lr=0.5 -S +train.width=8 -- sh train.sh
	grep -q '^lr: 0.5 # rate$' params.yaml
	grep -q 'width: 8' params.yaml
	record one | grep -q '"changes": {"params.yaml:lr": 0.5, "params.yaml:train.width": 8}'
	record one | grep -q '"val.loss": 0.5'
	expect_status 128 mlv run -S nothing=1 -- true
	expect_err "'+KEY=VALUE' adds one"
	expect_status 128 mlv run -S +lr=1 -- true
	expect_status 129 mlv run -S lr -- true
	mlv run -q -S '~train.width' -- true
	! grep -q width params.yaml
CASE

test_case "a grid is queued from the tree as it is then, and runs beside it" <<'CASE'
	make_project
	expect_ok mlv run --queue -n sweep -S lr=0.1,0.2 -S 'train.depth=range(1,3)' -- sh train.sh
	expect_out_is 'sweep-1
sweep-2
sweep-3
sweep-4'
	grep -q '^lr: 0.1 # rate$' params.yaml
	echo 'exit 9' >train.sh
	expect_ok mlv run --all -j 2
	for i in 1 2 3 4; do
		record sweep-$i | grep -q '"state": "done"'
	done
	record sweep-4 | grep -q '"params": {"lr": 0.2, "train.depth": 2}'
	record sweep-4 | grep -q '"val.loss": 0.2'
	[ "$(git worktree list | wc -l)" = 1 ]
	[ -z "$(ls .git/mlv/running)" ]
	expect_ok mlv run --all
	expect_err 'nothing is queued'
CASE

test_case "a run with --temp sees data and leaves the work tree alone" <<'CASE'
	make_project
	echo 1,2 >data.csv
	mlv add -q data.csv
	git commit -q -m "data"
	echo junk >junk.txt
	expect_ok mlv run --temp -n one -S lr=0.7 -- sh -c 'sh train.sh && cat data.csv && echo x >out.txt'
	grep -q '^lr: 0.1' params.yaml
	[ ! -e out.txt ]
	[ "$(git show refs/mlv/runs/one:out.txt)" = x ]
	git show refs/mlv/runs/one:.mlv-run/log | grep -q '^1,2$'
	record one | grep -q '"val.loss": 0.7'
CASE

test_case "a run that is killed becomes interrupted, with what it had logged" <<'CASE'
	make_project
	mlv run -n one -- sh -c 'sh train.sh; touch ready; exec sleep 60' &
	pid=$!
	until [ -e ready ]; do sleep 0.05; done
	record one | grep -q '"state": "running"'
	kill -9 $pid
	wait $pid || true
	expect_ok mlv runs
	expect_out 'one   interrupted'
	record one | grep -q '"metrics": {"acc": 0.75'
	git show refs/mlv/runs/one:.mlv-run/log | grep -q training
	[ -z "$(ls .git/mlv/running)" ]
CASE

test_case "an interrupted program is asked to end, and the run is recorded" <<'CASE'
	make_project
	mlv run -n one -- sh -c 'trap "echo bye; exit 3" INT TERM; touch ready; while :; do sleep 0.05; done' &
	pid=$!
	until [ -e ready ]; do sleep 0.05; done
	kill -TERM $pid
	status=0
	wait $pid || status=$?
	[ $status = 143 ]
	record one | grep -q '"state": "interrupted"'
	[ "$(git show refs/mlv/runs/one:.mlv-run/log)" = bye ]
CASE

test_case "a large log lies in the store, its middle left out" <<'CASE'
	make_project
	git config mlv.maxLog 100k
	mlv run -q -n one -- sh -c 'seq 1 60000' >/dev/null
	git cat-file -e refs/mlv/runs/one:.mlv-run/log.mlv
	mlv runs show --log one >log
	[ "$(head -n 1 log)" = 1 ]
	[ "$(tail -n 1 log)" = 60000 ]
	grep -q 'bytes left out' log
	[ "$(wc -c <log)" -lt 110000 ]
	mlv gc -q
	mlv runs show --log one | cmp - log
CASE

test_case "stages are reproduced and recorded" <<'CASE'
	make_project
	mlv help | grep -q '^ *repro ' || skip_case "there is no mlv repro"
	cat >mlv.yaml <<-'PIPELINE'
		stages:
		  train:
		    cmd: sh train.sh && cp params.yaml model.txt && echo '{"f1":0.25}' >metrics.json
		    deps: [train.sh]
		    params: [lr]
		    outs: [model.txt]
		    metrics: [metrics.json: {cache: false}]
	PIPELINE
	expect_ok mlv run -n one -S lr=0.5 train
	record one | grep -q '"stages": \["train"\]'
	record one | grep -q '"f1": 0.25'
	record one | grep -q '"acc": 0.75'
	record one | grep -q '"lr": 0.5'
	record one | grep -q '"model.txt": "sha256:'
	git show refs/mlv/runs/one:.mlv-run/log | grep -q 'training with 0.5 as one'
	git add -A
	git commit -q -m "stage"
	expect_ok mlv run --temp -n two -S lr=0.6 train
	record two | grep -q '"lr": 0.6'
	grep -q '^lr: 0.5' params.yaml
	rm -f model.txt
	expect_ok mlv runs apply two
	grep -q '^lr: 0.6' model.txt
CASE

test_case "--json prints one document" <<'CASE'
	make_project
	mlv run --json -n one -- sh train.sh >json
	grep -q '"state": "done"' json
	! grep -q training json
	mlv run --json --queue -S lr=1,2 -- true >json
	grep -q '"queued": \[' json
CASE

test_case "a repository without commits can run" <<'CASE'
	new_repo project
	git update-ref -d HEAD 2>/dev/null || true
	echo 'lr: 1' >params.yaml
	expect_ok mlv run -n one -- true
	record one | grep -q '"params": {"lr": 1}'
CASE

test_done
