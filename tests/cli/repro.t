# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"

# prepare -> train -> report; every run leaves a line in ../log.
pipeline()
{
	new_repo project
	mkdir data src
	seq 10 >data/raw.txt
	echo 'tail -n "$1" data/raw.txt' >src/prepare.sh
	printf 'n: 3\ntrain:\n  lr: 0.1 # a rate\n' >params.yaml
	cat >mlv.yaml <<-'YAML'
		stages:
		  prepare:
		    cmd:
		      - echo $MLV_STAGE >> ../log
		      - mkdir -p out/prep
		      - sh src/prepare.sh ${n} > out/prep/a.txt
		    deps: [data/raw.txt, src]
		    params: [n]
		    outs: [out/prep]
		  train:
		    cmd: |
		      echo $MLV_STAGE >> ../log
		      cat out/prep/a.txt > model.txt; echo "lr ${train.lr}" >> model.txt
		      echo "{\"lines\": $(wc -l < model.txt)}" > metrics.json
		    deps: [out/prep]
		    params: [train.lr]
		    outs: [model.txt]
		    metrics: [{metrics.json: {cache: false}}]
		  report:
		    cmd: echo $MLV_STAGE >> ../log; wc -l model.txt > report.txt
		    deps: [model.txt]
		    outs: [report.txt]
		vars: [params.yaml]
	YAML
	: >../log
}

# What ran since the last time, on one line.
ran()
{
	local stages
	stages=$(tr '\n' ' ' <../log)
	: >../log
	[ "${stages% }" = "$1" ] || fail "these ran: '${stages% }', not '$1'"
}

# The dependencies of stage $1 of eight, with $2 between them.
needs()
{
	local all
	case $1 in
	1) all="a" ;; 2) all="b" ;; 3) all="o1 c" ;; 4) all="o1 o2" ;;
	5) all="o3" ;; 6) all="o3 o4 d" ;; 7) all="o2 a" ;; 8) all="o6 o4" ;;
	esac
	echo "$all" | sed "s/ /$2/g"
}

test_case "repro runs what is needed once, and then nothing" <<'CASE'
	pipeline
	expect_ok mlv repro -n
	expect_out "would run prepare"
	expect_out "it has not run before"
	expect_out "dependency 'out/prep' will be made anew"
	expect_no_file mlv.lock
	ran ""
	expect_ok mlv repro
	ran "prepare train report"
	expect_content model.txt "8
9
10
lr 0.1"
	expect_ok mlv repro
	expect_err "nothing to do"
	expect_ok mlv repro -n
	expect_out_is ""
	ran ""
CASE

test_case "each kind of change runs the stages that it concerns and no others" <<'CASE'
	pipeline
	mlv repro -q
	ran "prepare train report"
	# The same content again, or another form of the same value, is no change.
	seq 10 >data/raw.txt
	printf 'train: {lr: 1e-1}\n# a comment\nn: 3\n' >params.yaml
	expect_ok mlv repro
	ran ""
	seq 20 >data/raw.txt
	expect_ok mlv repro -n
	expect_out "dependency 'data/raw.txt' has changed: "
	expect_ok mlv repro -q
	ran "prepare train report"
	# A folder of code is a dependency as a whole; what Python leaves in it is not.
	mkdir src/__pycache__
	echo x >src/__pycache__/prepare.pyc
	mlv repro -q
	ran ""
	echo 'head -n "$1" data/raw.txt' >src/other.sh
	mlv repro -q
	ran "prepare"
	chmod +x src/other.sh
	expect_ok mlv repro -n
	expect_out "dependency 'src' has changed"
	mlv repro -q
	ran "prepare"
	sed -i 's/1e-1/0.5/' params.yaml
	expect_ok mlv repro -n
	expect_out "parameter 'params.yaml:train.lr' has changed: 0.1 -> 0.5"
	mlv repro -q
	ran "train report"
	sed -i 's/wc -l model/wc -c model/' mlv.yaml
	expect_ok mlv repro -n
	expect_out_is "would run report
    its command has changed"
	mlv repro -q
	ran "report"
	sed -i 's/deps: \[model.txt\]/deps: [model.txt, metrics.json]/' mlv.yaml
	expect_ok mlv repro -n
	expect_out "'metrics.json' is a new dependency"
	mlv repro -q
	ran "report"
	sed -i 's/deps: \[model.txt, metrics.json\]/deps: [model.txt]/' mlv.yaml
	expect_ok mlv repro -n
	expect_out "'metrics.json' is a dependency no more"
