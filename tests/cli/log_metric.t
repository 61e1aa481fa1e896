# SPDX-License-Identifier: Apache-2.0
# mlv log-metric, log-param, log-artifact, log-text: what a program calls while it runs.
. "$(dirname "$0")/lib.sh"

# As a run sets them.
begin_run()
{
	mkdir -p run
	export MLV_METRICS=$PWD/run/metrics.jsonl
}

test_case "log-metric writes a line to the run's log" <<'CASE'
	begin_run
	mkdir elsewhere
	cd elsewhere
	expect_ok mlv log-metric --step 10 loss=0.31 val.acc=0.9 val.f1=nan big=-inf n=3
	expect_silence
	expect_ok mlv log-metric loss=1e-3
	cd ..
	sed 's/"time": [0-9.]*/"time": T/' run/metrics.jsonl >lines
	expect_content lines '{"step": 10, "time": T, "loss": 0.31, "val": {"acc": 0.9, "f1": NaN}, "big": -Infinity, "n": 3}
{"time": T, "loss": 0.001}'
CASE

test_case "outside of a run the log is a file in the current folder" <<'CASE'
	expect_ok mlv log-metric loss=1
	expect_err "logging to 'metrics.jsonl'"
	expect_ok mlv log-metric loss=0.5
	expect_silence
	expect_ok mlv log-param lr=0.1 'l=[1, 2]' name=x empty=
	sed 's/"time": [0-9.]*/"time": T/' params.jsonl >lines
	expect_content lines '{"time": T, "lr": 0.1, "l": [1, 2], "name": "x", "empty": ""}'
	new_repo project
	mlv log-metric -q loss=0.25
	expect_ok mlv metrics show
	expect_out '0.25'
CASE

test_case "what is no name or number is refused, and nothing is written" <<'CASE'
	begin_run
	for word in loss =1 loss= loss=x step=1 time=1 a..b=1 .a=1; do
		expect_status 129 mlv log-metric ok=1 "$word"
	done
	expect_status 129 mlv log-metric
	expect_status 129 mlv log-metric --step x a=1
	expect_no_file run/metrics.jsonl
	expect_status 129 mlv log-param 'x=[1'
	export MLV_METRICS=$PWD/nowhere/metrics.jsonl
	expect_status 128 mlv log-metric a=1
	expect_err 'nowhere/metrics.jsonl'
CASE

test_case "many processes log to one file, and no line is lost or torn" <<'CASE'
	new_repo project
	begin_run
	for i in 1 2 3 4 5 6 7 8; do
		(for j in $(seq 25); do mlv log-metric --step "$j" "w$i=$j" "text.with.a.long.name=$j"; done) &
	done
	wait
	[ "$(wc -l <run/metrics.jsonl)" = 200 ]
	jq -es 'length == 200' run/metrics.jsonl
	expect_ok mlv metrics show --json -- run/metrics.jsonl
	expect_json '[.metrics[].values.workspace] | unique' '[25]'
CASE

test_case "a program writes the log by itself, and a torn last line is passed over" <<'CASE'
	new_repo project
	begin_run
	python3 - <<-'PROGRAM'
		import json, os
		log = open(os.environ["MLV_METRICS"], "a", buffering=1)
		for step in range(1000):
		    log.write(json.dumps({"step": step, "loss": 1 / (step + 1), "deep": {"nan": float("nan")}}) + "\n")
		log.write('{"loss": 5')
	PROGRAM
	expect_ok mlv metrics show -- run/metrics.jsonl
	expect_out '0.001'
	expect_out 'deep.nan'
	expect_no_err warning
	expect_ok mlv log-metric loss=7
	expect_status 1 mlv metrics show -- run/metrics.jsonl
	expect_out ' 7'
	expect_err 'run/metrics.jsonl:1001: no JSON object; 1 such line passed over'
CASE

test_case "log-artifact keeps files and folders as they are then" <<'CASE'
	begin_run
	mkdir -p plots/sub work
	echo one >plots/sub/a
	ln -s sub/a plots/link
	printf '#!/bin/sh\n' >plots/run
	chmod +x plots/run
	echo first >model
	expect_ok mlv log-artifact plots model
	echo second >model
	expect_content run/artifacts/model first
	expect_content run/artifacts/plots/sub/a one
	[ -x run/artifacts/plots/run ]
	[ "$(readlink run/artifacts/plots/link)" = sub/a ]
	cd work
	expect_ok mlv log-artifact ../model
	expect_content ../run/artifacts/model second
	expect_ok mlv log-artifact --name best/one.pt "$PWD/../model"
	expect_content ../run/artifacts/best/one.pt second
	jq -ce .path ../run/artifacts.jsonl >../paths
	expect_content ../paths '"plots"
"model"
"model"
"best/one.pt"'
	expect_status 128 mlv log-artifact nothing
	expect_status 129 mlv log-artifact --name ../out ../model
	expect_status 129 mlv log-artifact --name /etc/x ../model
	[ -z "$(find ../run -name '.tmp-*')" ]
CASE

test_case "log-artifact does not copy a run into itself" <<'CASE'
	begin_run
	echo x >file
	expect_ok mlv log-artifact --name all .
	expect_file run/artifacts/all/file
	expect_no_file run/artifacts/all/run/artifacts
CASE

test_case "log-text appends words or the standard input" <<'CASE'
	begin_run
	expect_ok mlv log-text notes first try
	printf 'from a pipe' >in
	run mlv log-text notes <in
	[ "$STATUS" = 0 ]
	expect_content run/texts/notes 'first try
from a pipe'
	expect_ok mlv log-text deep/er 'x'
	expect_file run/texts/deep/er
	expect_status 129 mlv log-text ../x y
	ln -s "$PWD" run/texts/out
	expect_status 128 mlv log-text out/x y
	expect_no_file x
CASE

test_case "what only a run can keep is refused outside of one" <<'CASE'
	echo x >file
	expect_status 128 mlv log-artifact file
	expect_err 'no run is under way'
	expect_status 128 mlv log-text notes x
	expect_err 'no run is under way'
CASE

test_done
