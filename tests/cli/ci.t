# SPDX-License-Identifier: Apache-2.0
# The jobs of mlv-ci(7): their shell steps are taken out of the page and run against a local repository and a directory
# remote. What a runner has and this place has not (gh, curl, sudo, apt-get, make) is played by scripts that note how
# they were called.
. "$(dirname "$0")/lib.sh"

PAGE=$TOP/man/mlv-ci.7

# The text of a job, without mdoc's escapes.
job()
{
	awk -v mark=".\\\\\" job: $1" '
		$0 == mark { wanted = 1; next }
		wanted && /^\.Bd / { inside = 1; next }
		inside && /^\.Ed/ { exit }
		inside
	' "$PAGE" | sed -e 's/^\\&//' -e 's/\\e/\\/g' -e 's/\\-/-/g'
}

# The commands of a workflow: each `run:` becomes a file steps/N-NAME, made as GitHub runs it.
github_steps()
{
	mkdir steps
	job github | awk '
		function indent(line) { match(line, /[^ ]/); return RSTART - 1 }
		block && NF && indent($0) <= depth { block = 0 }
		block { print substr($0, depth + 3) > file; next }
		/^ *- / { name = "" }
		/^ *- name: / { name = $3 }
		/^ *run: / {
			file = sprintf("steps/%02d-%s", ++count, name)
			text = $0
			sub(/^ *run: /, "", text)
			depth = indent($0)
			if (text == "|") block = 1
			else print text > file
		}
	'
}

# Those of a job of GitLab, a line each: gitlab_steps KEY...
gitlab_steps()
{
	local key
	for key in "$@"; do
		job gitlab | awk -v key="  $key:" '
			$0 == key { inside = 1; next }
			inside && /^  [a-z]/ { exit }
			!inside { next }
			/^    - >-$/ { folded = 1; line = ""; next }
			/^    - / { if (line != "") print line; line = ""; folded = 0; print substr($0, 7); next }
			folded { sub(/^ +/, ""); line = line (line == "" ? "" : " ") $0 }
			END { if (line != "") print line }
		'
	done
}

# Those of a Jenkinsfile.
jenkins_steps()
{
	job jenkins | awk -v q="'" '
		index($0, "sh " q q q) { block = 1; next }
		block && index($0, q q q) { block = 0; next }
		block { print; next }
		index($0, " sh " q) { sub(".* sh " q, ""); sub(q "$", ""); print }
	'
}

# played NAME: a program that notes its arguments and does nothing.
played()
{
	local name
	for name in "$@"; do
		printf '#!/bin/sh\nprintf "%s" >>"$CALLS"\nprintf " %%s" "$@" >>"$CALLS"\necho >>"$CALLS"\n' "$name" \
			>"$CASE/bin/$name"
		chmod +x "$CASE/bin/$name"
	done
}

# A repository with a pipeline, pushed with its data, and a branch that changes a parameter; a clone of that branch, as a
# runner has it, is the current folder.
prepare()
{
	export CALLS=$CASE/calls
	: >"$CALLS"
	git init -q --bare origin.git
	new_repo project
	git remote add origin ../origin.git
	mlv remote add -q origin "$CASE/work/store"
	seq 100 >data.csv
	mlv add -q data.csv
	printf 'rate: 0.5\n' >params.yaml
	cat >train.sh <<-'PROGRAM'
		rate=$(sed -n 's/^rate: //p' params.yaml)
		awk -v rate="$rate" '{ sum += $1 * rate } END { print sum }' data.csv >model.txt
		printf '{"acc": %s}\n' "$rate" >metrics.json
	PROGRAM
	cat >mlv.yaml <<-'YAML'
		stages:
		  train:
		    cmd: sh train.sh
		    deps: [train.sh, data.csv]
		    params: [rate]
		    outs: [model.txt]
		    metrics: [{metrics.json: {cache: false}}]
	YAML
	mlv repro -q
	commit_all "first"
	git push -q origin main
	git checkout -q -b faster
	sed -i 's/0.5/0.75/' params.yaml
	"${1:-repro}"
	commit_all "faster"
	git push -q origin faster
	mlv push -q --all
	git clone -q --branch faster ../origin.git ../runner
	# What the page builds mlv from.
	git init -q ../mlv-source
	touch ../mlv-source/Makefile
	git -C ../mlv-source add Makefile
	git -C ../mlv-source commit -q -m sources
	export MLV_URL=$CASE/work/mlv-source
	cd ../runner
}

repro()
{
	mlv repro -q
}

