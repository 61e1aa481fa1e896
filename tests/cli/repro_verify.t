# SPDX-License-Identifier: Apache-2.0
# mlv repro --verify: whether a commit, or a run, can be made again; and if not, why.
. "$(dirname "$0")/lib.sh"

# prepare -> train -> evaluate, run and committed. Code: *.sh. Data: raw.csv. Each stage leaves a line in $LOG.
pipeline()
{
	export LOG=$CASE/stages
	: >"$LOG"
	new_repo project
	seq 10 >raw.csv
	mlv add -q raw.csv
	cat >prepare.sh <<-'PROGRAM'
		echo prepare >>"$LOG"
		mkdir -p clean
		sort -rn raw.csv >clean/a.csv
	PROGRAM
	cat >train.sh <<-'PROGRAM'
		echo train >>"$LOG"
		lr=$(sed -n 's/^lr: \([0-9.]*\).*/\1/p' params.yaml)
		echo "lr $lr of $(head -n 1 clean/a.csv)" >model.txt
	PROGRAM
	cat >evaluate.sh <<-'PROGRAM'
		echo evaluate >>"$LOG"
		printf '{"acc": %s, "n": %s, "by": "sh"}\n' 0.9125 "$(wc -c <model.txt)" >metrics.json
	PROGRAM
	printf 'lr: 0.5\nother: 1\n' >params.yaml
	cat >mlv.yaml <<-'YAML'
		stages:
		  prepare:
		    cmd: sh prepare.sh
		    deps: [prepare.sh, raw.csv]
		    outs: [clean]
		  train:
		    cmd: sh train.sh
		    deps: [train.sh, clean]
		    params: [lr]
		    outs: [model.txt]
		  evaluate:
		    cmd: sh evaluate.sh
		    deps: [evaluate.sh, model.txt]
		    metrics: [{metrics.json: {cache: false}}]
	YAML
	reproduce
}

# Runs all, and commits what came of it.
reproduce()
{
	mlv repro -q >"$CASE/repro" 2>&1
	git add -A
	git commit -q -m "${1:-all}"
	: >"$LOG"
}

ran()
{
	local stages
	stages=$(tr '\n' ' ' <"$LOG")
	: >"$LOG"
	[ "${stages% }" = "$1" ] || fail "these ran: '${stages% }', not '$1'"
}

# What of the repository a verification must not touch.
state()
{
	git status --porcelain
	git for-each-ref
	git rev-parse HEAD
	git ls-files -s
	git worktree list --porcelain
	for folder in running runs logs store/packs store/live; do
		find ".git/mlv/$folder" -type f 2>/dev/null | sort || :
	done
	find .git/worktrees 2>/dev/null || :
	sha256sum mlv.lock .gitignore .git/config
}

keep_state()
{
	state >"$CASE/before"
}

expect_state()
{
	state >"$CASE/after"
	diff "$CASE/before" "$CASE/after" || fail "the repository is not as it was"
}

test_case "a commit is reproduced from nothing, and nothing of the user's is touched" <<'CASE'
	pipeline
	echo 'not committed' >>train.sh
	echo x >untracked
	keep_state
	expect_ok mlv repro --verify
	ran "prepare train evaluate"
	expect_out "prepare: reproduced"
	expect_out "$(git rev-parse --short HEAD): reproduced: 3 stages, 3 outputs and 3 metrics are as recorded"
	expect_state
	expect_ok mlv repro --verify --json HEAD
	expect_json .reproduced true
	expect_json .layer null
	expect_json .differs '[]'
	expect_json '[.stages[].result] | unique' '["reproduced"]'
	expect_json .commit "\"$(git rev-parse HEAD)\""
	expect_state
CASE

test_case "an earlier commit is verified by its own code, data and parameters" <<'CASE'
	pipeline
	seq 20 >raw.csv
	mlv add -q raw.csv
	sed -i 's/0.5/0.7/' params.yaml
	echo 'echo more >>model.txt' >>train.sh
	reproduce second
	expect_ok mlv repro --verify HEAD~1
	expect_out "reproduced: 3 stages"
	expect_ok mlv repro --verify HEAD
	ran "prepare train evaluate prepare train evaluate"
CASE

