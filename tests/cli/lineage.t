# SPDX-License-Identifier: Apache-2.0
# mlv lineage: what data were made from, and what of them.
. "$(dirname "$0")/lib.sh"

# raw.csv and clean.py -> prepare -> prepared -> train (lr) -> model -> evaluate -> score.json
make_pipeline()
{
	new_repo project
	echo 'one' >raw.csv
	echo 'lr: 0.1' >params.yaml
	echo 'code' >clean.py
	cat >mlv.yaml <<-'YAML'
		stages:
		  prepare:
		    cmd: cat raw.csv clean.py > prepared
		    deps: [raw.csv, clean.py]
		    outs: [prepared]
		  train:
		    cmd: (cat prepared; grep lr params.yaml) > model
		    deps: [prepared]
		    params: [lr]
		    outs: [model]
		  evaluate:
		    cmd: wc -c < model > score.json
		    deps: [model]
		    metrics:
		      - score.json: {cache: false}
	YAML
	mlv add -q raw.csv
	git add -A
	mlv commit -q -m "the data"
	mlv repro -q
	git add -A
	mlv commit -q -m "trained"
}

id_of()
{
	sha256sum <"$1" | cut -c 1-12
}

test_case "lineage tells what a model was made from, back to its sources" <<'CASE'
	make_pipeline
	data=$(git rev-parse --short HEAD~1) trained=$(git rev-parse --short HEAD)
	when='2023-11-14 22:13:20 +0000  A Tester'
	expect_ok mlv lineage --up model
	expect_out_is "model  $(id_of model)
  made by train: (cat prepared; grep lr params.yaml) > model
    with lr=0.1
    commit $trained  $when  trained
    from prepared  $(id_of prepared)
      made by prepare: cat raw.csv clean.py > prepared
        commit $trained  $when  trained
        from clean.py  $(id_of clean.py)
          git's
          commit $data  $when  the data
        from raw.csv  $(id_of raw.csv)
          added
          commit $data  $when  the data"
CASE

test_case "lineage tells what was made of data" <<'CASE'
	make_pipeline
	trained=$(git rev-parse --short HEAD)
	when='2023-11-14 22:13:20 +0000  A Tester'
	expect_ok mlv lineage --down clean.py
	expect_out_is "clean.py  $(id_of clean.py)
  read by prepare: cat raw.csv clean.py > prepared
    commit $trained  $when  trained
    made prepared  $(id_of prepared)
      read by train: (cat prepared; grep lr params.yaml) > model
        with lr=0.1
        commit $trained  $when  trained
        made model  $(id_of model)
          read by evaluate: wc -c < model > score.json
            commit $trained  $when  trained
            made score.json  $(id_of score.json)"
	expect_ok mlv lineage --down --depth 1 clean.py
	expect_out 'read by stages beyond --depth'
	expect_no_out 'read by train'
	expect_ok mlv lineage --up --depth 1 model
	expect_out 'made by a stage beyond --depth'
	expect_ok mlv lineage score.json
	expect_out 'made by evaluate'
	expect_out 'made by prepare'
	expect_no_out 'read by'
CASE

test_case "lineage of another revision is what that one says" <<'CASE'
	make_pipeline
	old=$(id_of model)
	echo 'two' >>raw.csv
	mlv add -q raw.csv
	mlv repro -q
	git add -A
	mlv commit -q -m "more data"
	expect_ok mlv lineage --up HEAD~1:model
	expect_out "model  $old"
	expect_out 'trained'
	expect_no_out 'more data'
	expect_ok mlv lineage --up model
	expect_out "model  $(id_of model)"
	expect_out 'more data'
	expect_status 128 mlv lineage HEAD~1:nothing
	expect_err "there is nothing at 'nothing' in 'HEAD~1'"
CASE

test_case "data that changed since a stage ran are told so" <<'CASE'
	make_pipeline
	old=$(id_of raw.csv) data=$(git rev-parse --short HEAD~1)
	echo 'two' >>raw.csv
	mlv add -q raw.csv
	expect_ok mlv lineage raw.csv
	expect_out "raw.csv  $(id_of raw.csv)"
	expect_out 'added; no commit has this version'
	expect_out 'read by prepare, which ran with another version'
	# What the stage read is still what it read.
	expect_ok mlv lineage --up model
	expect_out "from raw.csv  $old"
	expect_out "commit $data"
	echo 'changed' >clean.py
	expect_ok mlv lineage --down clean.py
	expect_out 'read by prepare, which ran with another version'
CASE

test_case "what an earlier version was made from is found in the history" <<'CASE'
	make_pipeline
	old=$(id_of prepared)
	# The lock of prepare goes on, and that of train stays behind.
	echo 'two' >>raw.csv
	mlv add -q raw.csv
	mlv repro -q prepare
	git add -A
	mlv commit -q -m "prepared only"
	expect_ok mlv lineage --up model
	expect_out "from prepared  $old"
	expect_out 'made by prepare of another revision'
	expect_out 'the data'