CASE

test_case "outputs that are gone or changed come back from the store without a run" <<'CASE'
	pipeline
	mlv repro -q
	ran "prepare train report"
	rm -r model.txt out
	expect_ok mlv repro -n
	expect_out "would restore train"
	expect_out "output 'model.txt' is missing"
	expect_ok mlv repro
	expect_err "stages: 2 restored, 1 unchanged"
	expect_file out/prep/a.txt
	echo spoilt >>model.txt
	expect_ok mlv repro -n
	expect_out "output 'model.txt' is not as it was made"
	mlv repro -q
	! grep -q spoilt model.txt
	rm metrics.json
	mlv repro -q
	expect_content metrics.json '{"lines": 4}'
	ran ""
CASE

test_case "what was ever computed with the same command, data and parameters is restored" <<'CASE'
	pipeline
	mlv repro -q
	sed -i 's/lr: 0.1/lr: 0.2/' params.yaml
	mlv repro -q
	ran "prepare train report train report"
	sed -i 's/lr: 0.2/lr: 0.1/' params.yaml
	expect_ok mlv repro
	expect_err "stages: 2 restored, 1 unchanged"
	expect_out_is ""
	tail -n 1 model.txt | grep -qx 'lr 0.1'
	# A lock that was lost, a stage that was renamed.
	rm mlv.lock
	expect_ok mlv repro
	expect_err "stages: 3 restored"
	sed -i 's/^  train:/  fit:/' mlv.yaml
	expect_ok mlv repro
	expect_err "fit: restored"
	grep -q '^  fit:' mlv.lock
	! grep -q '^  train:' mlv.lock
	ran ""
	sed -i 's/lr: 0.1/lr: 0.2/' params.yaml
	expect_ok mlv repro --no-run-cache
	ran "fit report"
	expect_ok mlv repro -f fit
	ran "prepare fit"
	expect_ok mlv repro -f -s fit
	ran "fit"
	# What the environment is declared to say is part of it.
	git config --add mlv.env SEED
	SEED=1 mlv repro -q -f report
	: >../log
	rm mlv.lock
	SEED=1 mlv repro -q
	ran ""
	rm mlv.lock
	SEED=2 mlv repro -q
	ran "prepare fit report"
CASE

test_case "a stage that fails leaves its lock, and stops what needs it" <<'CASE'
	pipeline
	mlv repro -q
	ran "prepare train report"
	cp mlv.lock ../before
	sed -i 's/lr: 0.1/lr: 0.3/' params.yaml
	sed -i 's/^      cat out/      false\n&/' mlv.yaml
	expect_status 1 mlv repro
	expect_err "train: failed: its command ended with status 1: false"
	ran "train"
	expect_same mlv.lock ../before
	# Its outputs were made by nobody.
	expect_no_file model.txt
	sed -i '/^      false$/d' mlv.yaml
	mlv repro -q
	ran "train report"
	cat >mlv.yaml <<-'YAML'
		stages:
		  bad: {cmd: exit 7, outs: [bad.txt]}
		  after: {cmd: cp bad.txt after.txt, deps: [bad.txt], outs: [after.txt]}
		  last: {cmd: cp after.txt last.txt, deps: [after.txt], outs: [last.txt]}
		  good: {cmd: echo good > good.txt, outs: [good.txt]}
		  silent: {cmd: 'true', outs: [never.txt]}
	YAML
	expect_status 1 mlv repro
	expect_err "bad: failed: its command ended with status 7"
	expect_no_file good.txt
	expect_status 1 mlv repro -k
	expect_err "after: not run: 'bad', which it needs, failed"
	expect_err "last: not run: 'after', which it needs, failed"
	expect_err "silent: failed: it ended well and has not made its output 'never.txt'"
	expect_err "stages: 1 ran, 2 failed, 2 not run"
	expect_file good.txt