test_case "targets limit it to them and what they need" <<'CASE'
	pipeline
	expect_ok mlv repro --verify HEAD -- train
	ran "prepare train"
	expect_out "2 stages, 2 outputs and 0 metrics"
	expect_ok mlv repro --verify HEAD prepare
	ran prepare
	expect_ok mlv repro --verify=HEAD prepare
	ran prepare
	expect_ok mlv repro --verify -- model.txt
	ran "prepare train"
	mkdir -p not/there
	cd not/there
	expect_ok mlv repro --verify HEAD -- ../../model.txt
	cd ../..
	expect_status 128 mlv repro --verify HEAD -- nothing
	expect_err "nothing"
	expect_status 128 mlv repro --verify nothing
	expect_err "'nothing' is neither a revision nor a run here; targets stand behind '--'"
CASE

test_case "words that do not go with it are refused" <<'CASE'
	pipeline
	expect_status 129 mlv repro --verify -f
	expect_status 129 mlv repro --verify -n
	expect_status 129 mlv repro --tolerance acc=1
	expect_status 129 mlv repro --junit x.xml
	for word in acc '=1' acc= acc=x acc=-1 acc=nan 'acc=1%%'; do
		expect_status 129 mlv repro --verify --tolerance "$word"
	done
	ran ""
CASE

test_case "code that was changed and committed without repro is the layer that differs" <<'CASE'
	pipeline
	sed -i 's/echo "lr/echo "rate/' train.sh
	git commit -q -am "a change"
	keep_state
	expect_status 1 mlv repro --verify
	expect_out "prepare: reproduced"
	expect_out "train: differs"
	expect_out "    code: dependency 'train.sh' has changed: "
	expect_out "    model.txt: "
	expect_out "evaluate: differs"
	expect_out "    metrics.json: n: "
	expect_out "    follows: dependency 'model.txt' has changed"
	expect_out "not reproduced: the code is not what the record was made with"
	expect_state
	expect_status 1 mlv repro --verify --json
	expect_json .layer '"code"'
	expect_json .deterministic null
	expect_json '[.differs[] | .stage + " " + .kind + " " + (.path // .name)]' \
		'["train output model.txt","evaluate output metrics.json","evaluate metric metrics.json"]'
	expect_json '.stages[1].causes[0].what' '"train.sh"'
	expect_json '.stages[2].causes[0].follows' '"train"'
	expect_json '.differs[0].recorded | startswith("sha256:")' true
	expect_json '.differs[0].now | startswith("sha256:")' true
	expect_json '.differs[2] | [.name, .recorded, .now, .difference]' '["n",13,15,2]'
	# A change that changes nothing.
	git revert -n HEAD
	echo '# a comment' >>train.sh
	git commit -q -am "a comment"
	expect_ok mlv repro --verify
	expect_out "train: reproduced, of other inputs"
CASE

test_case "a command that was changed is code, but what parameters put into it is not" <<'CASE'
	pipeline
	sed -i 's/sh train.sh/LR=1 sh train.sh; echo x >> model.txt/' mlv.yaml
	git commit -q -am "another command"
	expect_status 1 mlv repro --verify --json
	expect_json .layer '"code"'
	expect_json '.stages[1].causes[0].recorded' '"sh train.sh"'
	cat >mlv.yaml <<-'YAML'
		vars: [params.yaml]
		stages:
		  one: {cmd: "echo ${other} > out.txt", outs: [out.txt]}
	YAML
	git rm -q --cached metrics.json
	reproduce templates
	expect_ok mlv repro --verify
	sed -i 's/other: 1/other: 2/' params.yaml
	git commit -q -am "another value"
	expect_status 1 mlv repro --verify --json
	expect_json .layer '"params"'
	sed -i 's/echo/printf/' mlv.yaml
	git commit -q -am "another command"
	expect_status 1 mlv repro --verify --json
	expect_json .layer '"code"'
CASE

test_case "data that were changed and committed without repro are the layer that differs" <<'CASE'
	pipeline
	seq 11 >raw.csv
	mlv add -q raw.csv
	git commit -q -am "more data"
	expect_status 1 mlv repro --verify
	expect_out "    data: dependency 'raw.csv' has changed: "
	expect_out "not reproduced: the data are not what the record was made with"
	expect_status 1 mlv repro --verify --json
	expect_json .layer '"data"'
	# Code comes first.
	echo 'echo more >>model.txt' >>train.sh
	git commit -q -am "and code"
	expect_status 1 mlv repro --verify --json
	expect_json .layer '"code"'
	expect_json '[.stages[].layer]' '["data","code",null]'
