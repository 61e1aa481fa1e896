# SPDX-License-Identifier: Apache-2.0
# mlv params: what experiments are set by, of any version.
. "$(dirname "$0")/lib.sh"

make_params()
{
	new_repo project
	cat >dvc.yaml <<-'YAML'
		vars: [vars.yaml]
		stages:
		  train:
		    cmd: train
		    wdir: src
		    params:
		    - train.lr
		    - ../other.json: [a, deep]
		    - ../whole.yaml:
	YAML
	mkdir src
	echo 'train: {lr: 0.1, unused: 1}' >src/params.yaml
	echo 'seed: 42' >params.yaml
	echo 'data: big' >vars.yaml
	echo '{"a": 1, "b": 2, "deep": {"x": true, "l": [1, "2"]}}' >other.json
	echo 'w: null' >whole.yaml
	commit_all first
	git tag v1
	echo 'train: {lr: 0.2, unused: 2}' >src/params.yaml
	echo 'seed: 4.2e1' >params.yaml
	echo '{"a": 1, "b": 3, "deep": {"x": false, "l": [1]}}' >other.json
	commit_all second
	git tag v2
}

test_case "show prints what pipelines name, and the default file" <<'CASE'
	make_params
	expect_ok mlv params show v1
	expect_out_is 'Path             Param           v1
other.json       a                1
other.json       deep.l    [1, "2"]
other.json       deep.x        true
params.yaml      seed            42
src/params.yaml  train.lr       0.1
vars.yaml        data           big
whole.yaml       w             null'
CASE

test_case "diff prints what differs by amount" <<'CASE'
	make_params
	expect_ok mlv params diff v1 v2
	expect_out_is 'Path             Param           v1     v2  Change
other.json       deep.l    [1, "2"]    [1]       -
other.json       deep.x        true  false       -
src/params.yaml  train.lr       0.1    0.2    +0.1'
	expect_ok mlv params diff --json v1 v2
	expect_json '.changes[0].old' '[1,"2"]'
	expect_json '.changes[2].diff' 0.1
	expect_json '.changes[2].direction' null
	expect_ok mlv params diff --csv v1 v2 -- src
	expect_out_is 'Path,Param,v1,v2,Change,Verdict
src/params.yaml,train.lr,0.1,0.2,+0.1,'
CASE

test_case "--deps leaves out what no stage depends on" <<'CASE'
	make_params
	expect_ok mlv params show --deps
	expect_out 'train.lr'
	expect_no_out 'seed'
	expect_no_out 'data'
CASE

test_case "parameters that a program noted are shown" <<'CASE'
	new_repo project
	expect_ok mlv log-param lr=0.1 'layers=[1, 2]'
	expect_ok mlv log-param lr=0.2
	expect_ok mlv params show
	expect_out_is 'Path          Param   workspace
params.jsonl  layers     [1, 2]
params.jsonl  lr            0.2'
CASE

test_case "formats that cannot be read are refused with a reason" <<'CASE'
	new_repo project
	echo 'a = 1' >p.toml
	expect_status 1 mlv params show -- p.toml
	expect_err 'p.toml'
	expect_ok mlv params show
	expect_err 'no parameters here'
CASE

test_done