CASE

test_case "a dependency that is gone is what a stage last read" <<'CASE'
	make_pipeline
	code=$(id_of clean.py)
	rm clean.py
	expect_ok mlv lineage --down clean.py
	expect_out "clean.py  $code"
	expect_out 'read by prepare: '
CASE

test_case "an id is found by its beginning, in the history too" <<'CASE'
	make_pipeline
	model=$(sha256sum <model | cut -c 1-64) raw=$(sha256sum <raw.csv | cut -c 1-64)
	expect_ok mlv lineage --up "sha256:$model"
	expect_out "model  ${model:0:12}"
	expect_out 'made by train'
	expect_ok mlv lineage --up "${model:0:6}"
	expect_out 'made by train'
	echo 'two' >>raw.csv
	mlv add -q raw.csv
	mlv repro -q
	git add -A
	mlv commit -q -m "more data"
	expect_ok mlv lineage "$model"
	expect_out 'made by train of another revision'
	expect_ok mlv lineage "$raw"
	expect_out 'read by prepare of another revision'
	expect_status 128 mlv lineage "sha256:0000000000"
	expect_err "has the id 'sha256:0000000000'"
	expect_status 128 mlv lineage nobody
	expect_err "'nobody' is no path, id, run or stage"
CASE

test_case "runs stand where they made or read something" <<'CASE'
	make_pipeline
	mlv run -q -n first -S lr=0.5 train
	mlv run -q -n second -S lr=0.7 train
	git checkout -q params.yaml
	mlv repro -q
	expect_ok mlv lineage --down prepared
	expect_out 'read by train: '
	[ "$(grep -c 'read by train of another revision' "$CASE/out")" = 2 ]
	expect_out 'run first'
	expect_out 'run second'
	expect_out 'with lr=0.7'
	expect_ok mlv lineage first
	expect_out 'run first'
	expect_out 'with lr=0.5'
	expect_no_out 'lr=0.7'
	expect_out 'from prepared'
	expect_ok mlv lineage first:model
	expect_out 'with lr=0.5'
	mlv run -q -n nothing -- true
	expect_status 128 mlv lineage nothing
	expect_err "the run 'nothing' made nothing"
CASE

test_case "a stage, a folder and a file in a tracked folder can be asked for" <<'CASE'
	new_repo project
	mkdir data
	gen_tree data/images 10 1
	mlv add -q data/images
	cat >mlv.yaml <<-'YAML'
		stages:
		  count:
		    cmd: ls data/images | wc -l > count.txt
		    deps: [data/images]
		    outs: [count.txt]
	YAML
	mlv repro -q
	git add -A
	mlv commit -q -m "counted"
	echo new >data/images/empty
	mlv add -q data/images
	mlv repro -q
	mlv commit -q -m "filled"
	filled=$(git rev-parse --short HEAD) counted=$(git rev-parse --short HEAD~1)
	expect_ok mlv lineage count
	expect_out 'count.txt'
	expect_out 'made by count'
	expect_ok mlv lineage data/images/empty
	expect_out "commit $filled"
	expect_out 'read by count'
	expect_ok mlv lineage data/images/run.sh
	expect_out "commit $counted"
	# A file in it is found by its id, too.
	expect_ok mlv lineage "$(sha256sum <data/images/run.sh | cut -c 1-20)"
	expect_out 'data/images/run.sh  '
	expect_out 'read by count'
	expect_ok mlv lineage data
	expect_out 'data/images  '
	cd data
	expect_ok mlv lineage images/run.sh
	expect_out 'data/images/run.sh'
CASE

test_case "what was imported says from where" <<'CASE'
	new_repo project
	echo 'from elsewhere' >"$CASE/source.csv"
	mlv import-url -q "$CASE/source.csv" data.csv
	mlv stage add -q -n copy -d data.csv -o copied 'cp data.csv copied'
	mlv repro -q
	git add -A
	mlv commit -q -m "imported"
	expect_ok mlv lineage copied
	expect_out "imported from "
	expect_out 'source.csv'
	expect_ok mlv lineage --json copied
	expect_json '.data[1].origin' '"imported"'
	expect_json '.data[1].import.url | endswith("source.csv")' true
CASE