CASE

test_case "a stage that did not run since another made its input anew is told" <<'CASE'
	pipeline
	sed -i 's/sort -rn/sort -n/' prepare.sh
	mlv repro -q -s prepare
	git commit -q -am "half of it"
	expect_status 1 mlv repro --verify
	expect_out "prepare: reproduced"
	expect_out "train: differs"
	expect_out "    data: dependency 'clean' has changed: "
	expect_out "'prepare' ran since, and 'train' did not"
	expect_status 1 mlv repro --verify --json
	expect_json .layer '"data"'
CASE

test_case "so are parameters" <<'CASE'
	pipeline
	sed -i 's/0.5/0.25/' params.yaml
	git commit -q -am "another rate"
	expect_status 1 mlv repro --verify
	expect_out "    params: parameter 'params.yaml:lr' has changed: 0.5 -> 0.25"
	expect_out "not reproduced: the parameters are not what the record was made with"
	expect_status 1 mlv repro --verify --json
	expect_json .layer '"params"'
	sed -i 's/0.25/0.5 # as before/; s/other: 1/other: 2/' params.yaml
	git commit -q -am "no other value of what counts"
	expect_ok mlv repro --verify
CASE

test_case "an environment that is another than the run's is told" <<'CASE'
	pipeline
	git config mlv.env FLAVOUR
	echo 'echo "$FLAVOUR" >>model.txt' >>train.sh
	export FLAVOUR=sweet
	mlv run -q -n first >/dev/null 2>&1
	git add -A
	git commit -q -m "with a flavour"
	expect_ok mlv repro --verify
	expect_ok mlv repro --verify first
	export FLAVOUR=sour
	expect_status 1 mlv repro --verify
	expect_out "environment: differs from that of run 'first'"
	expect_out "    variables.FLAVOUR: sweet -> sour"
	expect_out "not reproduced: the environment is not that of run 'first'"
	expect_status 1 mlv repro --verify first --json
	expect_json .layer '"environment"'
	expect_json .run '"first"'
	expect_json .deterministic true
	expect_json '[.environment[] | [.what, .recorded, .now]]' '[["variables.FLAVOUR","sweet","sour"]]'
CASE

test_case "a program that is not deterministic is run twice and told" <<'CASE'
	pipeline
	cat >train.sh <<-'PROGRAM'
		#!/bin/bash
		echo train >>"$LOG"
		echo "$RANDOM$RANDOM$RANDOM" >model.txt
	PROGRAM
	sed -i 's/sh train.sh/bash train.sh/' mlv.yaml
	reproduce random
	keep_state
	expect_status 1 mlv repro --verify
	ran "prepare train evaluate train"
	expect_out "train: differs, and is not deterministic"
	expect_out "environment: no run is recorded that made these outputs"
	expect_out "not reproduced: the program is not deterministic"
	expect_state
	expect_status 1 mlv repro --verify --json
	expect_json .layer '"program"'
	expect_json .deterministic false
CASE

test_case "a program that always gives another result than recorded is told from one that does not" <<'CASE'
	pipeline
	echo 'cat "$LOG.hidden" >>model.txt' >>train.sh
	echo first >"$LOG.hidden"
	reproduce hidden
	expect_ok mlv repro --verify
	echo second >"$LOG.hidden"
	expect_status 1 mlv repro --verify
	expect_out "train: differs, and is deterministic"
	expect_out "not reproduced: the program is deterministic, but gives another result than recorded"
	expect_status 1 mlv repro --verify --json
	expect_json .layer '"program"'
	expect_json .deterministic true
CASE