CASE

test_case "outputs are cleared before a run, but for those that persist" <<'CASE'
	new_repo project
	cat >mlv.yaml <<-'YAML'
		stages:
		  fresh:
		    cmd: ls deep/er 2>/dev/null | wc -l > seen.txt; mkdir deep/er/new; echo x > deep/er/new/f
		    deps: [in.txt]
		    outs: [deep/er/new/, seen.txt]
		  grow:
		    cmd: echo more >> log.txt
		    deps: [in.txt]
		    outs: [{log.txt: {persist: true}}]
	YAML
	echo 1 >in.txt
	mlv repro -q
	expect_content seen.txt 0
	echo 2 >in.txt
	echo stale >deep/er/new/stale
	mlv repro -q
	expect_content seen.txt 0
	expect_no_file deep/er/new/stale
	expect_content log.txt "more
more"
	echo 1 >in.txt
	mlv repro -q
	# Whatever it had before is part of what it makes: never from the run cache.
	expect_content log.txt "more
more
more"
	sed -i 's/deep\/er\/new; echo x > deep\/er\/new\/f/deep; echo x > deep\/er\/new/' mlv.yaml
	expect_status 1 mlv repro
	expect_err "is written with a slash at its end and is no folder"
CASE

test_case "what git tracks, or has a pointer, is no output; cache: false leaves it to git" <<'CASE'
	new_repo project
	echo 'stages: {s: {cmd: echo new > out.txt, outs: [out.txt]}}' >mlv.yaml
	echo old >out.txt
	git add out.txt
	expect_status 1 mlv repro
	expect_err "first run: git rm -r --cached 'out.txt'"
	expect_content out.txt old
	git rm -q --cached out.txt
	mlv add -q out.txt
	expect_status 1 mlv repro
	expect_err "first run: mlv rm --cached 'out.txt'"
	mlv rm -q --cached out.txt
	mkdir -p data
	echo 1 >data/raw
	mlv add -q data
	echo 'stages: {s: {cmd: echo new > data/out, outs: [data/out]}}' >mlv.yaml
	expect_status 1 mlv repro
	expect_err "lies in 'data', which is tracked by itself"
	echo 'stages: {s: {cmd: echo new > out.txt, outs: [out.txt]}}' >mlv.yaml
	mlv repro -q
	expect_content out.txt new
	grep -qx /out.txt .gitignore
	echo 'stages: {s: {cmd: echo new > out.txt, outs: [{out.txt: {cache: false}}]}}' >mlv.yaml
	mlv repro -q -f
	! grep -qsx /out.txt .gitignore
	grep -q '"cache": false' mlv.lock
	git add out.txt
	mlv repro -q -f
	expect_ok mlv ls
	expect_no_out out.txt
CASE

test_case "outputs are tracked data: they are committed, pushed, pulled, shown and kept" <<'CASE'
	pipeline
	sed -i 's/outs: \[report.txt\]/outs: [{report.txt: {push: false}}]/' mlv.yaml
	mkdir -p ../remote
	mlv remote add origin ../remote
	mlv repro -q
	git status --short >../status
	grep -q '^A  mlv.lock$' ../status
	! grep -q 'model.txt\|out/prep' ../status
	git add -A
	mlv commit -q -m "first"
	expect_ok mlv ls
	expect_out_is "model.txt
out/prep/
report.txt"
	expect_ok mlv cat HEAD:out/prep/a.txt
	expect_out_is "8
9
10"
	expect_ok mlv status --exit-code
	echo more >>model.txt
	expect_status 1 mlv status --exit-code
	expect_out "model.txt"
	mlv checkout -q -f
	mlv push -q
	mlv verify -q --remote
	sed -i 's/n: 3/n: 4/' params.yaml
	mlv repro -q
	expect_ok mlv diff --cached
	expect_out "out/prep/a.txt"
	git add -A
	mlv commit -q -m "second"
	expect_ok mlv log --oneline
	expect_out second
	expect_ok mlv diff HEAD~1 HEAD
	expect_out model.txt
	mlv push -q
	# Everything that either commit names is needed.
	mlv gc -q --grace 0
	mlv checkout -q HEAD~1
	expect_content out/prep/a.txt "8
