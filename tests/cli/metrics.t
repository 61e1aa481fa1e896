# SPDX-License-Identifier: Apache-2.0
# mlv metrics: numbers of any version, and what differs.
. "$(dirname "$0")/lib.sh"

# Two commits, v1 and v2, with metrics in JSON, YAML and a log; a stage's and the whole's.
make_metrics()
{
	new_repo project
	cat >mlv.yaml <<-'YAML'
		stages:
		  train:
		    cmd: train
		    metrics:
		    - out/train.json: {cache: false, better: {speed: lower, odd: none}}
		metrics:
		- eval.yaml
		- log.jsonl
	YAML
	mkdir out
	echo '{"acc": 0.9, "val": {"loss": 0.31, "n": 10}, "speed": 3, "odd": 1, "list": [1, 2]}' >out/train.json
	echo 'note: "a|b"
	score: 1' | sed 's/^\t//' >eval.yaml
	echo '{"step": 1, "f1": 0.25}' >log.jsonl
	commit_all first
	git tag v1
	echo '{"acc": 0.91, "val": {"loss": 0.35, "n": 10}, "speed": 2, "odd": 2, "new": .5}' |
		sed 's/ \.5/ 0.5/' >out/train.json
	echo 'score: .nan' >eval.yaml
	printf '{"step": 1, "f1": 0.25}\n{"step": 2, "f1": 0.75}\n{"torn' >log.jsonl
	commit_all second
	git tag v2
}

test_case "show prints the metrics of the work tree" <<'CASE'
	make_metrics
	expect_ok mlv metrics show
	expect_out_is 'Path            Metric    workspace
eval.yaml       score           nan
log.jsonl       f1             0.75
out/train.json  acc            0.91
out/train.json  new             0.5
out/train.json  odd               2
out/train.json  speed             2
out/train.json  val.loss       0.35
out/train.json  val.n            10'
CASE

test_case "show prints revisions beside each other, and - for what lacks" <<'CASE'
	make_metrics
	echo '{"acc": 0.99}' >out/train.json
	expect_ok mlv metrics show v1 v2 -w -- out
	expect_out_is 'Path            Metric      v1    v2  workspace
out/train.json  acc        0.9  0.91       0.99
out/train.json  new          -   0.5          -
out/train.json  odd          1     2          -
out/train.json  speed        3     2          -
out/train.json  val.loss  0.31  0.35          -
out/train.json  val.n       10    10          -'
	expect_ok mlv metrics show --branches --tags --csv -- eval.yaml
	expect_out_is 'Path,Metric,main,v1,v2
eval.yaml,note,,a|b,
eval.yaml,score,nan,1,nan'
CASE

test_case "diff prints what differs, by how much, and whether it is better" <<'CASE'
	make_metrics
	expect_ok mlv metrics diff v1 v2
	expect_out_is 'Path            Metric      v1    v2  Change
eval.yaml       note       a|b     -       -
eval.yaml       score        1   nan     nan  worse
log.jsonl       f1        0.25  0.75    +0.5  better
out/train.json  acc        0.9  0.91   +0.01  better
out/train.json  new          -   0.5       -
out/train.json  odd          1     2      +1
out/train.json  speed        3     2      -1  better
out/train.json  val.loss  0.31  0.35   +0.04  worse'
	expect_ok mlv metrics diff --all v1..v2 -- out/train.json
	expect_out 'val.n       10    10       0'
	expect_ok mlv metrics diff
	expect_out_is ''
	expect_status 1 mlv metrics diff --exit-code v1
	expect_ok mlv metrics diff --exit-code HEAD
CASE

test_case "diff A...B begins at the common ancestor" <<'CASE'
	make_metrics
	git checkout -q -b side v1
	echo '{"acc": 0.5}' >out/train.json
	commit_all side
	expect_ok mlv metrics diff main...side -- out/train.json
	expect_out "Metric    $(git rev-parse --short v1)  side  Change"
	expect_out 'acc           0.9   0.5    -0.4  worse'