test_case "a metric within its tolerance does not differ, though its file's id does" <<'CASE'
	pipeline
	cat >evaluate.sh <<-'PROGRAM'
		cat model.txt >/dev/null
		echo "{\"val\": {\"acc\": $(cat "$LOG.acc"), \"n\": 3}, \"list\": [1, $(cat "$LOG.list")]}" >metrics.json
	PROGRAM
	echo 0.9125 >"$LOG.acc"
	echo 2 >"$LOG.list"
	reproduce acc
	echo 0.9126 >"$LOG.acc"
	expect_status 1 mlv repro --verify
	expect_out "    metrics.json: val.acc: 0.9125 recorded, 0.9126 now (+0.0001)"
	expect_status 1 mlv repro --verify --tolerance acc=0.00001
	expect_status 1 mlv repro --verify --tolerance val.acc=0.001%
	expect_status 1 mlv repro --verify --tolerance nothing=1
	expect_err "no metric is called 'nothing'"
	for tolerance in acc=0.0001 val.acc=1e-4 'v*=0.02%' metrics.json:val.acc=0.1 'acc=1%'; do
		expect_ok mlv repro --verify --tolerance "$tolerance"
		expect_out "val.acc: 0.9125 recorded, 0.9126 now (+0.0001): tolerated"
		expect_no_err "no metric"
	done
	expect_ok mlv repro --verify --tolerance acc=1e-3 --json
	expect_json '[.stages[2].outs[0] | .reproduced, .tolerated]' '[true,true]'
	expect_json .differs '[]'
	# What is no metric is not tolerated.
	echo 3 >"$LOG.list"
	expect_status 1 mlv repro --verify --tolerance acc=1
CASE

test_case "a log of metrics goes by its last values where a tolerance is given" <<'CASE'
	pipeline
	cat >>mlv.yaml <<-'YAML'
		  log:
		    cmd: mlv log-metric --step 1 acc=0.5 && mlv log-metric --step 2 acc=0.75
		    metrics: [metrics.jsonl]
	YAML
	reproduce log
	expect_ok mlv repro --verify --tolerance '*=0'
CASE

test_case "what JUnit reads is written for each output and metric" <<'CASE'
	pipeline
	need_command python3
	sed -i 's/echo "lr/echo "<rate> \&/' train.sh
	git commit -q -am "a change"
	expect_status 1 mlv repro --verify --junit ../report.xml
	cat >../check.py <<-'PROGRAM'
		import sys, xml.etree.ElementTree as tree
		root = tree.parse(sys.argv[1]).getroot()
		assert root.tag == 'testsuites', root.tag
		cases = root.findall('testsuite/testcase')
		assert int(root.get('tests')) == len(cases)
		assert int(root.get('failures')) == len(root.findall('testsuite/testcase/failure'))
		for suite in root:
		    print(suite.get('name'), *[case.get('name') + ('!' if len(case) else '') for case in suite.iter('testcase')], sep='|')
	PROGRAM
	expect_ok python3 ../check.py ../report.xml
	expect_out_is 'prepare|clean
train|model.txt!
evaluate|metrics.json!|metrics.json: acc|metrics.json: by|metrics.json: n!'
	mkdir sub
	cd sub
	printf '  fails: {cmd: "exit 3", outs: [gone]}\n' >>../mlv.yaml
	git commit -q -am "a stage"
	expect_status 128 mlv repro --verify --junit report.xml
	expect_no_file report.xml
	expect_err "the stage 'fails' never ran there"
CASE

test_case "a stage that fails is not reproduced, and its log is shown" <<'CASE'
	pipeline
	need_command python3
	printf '[ -e "$LOG.ok" ] || { printf "no <b>&\\033[1m\\377 way\\n"; exit 3; }\n' >>train.sh
	touch "$LOG.ok"
	reproduce ok
	rm "$LOG.ok"
	keep_state
	expect_status 1 mlv repro --verify --junit ../report.xml
	expect_err "no <b>&"
	expect_out "train: failed: its command ended with status 3"
	expect_out "    model.txt: "
	expect_out "recorded, not made now"
	expect_out "evaluate: not run: 'train', which it needs, failed"
	expect_out "not reproduced: the program fails"
	expect_state
	python3 -c 'import sys, xml.etree.ElementTree as t; r = t.parse(sys.argv[1]).getroot()
assert r.get("failures") == "4", r.get("failures"); assert "way" in r.find("testsuite/system-out").text' ../report.xml
	expect_status 1 mlv repro --verify -q
	expect_err "no <b>&"
	expect_status 1 mlv repro --verify --json
	expect_json '[.differs[] | .kind]' '["stage","output","stage","output"]'
	expect_json '.stages[1].result' '"failed"'
	expect_json '.stages[1].status' 3
	expect_json .reproduced false
	expect_json .layer '"program"'