test_case "lineage has forms for Graphviz, Markdown and programs" <<'CASE'
	make_pipeline
	a=$(id_of model) b=$(id_of prepared) c=$(id_of clean.py) d=$(id_of raw.csv)
	expect_ok mlv lineage --dot --up model
	expect_out_is "digraph {
  d0 [shape=box, label=\"model $a\"]
  d1 [shape=box, label=\"prepared $b\"]
  d2 [shape=box, label=\"clean.py $c\"]
  d3 [shape=box, label=\"raw.csv $d\"]
  s0 [label=\"train\"]
  s1 [label=\"prepare\"]
  s0 -> d0
  s1 -> d1
  d1 -> s0
  d2 -> s1
  d3 -> s1
}"
	expect_ok mlv lineage --mermaid --up --depth 1 model
	expect_out_is "flowchart TD
	d0[\"model $a\"]
	d1[\"prepared $b\"]
	s0([\"train\"])
	s0-->d0
	d1-->s0"
	expect_ok mlv lineage --json HEAD:model
	expect_json .rev '"HEAD"'
	expect_json '.subjects' '[0]'
	expect_json '.data[0].path' '"model"'
	expect_json '.data[0].origin' '"stage"'
	expect_json '[.stages[].stage]' '["train","prepare","evaluate"]'
	expect_json '.stages[0].params[0].value' 0.1
	expect_json '.stages[0].commits[0].subject' '"trained"'
	expect_json '[.data[] | select(.path == "raw.csv")][0].commit.subject' '"the data"'
	expect_json '[.data[] | select(.path == "raw.csv")][0].exact' true
	expect_json '.problems' '[]'
	expect_status 129 mlv lineage --json --dot model
	expect_status 129 mlv lineage
	expect_status 129 mlv lineage --depth 0 model
CASE

test_case "all branches are followed with --all" <<'CASE'
	make_pipeline
	git checkout -q -b other
	sed -i 's/0.1/0.9/' params.yaml
	mlv repro -q
	git add -A
	mlv commit -q -m "on a branch"
	mlv checkout -q main
	git checkout -q main 2>/dev/null || true
	expect_ok mlv lineage --down main:prepared
	expect_no_out 'lr=0.9'
	expect_ok mlv lineage --down --all main:prepared
	expect_out 'read by train of another revision'
	expect_out 'lr=0.9'
	expect_out 'on a branch'
	# Followed further.
	expect_out 'read by evaluate of another revision'
CASE

# block NAME LINES...: a block of a lock with its sum.
block()
{
	local text
	text=$(printf '  %s:\n' "$1"; shift; printf '    - %s\n' "$@")
	printf '%s\n    - sum: "%s"\n' "$text" "$(printf '%s\n' "$text" | sha256sum | cut -c 1-16)"
}

test_case "locks that no stage wrote are reported, not followed for ever" <<'CASE'
	make_pipeline
	id=sha256:$(printf 1%.0s $(seq 64))
	{
		printf 'version: 1\nstages:\n'
		block a 'cmd: "a"' "dep: {\"path\": \"y\", \"id\": \"$id\", \"size\": 1}" \
			"out: {\"path\": \"x\", \"id\": \"$id\", \"size\": 1}"
		block b 'cmd: "b"' "dep: {\"path\": \"x\", \"id\": \"$id\", \"size\": 1}" \
			"out: {\"path\": \"y\", \"id\": \"$id\", \"size\": 1}"
		printf '  c:\n    - cmd: "c"\n    - out: {"path": "z", "id": "%s", "size": 1}\n    - sum: "0000000000000000"\n' "$id"
		printf '  d:\n    - out: {"path": 7}\n'
	} >mlv.lock
	leave_damaged
	expect_ok mlv lineage x
	expect_out 'made by a'
	expect_out 'made by b'
	expect_out '(above)'
	expect_err "the block of the stage 'c' is no whole"
	expect_err 'expected an entry'
	printf 'version: 2\n' >mlv.lock
	expect_ok mlv lineage raw.csv
	expect_err 'version'
	# Ours of a conflict.
	git checkout -q mlv.lock
	{
		printf '<<<<<<< HEAD\n'
		cat mlv.lock
		printf '=======\nversion: 1\n>>>>>>> other\n'
	} >new.lock
	mv new.lock mlv.lock
	expect_ok mlv lineage --up model
	expect_err 'conflict markers'
CASE

test_case "control characters in names do not reach the terminal" <<'CASE'
	new_repo project
	printf 'x' >"$(printf 'raw\033[31m.csv')"
	mlv add -q "$(printf 'raw\033[31m.csv')"
	expect_ok mlv lineage "$(printf 'raw\033[31m.csv')"
	! grep -q "$(printf '\033')" "$CASE/out"
	expect_ok mlv lineage --dot "$(printf 'raw\033[31m.csv')"
	! grep -q "$(printf '\033')" "$CASE/out"
CASE

test_case "lineage works before the first commit, and outside of a pipeline" <<'CASE'
	git init -q project
	cd project
	mlv init -q
	echo x >data.csv
	mlv add -q data.csv
	expect_ok mlv lineage data.csv
	expect_out 'added; no commit has this version'
	expect_status 128 mlv lineage HEAD:data.csv
CASE

test_done