# Each step by itself, as GitHub does; after the first that fails those with `if: always()` alone.
run_github()
{
	local step failed=
	export RUNNER_TEMP=$CASE/temp GITHUB_BASE_REF=main GITHUB_STEP_SUMMARY=$CASE/summary PR=17 GH_TOKEN=token
	mkdir -p "$RUNNER_TEMP"
	(cd "$CASE" && github_steps)
	[ "$(ls "$CASE/steps" | tr '\n' ' ')" = \
		'01-Install 02-Pull 03-Reproduce 04-Verify 05-Report 06-Comment ' ] || fail "there are other steps"
	STATUS=0
	for step in "$CASE"/steps/*; do
		case $failed,$step in
		,* | *-Report | *-Comment) bash -e "$step" || failed=1 STATUS=$? ;;
		esac
	done
}

gitlab_environment()
{
	export CI_BUILDS_DIR=$CASE/builds AWS_WEB_IDENTITY_TOKEN_FILE=$CASE/token MLV_TOKEN=jwt
	export CI_MERGE_REQUEST_DIFF_BASE_SHA COMMENT_TOKEN=secret CI_API_V4_URL=https://gitlab.example.com/api/v4
	export CI_PROJECT_ID=5 CI_MERGE_REQUEST_IID=17
	CI_MERGE_REQUEST_DIFF_BASE_SHA=$(git merge-base origin/main HEAD)
	mkdir -p "$CI_BUILDS_DIR"
}

test_case "the steps for GitHub Actions pull, reproduce, verify and comment" <<'CASE'
	prepare
	played gh make sudo
	run_github
	[ $STATUS = 0 ] || fail "the job fails"
	grep -q 'testcase name="model.txt"' verify.xml
	grep -q 'failures="0"' verify.xml
	grep -q '0.5' report.md
	grep -q '0.75' report.md
	expect_same report.md "$GITHUB_STEP_SUMMARY"
	grep -q '^gh pr comment 17 --body-file report.md$' "$CALLS"
	grep -q "^sudo make -C $RUNNER_TEMP/mlv install$" "$CALLS"
	expect_file model.txt
	[ -z "$(git status --porcelain --untracked-files=no)" ]
CASE

test_case "a branch that was committed without repro fails there, and is commented on" <<'CASE'
	prepare true
	played gh make sudo
	run_github >"$CASE/said" 2>&1
	[ $STATUS = 1 ] || fail "the job ended with $STATUS"
	grep -q 'not reproduced: the parameters are not what the record was made with' "$CASE/said"
	grep -q '<failure message="' verify.xml
	grep -q '^gh pr comment 17' "$CALLS"
CASE

test_case "the script for GitLab CI does the same" <<'CASE'
	prepare
	played curl make apt-get
	gitlab_environment
	gitlab_steps before_script script >"$CASE/script"
	gitlab_steps after_script >"$CASE/after"
	[ "$(wc -l <"$CASE/script")" = 9 ] && [ "$(wc -l <"$CASE/after")" = 2 ] || fail "there are other lines"
	bash -e -o pipefail "$CASE/script"
	expect_content "$AWS_WEB_IDENTITY_TOKEN_FILE" jwt
	bash -e "$CASE/after"
	grep -q 'failures="0"' verify.xml
	grep -q '0.75' report.md
	grep -q '^curl .* body@report.md https://gitlab.example.com/api/v4/projects/5/merge_requests/17/notes$' "$CALLS"
	grep -q '^apt-get ' "$CALLS"
CASE

test_case "the steps of the Jenkinsfile do the same" <<'CASE'
	need_command jq
	prepare
	played curl
	export CHANGE_TARGET=main TOKEN=secret COMMENTS_URL=https://api.example.com/comments
	jenkins_steps >"$CASE/script"
	[ "$(wc -l <"$CASE/script")" = 6 ] || fail "there are other lines"
	sh -e "$CASE/script"
	grep -q 'failures="0"' verify.xml
	[ "$(jq -r .body comment.json)" = "$(cat report.md)" ]
	grep -q '^curl .* --data @comment.json https://api.example.com/comments$' "$CALLS"
CASE

test_case "the jobs are YAML that says what is meant" <<'CASE'
	new_repo project
	need_command python3
	python3 -c 'import yaml' || skip_case "needs python3-yaml"
	job github >github.yml
	job gitlab >gitlab.yml
	python3 - <<-'PROGRAM'
		import yaml
		github = yaml.safe_load(open("github.yml"))
		job = github["jobs"]["reproduce"]
		assert github["permissions"]["id-token"] == "write"
		assert [step["name"] for step in job["steps"] if "run" in step] == [
		    "Install", "Pull", "Reproduce", "Verify", "Report", "Comment"]
		gitlab = yaml.safe_load(open("gitlab.yml"))["reproduce"]
		assert all(isinstance(line, str) for key in ("before_script", "script", "after_script") for line in gitlab[key])
		assert gitlab["artifacts"]["reports"]["junit"] == "verify.xml"
	PROGRAM
CASE

test_done