CASE

test_case "a stage that never ran is an error before anything runs" <<'CASE'
	pipeline
	printf '  new: {cmd: echo 1 > new.txt, outs: [new.txt]}\n' >>mlv.yaml
	git commit -q -am "a stage"
	expect_status 128 mlv repro --verify
	expect_err "the stage 'new' never ran there"
	expect_err "nothing to compare"
	ran ""
	expect_ok mlv repro --verify HEAD -- evaluate
	git rm -q mlv.lock mlv.yaml
	git commit -q -m "no stages"
	expect_status 128 mlv repro --verify
	expect_err "nothing to verify"
	git init -q ../empty
	cd ../empty
	mlv init -q
	expect_status 128 mlv repro --verify
CASE

test_case "a fresh clone verifies with data that only the remote has" <<'CASE'
	pipeline
	mlv remote add -q origin ../store
	git add -A
	git commit -q -m remote
	mlv push -q
	git clone -q . ../clone
	cd ../clone
	expect_ok mlv repro --verify
	ran "prepare train evaluate"
	expect_no_file raw.csv
	expect_no_file model.txt
	[ -z "$(git status --porcelain)" ]
	mv ../store ../gone
	expect_ok mlv repro --verify
	rm -rf .git/mlv/store .git/mlv/cache
	expect_status 1 mlv repro --verify
	expect_out "prepare: failed"
	mv ../gone ../store
CASE

test_case "a commit from before the remote was named is verified with what the remote has" <<'CASE'
	pipeline
	mlv remote add -q origin ../store
	git commit -q -am remote
	mlv push -q --all
	git clone -q . ../clone
	cd ../clone
	expect_ok mlv repro --verify HEAD~1
	git init -q --bare ../bare
	git push -q ../bare main
	git clone -q --depth 1 "file://$CASE/work/bare" ../shallow
	cd ../shallow
	expect_ok mlv repro --verify
CASE

test_case "of a folder it is said which files differ" <<'CASE'
	pipeline
	cat >prepare.sh <<-'PROGRAM'
		mkdir -p clean/sub
		cp raw.csv clean/a.csv
		cat "$LOG.n" >clean/sub/n.txt
		for i in $(cat "$LOG.n"); do echo "$i" >"clean/$i.txt"; done
	PROGRAM
	echo 1 >"$LOG.n"
	reproduce one
	echo 2 >"$LOG.n"
	expect_status 1 mlv repro --verify HEAD -- prepare
	expect_out "        D clean/1.txt"
	expect_out "        A clean/2.txt"
	expect_out "        M clean/sub/n.txt"
	seq 30 | tr '\n' ' ' >"$LOG.n"
	expect_status 1 mlv repro --verify HEAD -- prepare
	expect_out "        and 20 more"
	expect_status 1 mlv repro --verify --json HEAD -- prepare
	expect_json '.differs[0].files | length' 30
	expect_json '.differs[0].files[0]' '{"path":"clean/10.txt","change":"A"}'
CASE

test_case "data that are lost are the layer that differs" <<'CASE'
	pipeline
	echo hidden >hidden.txt
	echo hidden.txt >>.gitignore
	sed -i 's/deps: .train.sh, clean./deps: [train.sh, clean, hidden.txt]/' mlv.yaml
	reproduce hidden
	expect_status 1 mlv repro --verify
	expect_out "train: failed: its dependency 'hidden.txt' is not there"
	expect_out "    data: dependency 'hidden.txt' is not there: neither git nor mlv tracks it"
	expect_out "not reproduced: the data"
CASE

test_case "frozen, always_changed, persistent and git's own outputs are thought of" <<'CASE'
	pipeline
	sed -i '/^  prepare:/a\    frozen: true' mlv.yaml
	cat >>mlv.yaml <<-'YAML'
		  always: {cmd: 'echo always >> "$LOG"', always_changed: true}
		  grows: {cmd: echo 1 >> grows.txt, outs: [{grows.txt: {persist: true}}]}
		  small: {cmd: echo 1 >> small.txt, outs: [{small.txt: {cache: false, persist: true}}]}
	YAML
	reproduce others
	expect_ok mlv repro --verify
	ran "train evaluate always"
	expect_out "prepare: frozen, taken as it is"
	expect_out "grows: reproduced"
	mlv repro -q -f grows small
	git add -A
	git commit -q -m "it has grown"
	expect_content small.txt "1