9
10"
	mlv checkout -q main
	mlv fsck -q
	cd ..
	git clone -q project fresh
	cd fresh
	git -c mlv-remote.origin.url="$PWD/../remote" config mlv-remote.origin.url "$PWD/../remote"
	mlv pull -q
	expect_same model.txt ../project/model.txt
	expect_no_file report.txt
	expect_ok mlv status --exit-code
	expect_ok mlv repro -n
	expect_out_is "would run report
    output 'report.txt' is missing"
	mlv verify -q --remote
	expect_status 128 mlv add model.txt
	expect_err "is the output of a stage"
	expect_status 128 mlv rm model.txt
	expect_status 128 mlv mv model.txt other.txt
CASE

test_case "targets are stages, groups, files, outputs and folders" <<'CASE'
	new_repo project
	mkdir -p sub/deep
	cat >sub/mlv.yaml <<-'YAML'
		stages:
		  a: {cmd: echo $MLV_STAGE >> ../../log; echo a > a.txt, outs: [a.txt]}
		  each:
		    foreach: [x, y]
		    do: {cmd: 'echo $MLV_STAGE >> ../../log; cp a.txt ${item}.txt', deps: [a.txt], outs: ['${item}.txt']}
	YAML
	cat >sub/deep/mlv.yaml <<-'YAML'
		stages:
		  b: {cmd: echo $MLV_STAGE >> ../../../log; cp ../x.txt b.txt, deps: [../x.txt], outs: [b.txt]}
	YAML
	: >../log
	# A root without a pipeline file: all below.
	expect_ok mlv repro -n
	expect_out "would run sub/deep/mlv.yaml:b"
	(cd sub && mlv repro -q each)
	ran "sub/mlv.yaml:a sub/mlv.yaml:each@x sub/mlv.yaml:each@y"
	rm -rf .git/mlv/runs mlv.lock sub/mlv.lock sub/*.txt
	mlv repro -q sub/mlv.yaml:each@y
	ran "sub/mlv.yaml:a sub/mlv.yaml:each@y"
	mlv repro -q sub/deep/b.txt
	ran "sub/mlv.yaml:each@x sub/deep/mlv.yaml:b"
	mlv repro -q -f sub/deep
	ran "sub/mlv.yaml:a sub/mlv.yaml:each@x sub/deep/mlv.yaml:b"
	mlv repro -q -f --downstream sub/mlv.yaml:each@x
	ran "sub/mlv.yaml:each@x sub/deep/mlv.yaml:b"
	mlv repro -q -f -s sub:each
	ran "sub/mlv.yaml:each@x sub/mlv.yaml:each@y"
	(cd sub/deep && mlv repro -q -f -P)
	ran "sub/mlv.yaml:a sub/mlv.yaml:each@x sub/mlv.yaml:each@y sub/deep/mlv.yaml:b"
	expect_status 128 mlv repro nothing
	expect_err "'nothing' is no stage"
	mlv repro -n sub/mlv.yaml
CASE

test_case "a stage runs in its folder and shell, and knows its name and run" <<'CASE'
	new_repo project
	mkdir work
	cat >mlv.yaml <<-'YAML'
		stages:
		  env:
		    wdir: work
		    cmd:
		      - pwd > where.txt
		      - case $BASH_VERSION in ?*) echo "$MLV_STAGE bash" > who.txt ;; *) echo "$MLV_STAGE sh" > who.txt ;; esac
		      - test -n "$MLV_RUN"
		    outs: [where.txt, who.txt]
		  other:
		    shell: /bin/sh -e
		    cmd: |
		      echo "$0" > shell.txt
		    outs: [shell.txt]
		  multi:
		    cmd: |
		      x=1
		      echo "x is $x" > lines.txt
		    outs: [lines.txt]
	YAML
	expect_ok mlv repro
	expect_content work/where.txt "$PWD/work"
	need_command bash
	expect_content work/who.txt "env bash"
	expect_content shell.txt "/bin/sh"
	# Each line is a shell of its own.
	expect_content lines.txt "x is "
CASE

test_case "foreach and matrix, and a dvc.yaml as it is" <<'CASE'
	new_repo project
	cat >dvc.yaml <<-'YAML'
		vars:
		  - models: {cnn: {depth: 3}, rf: {depth: 5}}
		stages:
		  train:
		    foreach: ${models}
		    do:
		      cmd: echo ${key} ${item.depth} > ${key}.txt
		      outs: ["${key}.txt"]
		  grid:
		    matrix: {m: [cnn, rf], s: [1, 2]}
		    cmd: cat ${item.m}.txt > grid-${item.m}-${item.s}.txt
		    deps: ["${item.m}.txt"]
		    outs: ["grid-${item.m}-${item.s}.txt"]
	YAML
	cp dvc.yaml ../before
	echo lock >dvc.lock
	expect_ok mlv repro
	expect_err "stages: 6 ran"
	expect_content grid-rf-2.txt "rf 5"
	expect_file mlv.lock
	expect_same dvc.yaml ../before
	expect_content dvc.lock lock
	expect_ok mlv repro -n -f grid@cnn-1
	expect_out "would run grid@cnn-1"
	expect_out "would run train@cnn"
	expect_no_out "rf"
CASE

test_case "globs see what stages make, and a new match runs the stage" <<'CASE'
	new_repo project
	mkdir in
	echo 1 >in/1.txt
	cat >mlv.yaml <<-'YAML'
		stages:
		  make: {cmd: mkdir -p mid; for f in in/*.txt; do cp $f mid/; done, deps: ['in/*.txt'], outs: [mid]}
		  sum: {cmd: cat mid/*.txt > sum.txt, deps: ['mid/**'], outs: [sum.txt]}
	YAML
	mlv repro -q
	expect_content sum.txt 1
	echo 2 >in/2.txt
	expect_ok mlv repro -n
	expect_out "'in/2.txt' is a new dependency"
	mlv repro -q
	expect_content sum.txt "1
2"
	rm in/*.txt
	expect_status 1 mlv repro
	expect_err "in/*.txt"
CASE

test_case "frozen stages stay, always_changed ones and those without inputs run every time" <<'CASE'
	pipeline
	mlv repro -q
	ran "prepare train report"
	sed -i 's/^  train:/  train:\n    frozen: true/' mlv.yaml
	seq 30 >data/raw.txt
	sed -i 's/lr: 0.1/lr: 0.9/' params.yaml
	expect_ok mlv repro -n
	expect_out "would run prepare"
	expect_out "frozen train"
	expect_no_out "would run train"
	mlv repro -q report
	ran ""
	rm model.txt
	mlv repro -q report
	expect_file model.txt
	ran ""
	cat >mlv.yaml <<-'YAML'
		stages:
		  hook: {cmd: echo $MLV_STAGE >> ../log}
		  fetch: {cmd: 'echo $MLV_STAGE >> ../log; echo 1 > got.txt', outs: [got.txt], always_changed: true}
		  use: {cmd: 'echo $MLV_STAGE >> ../log; cp got.txt used.txt', deps: [got.txt], outs: [used.txt]}
	YAML
	mlv repro -q
	ran "hook fetch use"
	mlv repro -q
	ran "hook fetch"
CASE

test_case "what is missing is named, with what brings it" <<'CASE'
	pipeline
	rm data/raw.txt
	expect_status 1 mlv repro
	expect_err "prepare: failed: its dependency 'data/raw.txt' is not there, and no stage makes it"
	expect_status 1 mlv repro -s train
	expect_err "its dependency 'out/prep' is not there; the stage 'prepare' makes it"
	seq 10 >data/raw.txt
	echo 'train: {lr: 1}' >params.yaml
	printf 'n: 3\n' >other.yaml
	sed -i 's/^vars: .*/vars: [other.yaml]/; s/train.lr}/n}/' mlv.yaml
	expect_status 1 mlv repro
	expect_err "'n'"
	echo 'n: 3' >params.yaml
	# Data that were not brought here are no reason to run, and --pull brings them.
	mkdir ../remote
	mlv remote add origin "$PWD/../remote"
	mlv add -q data/raw.txt
	sed -i '/params: \[train.lr\]/d' mlv.yaml
	mlv repro -q
	git add -A
	mlv commit -q -m "all"
	mlv push -q
	cd ..
	git clone -q project fresh
	cd fresh
	: >../log
	mlv pull -q -- out/prep model.txt report.txt
	expect_no_file data/raw.txt
	expect_ok mlv repro
	expect_err "nothing to do"
	sed -i 's/mkdir -p out.prep/&; true/' mlv.yaml
	expect_status 1 mlv repro
	expect_err "'mlv pull -- data/raw.txt' brings it, as does --pull"
	expect_ok mlv repro --pull
	expect_file data/raw.txt