CASE

test_case "diff is written as Markdown in which nothing is markup" <<'CASE'
	make_metrics
	echo '{"a|b<i>@me": 1, "x`*_": "[l](u)"}' >out/train.json
	expect_ok mlv metrics diff --md v2 -- out
	expect_out '| Path | Metric | v2 | workspace | Change |  |'
	expect_out '| --- | --- | ---: | ---: | ---: | --- |'
	expect_out '| out/train.json | a\|b&#60;i&#62;&#64;me | - | 1 | - |  |'
	expect_out '| out/train.json | x\`\*\_ | - | \[l\](u) | - |  |'
CASE

test_case "JSON has the numbers as they are" <<'CASE'
	make_metrics
	expect_ok mlv metrics diff --json v1 v2
	expect_json '.command' '"metrics diff"'
	expect_json '.old' "\"$(git rev-parse v1)\""
	expect_json '[.changes[].name]' '["note","score","f1","acc","new","odd","speed","val.loss"]'
	expect_json '.changes[3]' '{"path":"out/train.json","name":"acc","old":0.9,"new":0.91,"diff":0.01,"direction":"higher","verdict":"better"}'
	expect_json '.changes[1].new' '"NaN"'
	expect_json '.changes[4]' '{"path":"out/train.json","name":"new","new":0.5}'
	expect_ok mlv metrics show --json v1 -w -- out
	expect_json '[.revisions[].name]' '["v1","workspace"]'
	expect_json '.metrics[0].values' '{"v1":0.9,"workspace":0.91}'
CASE

test_case "digits are as many as are wanted" <<'CASE'
	make_metrics
	echo '{"acc": 0.123456789012, "n": 123456789}' >out/train.json
	expect_ok mlv metrics show -- out
	expect_out '0.12346'
	expect_out '123456789'
	expect_ok mlv metrics show --precision 0 -- out
	expect_out '0.123456789012'
	expect_ok mlv metrics show --precision 2 -- out
	expect_out ' 0.12'
	expect_status 129 mlv metrics show --precision 99
	expect_status 129 mlv metrics show --md --json
CASE

test_case "metrics in tracked data are read from the store, at any version" <<'CASE'
	new_repo project
	echo 'metrics: [data/scores/m.json]' >mlv.yaml
	mkdir -p data/scores
	echo '{"acc": 0.5}' >data/scores/m.json
	mlv add -q data/scores
	commit_all first
	echo '{"acc": 0.75}' >data/scores/m.json
	mlv add -q data/scores
	commit_all second
	rm -r data/scores
	expect_ok mlv metrics diff HEAD~1
	expect_out '0.5       0.75   +0.25  better'
CASE

# A lock that says the output m.json of the stage train holds what is tracked in it, and nothing tracks it.
lock_output()
{
	local id size block
	rm -f mlv.lock
	mlv add -q m.json
	id=$(sed -n 's/^id //p' m.json.mlv)
	size=$(sed -n 's/^size //p' m.json.mlv)
	block=$(printf '  train:\n    - cmd: "train"\n    - out: {"path": "m.json", "id": "%s", "size": %s}\n.' "$id" "$size")
	printf 'version: 1\nstages:\n%s    - sum: "%s"\n' "${block%.}" \
		"$(printf '%s' "${block%.}" | sha256sum | cut -c 1-16)" >mlv.lock
	git rm -q -f --cached m.json.mlv
	rm m.json m.json.mlv
}

test_case "metrics that are outputs in the store are read by what mlv.lock says" <<'CASE'
	new_repo project
	printf 'stages:\n  train:\n    cmd: train\n    metrics: [m.json]\n' >mlv.yaml
	echo '{"acc": 0.5}' >m.json
	lock_output
	commit_all first
	echo '{"acc": 0.75}' >m.json
	lock_output
	commit_all second
	expect_ok mlv metrics diff HEAD~1 HEAD
	expect_out 'm.json  acc        0.5  0.75   +0.25  better'
	expect_ok mlv metrics show
	expect_out '0.75'