1"
	expect_status 1 mlv repro --verify
	expect_out "grows: differs, and is deterministic"
	expect_out "small: differs"
CASE

test_case "pipelines in folders are all verified, and dependencies outside are found" <<'CASE'
	pipeline
	mkdir -p ../shared/deep sub/inner
	echo outside >../shared/deep/in.txt
	echo absolute >"$CASE/absolute.txt"
	cat >sub/mlv.yaml <<-YAML
		stages:
		  inner:
		    wdir: inner
		    cmd: cat ../../../shared/deep/in.txt $CASE/absolute.txt ../../model.txt > out.txt
		    deps: [../../../shared/deep/in.txt, $CASE/absolute.txt, ../../model.txt]
		    outs: [out.txt]
	YAML
	touch sub/inner/.keep
	mlv repro -q -P
	git add -A
	git commit -q -m "a pipeline below"
	keep_state
	expect_ok mlv repro --verify
	expect_out "sub/mlv.yaml:inner: reproduced"
	expect_out "4 stages"
	(cd sub && expect_ok mlv repro --verify -- inner)
	expect_state
	echo changed >../shared/deep/in.txt
	expect_status 1 mlv repro --verify --json
	expect_json .layer '"data"'
	expect_json '.differs[0].stage' '"sub/mlv.yaml:inner"'
	expect_content ../shared/deep/in.txt changed
CASE

test_case "a run of stages is verified by what it began with and what its locks said" <<'CASE'
	pipeline
	mlv run -q -n fast -S lr=0.9 >/dev/null 2>&1
	git checkout -q -f .
	mlv checkout -q -f
	: >"$LOG"
	keep_state
	expect_ok mlv repro --verify fast
	expect_out "run 'fast': reproduced: 3 stages"
	ran "prepare train evaluate"
	expect_state
	expect_ok mlv repro --verify fast -- prepare
	mlv run --queue -q -n sweep -S lr=0.1,0.2 >/dev/null
	mlv run --all -q -j 2 >/dev/null 2>&1
	expect_ok mlv repro --verify sweep-2
	expect_out "run 'sweep-2': reproduced: 3 stages"
	expect_ok mlv repro --verify refs/mlv/runs/sweep-1^ -- prepare
	echo 'exit 1' >train.sh
	git commit -q -am "broken"
	expect_status 1 mlv run -q -n bad
	expect_status 128 mlv repro --verify bad
	expect_err "the run 'bad' is failed"
CASE

test_case "a run of a command is verified by the files that it changed and its metrics" <<'CASE'
	pipeline
	cat >try.sh <<-'PROGRAM'
		sort raw.csv >sorted.txt
		rm evaluate.sh
		mlv log-metric acc=0.5
		echo "{\"loss\": $(cat "$LOG.loss")}" >>"$MLV_METRICS"
	PROGRAM
	echo 1 >"$LOG.loss"
	git add -A
	git commit -q -m "a program"
	mlv run -q -n try -- sh try.sh
	git clean -q -f
	git checkout -q -f .
	keep_state
	expect_ok mlv repro --verify try
	expect_out "run 'try': reproduced: 1 stage, 2 outputs and "
	expect_state
	echo 2 >"$LOG.loss"
	expect_status 1 mlv repro --verify try
	expect_out "    loss: 1.0 recorded, 2.0 now (+1.0)"
	expect_out "deterministic, but gives another result"
	expect_ok mlv repro --verify try --tolerance loss=1
	mlv run -q -n random -- bash -c 'echo $RANDOM$RANDOM$RANDOM >random.txt'
	expect_status 1 mlv repro --verify random --json
	expect_json .layer '"program"'
	expect_json .deterministic false
	expect_json '.differs[0].path' '"random.txt"'
CASE