CASE

test_case "dependencies outside of the repository go by their content" <<'CASE'
	new_repo project
	mkdir -p ../outside/folder
	echo 1 >../outside/file
	echo 1 >../outside/folder/a
	cat >mlv.yaml <<-YAML
		stages:
		  s:
		    cmd: cat ../outside/file $CASE/work/outside/folder/a > out.txt
		    deps: [../outside/file, $CASE/work/outside/folder]
		    outs: [out.txt]
	YAML
	expect_ok mlv repro
	expect_content out.txt "1
1"
	expect_ok mlv repro
	expect_err "nothing to do"
	echo 2 >../outside/folder/a
	expect_ok mlv repro
	expect_content out.txt "1
2"
	touch ../outside/file
	expect_ok mlv repro
	expect_err "nothing to do"
CASE

test_case "repro --json tells each stage, why it ran and what came of it" <<'CASE'
	pipeline
	expect_ok mlv repro --json
	expect_json '.stages | map(.stage + " " + .result)' '["prepare ran","train ran","report ran"]'
	expect_json '.stages[0].reasons[0].reason' '"never-run"'
	expect_json '.stages[1].outs | map(.path)' '["metrics.json","model.txt"]'
	expect_json .totals '{"ran":3,"restored":0,"unchanged":0,"frozen":0,"failed":0,"skipped":0}'
	sed -i 's/lr: 0.1/lr: 0.2/' params.yaml
	expect_ok mlv repro -n --json
	expect_json '.stages | map(.result)' '["unchanged","ran","ran"]'
	expect_json '.stages[1].reasons | map(.reason)' '["cmd-changed","param-changed"]'
	expect_json '.stages[1].reasons[1].new' '"0.2"'
	sed -i 's/wc -l model.txt/false/' mlv.yaml
	expect_status 1 mlv repro --json
	expect_json '.stages[2].status' '1'
	expect_json .totals.failed 1
