# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"

test_case "stage add writes what its options say, and repro runs it" <<'CASE'
	new_repo project
	echo 'lr: 0.1' >params.yaml
	echo 1 >in.txt
	expect_ok mlv stage add -n train -d in.txt -p lr -o model.txt -M metrics.json --desc "a model" \
		sh -c 'cat in.txt > model.txt; echo {} > metrics.json'
	expect_err "added the stage 'train' to 'mlv.yaml'"
	expect_content mlv.yaml "stages:
  train:
    desc: a model
    cmd: sh -c 'cat in.txt > model.txt; echo {} > metrics.json'
    deps:
      - in.txt
    params:
      - lr
    outs:
      - model.txt
    metrics:
      - metrics.json:
          cache: false"
	mlv repro -q
	expect_file model.txt
	expect_status 128 mlv stage add -n train -o other.txt true
	expect_err "'mlv.yaml' has a stage 'train'; -f replaces it"
	expect_ok mlv stage add -f --run -n train -o other.txt 'echo x > other.txt'
	expect_content other.txt x
	expect_status 128 mlv stage add -n again -o other.txt true
	expect_err "other.txt"
	expect_status 129 mlv stage add -o x true
	expect_status 129 mlv stage add -n 'a/b' -o x true
	mkdir sub
	(cd sub && mlv stage add -q -n inner -w .. -d in.txt --outs-persist keep --plots roc.csv \
		-p other.json:a,b -p all.yaml: --always-changed 'touch keep roc.csv')
	expect_ok mlv stage show sub/mlv.yaml:inner
	expect_out "wdir: .."
	expect_out "persist: true"
	expect_out "always_changed: true"
	expect_file sub/mlv.yaml
CASE

test_case "stages are changed where they stand, and nothing else is" <<'CASE'
	new_repo project
	cat >mlv.yaml <<-'YAML'
		# a pipeline
		stages:
		  # the first
		  one: {cmd: echo 1 > one, outs: [one]}   # done
		  each:
		    foreach: [a, b]
		    do:
		      cmd: echo ${item} > ${item}
		      outs: ["${item}"]

		  grid:
		    matrix: {x: [1, 2]}
		    cmd: echo ${item.x} > g${item.x}
		    outs: ["g${item.x}"]
	YAML
	cp mlv.yaml ../before
	mlv repro -q
	expect_ok mlv stage freeze one each grid
	[ "$(grep -c 'frozen: true' mlv.yaml)" = 3 ]
	grep -q '# done' mlv.yaml
	expect_ok mlv repro -n -f
	expect_no_out "would run"
	mlv stage unfreeze one each grid
	expect_same mlv.yaml ../before
	expect_status 129 mlv stage freeze each@a
	expect_err "only as a whole: 'each'" || expect_err "one of a group"
	expect_status 128 mlv stage freeze nothing
	expect_ok mlv stage rm one
	! grep -q 'one:' mlv.yaml
	! grep -q 'one:' mlv.lock
	! grep -qx /one .gitignore
	expect_file one
	expect_ok mlv stage rm --outs each
	expect_no_file a
	grep -q 'grid:' mlv.yaml
	grep -q '# a pipeline' mlv.yaml
	expect_ok mlv repro
	expect_err "nothing to do"
	git status --short >../status
	! grep -q ' a$' ../status
CASE

test_case "stages are listed and shown with nothing left to expand" <<'CASE'
	new_repo project
	mkdir sub
	cat >mlv.yaml <<-'YAML'
		vars: [{n: 3}]
		stages:
		  prep: {cmd: 'echo ${n} > p', outs: [p], desc: prepares}
		  each: {foreach: [a, b], do: {cmd: 'cp p ${item}', deps: [p], outs: ['${item}']}}
	YAML
	echo 'stages: {s: {cmd: echo > x, outs: [x]}}' >sub/mlv.yaml
	expect_ok mlv stage list
	expect_out_is "prep    prepares
each@a  a
each@b  b"
	expect_ok mlv stage list --all --name-only
	expect_out "sub/mlv.yaml:s"
	expect_ok mlv stage show prep
	expect_out "cmd: echo 3 > p"
	expect_ok mlv stage list --json
	expect_json '.stages | map(.stage)' '["prep","each@a","each@b"]'
	expect_json '.stages[1].deps[0].path' '"p"'
	expect_status 128 mlv stage log prep
	expect_err "there is no log of 'prep'"
	sed -i 's/echo ${n} > p/echo ${n} | tee p/' mlv.yaml
	mlv repro -q
	expect_ok mlv stage log prep
	expect_out_is 3
CASE

test_done