test_case "a run recorded on one machine is verified on another" <<'CASE'
	pipeline
	git init -q --bare ../origin.git
	git remote add origin ../origin.git
	mlv remote add -q origin ../store
	git commit -q -am remote
	git push -q origin main
	mlv push -q
	seq 12 >raw.csv
	mlv run -q -n fast -S lr=0.9
	mlv run -q -n count -- sh -c 'wc -l raw.csv >count.txt; mlv log-metric acc=3'
	mlv runs push -q
	git clone -q ../origin.git ../clone
	cd ../clone
	mlv runs pull -q
	expect_ok mlv repro --verify fast
	expect_out "3 stages"
	expect_ok mlv repro --verify count
	expect_out "reproduced: 1 stage"
CASE

test_case "submodules that were cloned are there, without a word to their server" <<'CASE'
	git init -q lib
	echo 'echo from lib' >lib/run.sh
	git -C lib add run.sh
	git -C lib commit -q -m lib
	pipeline
	git submodule --quiet add "$CASE/work/lib" modules/lib
	printf '  sub: {cmd: "sh modules/lib/run.sh > sub.txt", deps: [modules/lib/run.sh], outs: [sub.txt]}\n' >>mlv.yaml
	reproduce sub
	mv ../lib ../gone
	keep_state
	expect_ok mlv repro --verify
	expect_out "sub: reproduced"
	expect_state
	echo 'echo more' >>modules/lib/run.sh
	git -C modules/lib commit -q -am more
	git commit -q -am "another lib"
	expect_status 1 mlv repro --verify --json
	expect_json .layer '"code"'
CASE

test_case "ctrl-C leaves nothing, and ends with 130" <<'CASE'
	pipeline
	echo '[ ! -e "$LOG.wait" ] || { echo $$ >"$LOG.pid"; exec sleep 100; }' >>train.sh
	reproduce waits
	touch "$LOG.wait"
	keep_state
	env --default-signal=INT mlv repro --verify >../out 2>../err &
	pid=$!
	poll 20 test -s "$LOG.pid"
	kill -INT $pid
	status=0
	wait $pid || status=$?
	[ $status = 130 ] || fail "it ended with $status"
	[ "$(grep -c interrupted ../err)" = 2 ] || fail "it does not say once that stage and command were interrupted"
	! kill -0 "$(cat "$LOG.pid")"
	expect_state
CASE

test_case "what a killed one leaves the next one removes" <<'CASE'
	pipeline
	echo '[ ! -e "$LOG.wait" ] || { echo $$ >"$LOG.pid"; exec sleep 100; }' >>train.sh
	reproduce waits
	keep_state
	touch "$LOG.wait"
	mlv repro --verify >../out 2>../err &
	pid=$!
	poll 20 test -s "$LOG.pid"
	kill -9 $pid
	wait $pid || :
	is_gone()
	{
		! kill -0 "$(cat "$LOG.pid")" 2>/dev/null
	}
	poll 20 is_gone
	[ -n "$(ls .git/mlv/running)" ]
	rm "$LOG.wait"
	idle()
	{
		mlv runs list >/dev/null && [ -z "$(ls .git/mlv/running)" ]
	}
	poll 20 idle
	expect_ok mlv repro --verify
	expect_state
CASE

test_case "git's variables, as hooks have them, do not lead it astray" <<'CASE'
	pipeline
	echo 'echo more' >>train.sh
	reproduce second
	keep_state
	GIT_DIR=$PWD/.git GIT_INDEX_FILE=$PWD/.git/index GIT_WORK_TREE=$PWD expect_ok mlv repro --verify HEAD~1
	expect_state
	printf '#!/bin/sh\nexec mlv repro --verify HEAD~1\n' >.git/hooks/pre-commit
	chmod +x .git/hooks/pre-commit
	echo new >new.txt
	git add new.txt
	expect_ok git commit -q -m new
	[ "$(git show --name-only --format= HEAD)" = new.txt ]
	[ -z "$(git status --porcelain)" ]
	printf '#!/bin/sh\nexec mlv repro --verify\n' >.git/hooks/pre-push
	chmod +x .git/hooks/pre-push
	git init -q --bare ../origin.git
	git remote add origin ../origin.git
	expect_ok git push -q origin main
	printf '#!/bin/sh\ntouch "$LOG.hook"\n' >.git/hooks/post-checkout
	chmod +x .git/hooks/post-checkout
	expect_ok mlv repro --verify
	expect_no_file "$LOG.hook"
CASE

test_done