CASE

test_case "two work trees share what was computed" <<'CASE'
	pipeline
	git add -A
	git commit -q -m "pipeline"
	git worktree add -q ../second
	mlv repro -q
	ran "prepare train report"
	cd ../second
	expect_ok mlv repro
	expect_err "stages: 3 restored"
	ran ""
	expect_same model.txt ../project/model.txt
CASE

test_case "a stage runs on what was just restored" <<'CASE'
	new_repo project
	cat >mlv.yaml <<-'YAML'
		stages:
		  a: {cmd: 'mkdir d; echo 1 > d/x; echo 1 > a.txt', deps: [in.txt], outs: [a.txt, d]}
		  b: {cmd: cat a.txt d/x > b.txt, deps: [a.txt, d], outs: [b.txt]}
	YAML
	echo 1 >in.txt
	mlv repro -q a
	rm -r mlv.lock a.txt d
	expect_ok mlv repro
	expect_err "stages: 1 ran, 1 restored"
	expect_content b.txt "1
1"
	rm -r b.txt d
	sed -i 's/cat a.txt/tac a.txt/' mlv.yaml
	expect_ok mlv repro
	expect_err "stages: 1 ran, 1 restored"
	expect_ok mlv repro
	expect_err "nothing to do"
CASE

test_case "what a stage writes beside its outputs is seen by those that come after it" <<'CASE'
	new_repo project
	cat >mlv.yaml <<-'YAML'
		stages:
		  a: {cmd: 'cp in.txt a.txt; cp in.txt side.txt', deps: [in.txt], outs: [a.txt]}
		  b: {cmd: cp side.txt b.txt, deps: [side.txt, b.in], outs: [b.txt]}
	YAML
	echo 1 >in.txt
	echo 0 >side.txt
	: >b.in
	mlv repro -q
	expect_content b.txt 1
	echo 2 >in.txt
	mlv repro -q
	expect_content b.txt 2
	expect_ok mlv repro
	expect_err "nothing to do"