CASE

test_case "runs are revisions, and what they logged is shown" <<'CASE'
	new_repo project
	printf 'echo "{\\"loss\\": $1}" >>"$MLV_METRICS"\nmlv log-param seed=$1\n' >train.sh
	commit_all first
	expect_ok mlv run -n one -- sh train.sh 0.5
	expect_ok mlv run -n two -- sh train.sh 0.25
	expect_ok mlv metrics diff one two
	expect_out '.mlv-run/metrics.jsonl  loss    0.5  0.25   -0.25  better'
	expect_ok mlv params diff one two
	expect_out '.mlv-run/params.jsonl  seed   0.5  0.25   -0.25'
	expect_ok mlv plots diff one two
	expect_out '● one   ○ two'
CASE

test_case "what is not here is read from the remote" <<'CASE'
	git init -q --bare origin.git
	new_repo project
	mlv remote add origin ../store
	git remote add origin ../origin.git
	echo 'metrics: [m.json]' >mlv.yaml
	echo '{"acc": 0.5}' >m.json
	mlv add -q m.json
	commit_all first
	git push -q origin main
	mlv push -q
	cd ..
	git clone -q origin.git clone
	cd clone
	expect_ok mlv metrics show HEAD
	expect_out 'm.json  acc      0.5'
CASE

test_case "files that no pipeline names are read all the same" <<'CASE'
	new_repo project
	mkdir sub
	echo '{"a": {"b": 1}}' >sub/other.json
	echo '0.5' >number.yaml
	expect_ok mlv metrics show
	expect_out_is ''
	expect_err 'no metrics here'
	expect_ok mlv metrics show -- sub/other.json
	expect_out 'sub/other.json  a.b             1'
	cd sub
	expect_ok mlv metrics show -- other.json
	expect_out 'other.json  a.b             1'
	expect_ok mlv metrics show --json -- ../number.yaml
	expect_json '.metrics[0].name' '""'
	expect_json '.metrics[0].values.workspace' 0.5
	expect_status 128 mlv metrics show -- nothing.json
CASE

test_case "a file that is damaged is told, and the others are shown" <<'CASE'
	make_metrics
	echo '{"acc": ' >out/train.json
	expect_status 1 mlv metrics show
	expect_out 'eval.yaml'
	expect_err 'warning: out/train.json:2:1:'
	expect_no_err 'not there'
	printf '{"f1": 1}\nrubbish\n{"f1": 2}\n' >log.jsonl
	expect_status 1 mlv metrics show -- log.jsonl
	expect_out '2'
	expect_err 'log.jsonl:2: no JSON object'
	rm out/train.json log.jsonl
	expect_ok mlv metrics show
	expect_err "'out/train.json' is not there"
	echo 'stages: [' >mlv.yaml
	expect_status 1 mlv metrics show
	expect_err 'mlv.yaml:'
	expect_ok mlv metrics show v1 v2
	expect_no_err 'warning'
CASE

test_case "a link that leads out of the repository is not followed" <<'CASE'
	make_metrics
	echo '{"secret": 1}' >../secret.json
	ln -sf ../../secret.json out/train.json
	run mlv metrics show
	expect_no_out secret
	expect_err 'symbolic link'
	ln -sf ../inside.json out/train.json
	echo '{"inside": 1}' >inside.json
	expect_ok mlv metrics show
	expect_out inside
CASE

test_case "a repository without commits and words that mean nothing" <<'CASE'
	git init -q project
	cd project
	mlv init -q
	echo '{"a": 1}' >m.json
	echo 'metrics: [m.json]' >mlv.yaml
	expect_ok mlv metrics diff
	expect_out 'm.json  a          -          1       -'
	expect_status 128 mlv metrics show nonsense
	expect_status 129 mlv metrics
	expect_status 129 mlv metrics diff a b c --
CASE

test_done