CASE

test_case "a dependency at a web server goes by what the server says of it" <<'CASE'
	need_command python3
	new_repo project
	mkdir ../www
	echo 1 >../www/data.csv
	python3 - ../www ../port <<-'SERVER' &
		import functools, http.server, sys
		handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])
		server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
		open(sys.argv[2], "w").write(str(server.server_port))
		server.serve_forever()
	SERVER
	server=$!
	poll 20 test -s ../port
	url=http://127.0.0.1:$(cat ../port)/data.csv
	echo "stages: {get: {cmd: 'cp ../www/data.csv d', deps: ['$url'], outs: [d]}}" >mlv.yaml
	expect_ok mlv repro
	expect_ok mlv repro
	expect_err "nothing to do"
	echo 22 >../www/data.csv
	expect_ok mlv repro -n
	expect_out "dependency '$url' has changed"
	mlv repro -q
	expect_content d 22
	kill $server
	wait $server || true
	expect_status 1 mlv repro
	expect_err "$url"
CASE

test_case "what a colleague computed comes with pull --run-cache" <<'CASE'
	pipeline
	mkdir ../remote
	mlv remote add origin "$PWD/../remote"
	git add -A
	mlv commit -q -m "pipeline, not run"
	git clone -q . ../colleague
	sed -i 's/lr: 0.1/lr: 0.7/' params.yaml
	mlv repro -q
	ran "prepare train report"
	cp model.txt ../model
	# An output that stays here keeps its stage's entry here.
	sed -i 's/outs: \[report.txt\]/outs: [{report.txt: {push: false}}]/' mlv.yaml
	mlv repro -q -f -s report
	: >../log
	mlv commit -q -a -m "run"
	expect_ok mlv push
	expect_ok mlv push --run-cache
	expect_err "sent"
	expect_ok mlv push --run-cache
	expect_err "up to date"
	cd ../colleague
	sed -i 's/lr: 0.1/lr: 0.7/' params.yaml
	expect_ok mlv pull --run-cache
	expect_ok mlv repro
	expect_err "prepare: restored"
	expect_err "train: restored"
	expect_same model.txt ../model
	ran "report"
	# What gc drops here goes from the remote with the next push.
	cd ../project
	mlv gc -q --grace 0
	mlv push -q
	rm -rf ../colleague/.git/mlv/runs
	cd ../colleague
	mlv fetch -q --run-cache
	[ "$(ls .git/mlv/runs | wc -l)" -le 1 ]
CASE

test_case "the same stages run as make would run, after every change" <<'CASE'
	need_command make
	new_repo project
	{
		echo stages:
		for i in 1 2 3 4 5 6 7 8; do
			printf '  s%d: {cmd: "echo s%d >> ../ours; cat %s > o%d; echo %d >> o%d", deps: [%s], outs: [o%d]}\n' \
				$i $i "$(needs $i ' ')" $i $i $i "$(needs $i ', ')" $i
		done
	} >mlv.yaml
	{
		echo 'all: m8 m7 m5'
		for i in 1 2 3 4 5 6 7 8; do
			printf 'm%d: %s\n\techo s%d >> ../theirs; cat $^ > $@; echo %d >> $@\n' $i "$(needs $i ' ' | sed 's/o/m/g')" $i $i
		done
	} >Makefile
	for f in a b c d; do echo $f >$f; done
	for round in - a b c d "a c" "b d"; do
		for f in $round; do
			[ "$f" = - ] || echo "$round" >>"$f"
		done
		: >../ours
		: >../theirs
		mlv repro -q
		sleep 0.02
		make -s
		sort ../ours >../ours.sorted
		sort ../theirs >../theirs.sorted
		expect_same ../ours.sorted ../theirs.sorted
		expect_content o8 "$(cat m8)"
		sleep 0.02
	done
CASE

test_done
