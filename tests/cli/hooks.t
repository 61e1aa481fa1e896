# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"

# With MLV first on the PATH under its own name, as the hooks call it.
hooked()
{
	git init -q --bare origin.git
	new_repo project
	git remote add origin ../origin.git
	mkdir data
	for i in 1 2 3; do echo "file $i" >"data/$i"; done
	mlv add -q data
	mlv remote add origin ../store
	commit_all one
	expect_ok mlv hooks install
}

test_case "a commit with changed and unadded data is refused" <<'CASE'
	hooked
	echo changed >data/1
	expect_status 1 git commit --allow-empty -m x
	expect_err "data/1 was changed and not added"
	mlv add -q data
	expect_ok git commit -m x
CASE

test_case "a large file about to go to git is refused" <<'CASE'
	hooked
	git config mlv.maxGitFile 1k
	gen_random 2000 1 large
	git add large
	expect_status 1 git commit -m large
	expect_err "git rm --cached large"
	git config mlv.maxGitFile 10k
	expect_ok git commit -m large
CASE

test_case "data follow git checkout, and unsaved data stay" <<'CASE'
	hooked
	git checkout -q -b side
	echo side >data/1
	echo more >extra
	mlv add -q data extra
	git commit -qm side
	expect_ok git checkout main
	expect_content data/1 "file 1"
	expect_no_file extra
	expect_ok git checkout side
	expect_content data/1 side
	expect_content extra more
	echo unsaved >data/2
	run git checkout main
	expect_content data/2 unsaved
	expect_err data/2
	mlv checkout -q --force
CASE

test_case "data go before the commits, and a push that cannot send them is stopped" <<'CASE'
	hooked
	expect_ok git push origin main
	expect_ok mlv verify --remote
	echo two >data/2
	mlv commit -q -a -m two
	mv ../store ../gone
	touch ../store
	expect_status 1 git push origin main
	rm ../store
	mv ../gone ../store
	expect_ok git push origin main
	expect_ok mlv verify --remote
CASE

test_case "two versions of a directory are merged file by file" <<'CASE'
	hooked
	git checkout -q -b side
	echo side >data/1
	echo new >data/new
	mlv commit -q -a -m side
	git checkout -q main
	echo main >data/2
	mlv commit -q -a -m main
	expect_ok git merge -m merged side
	expect_content data/1 side
	expect_content data/2 main
	expect_content data/new new
	expect_ok mlv status
	expect_out "nothing changed"
CASE

test_case "a conflict leaves both versions, and the pointer unmerged until add" <<'CASE'
	hooked
	git checkout -q -b side
	echo theirs >data/1
	mlv commit -q -a -m side
	git checkout -q main
	echo ours >data/1
	mlv commit -q -a -m main
	expect_status 1 git merge side
	expect_content data/1 ours
	expect_content data/1.theirs theirs
	run git status --porcelain
	expect_out "UU data.mlv"
	rm data/1.theirs
	expect_ok mlv add data
	expect_ok mlv commit -m merged
	expect_content data/1 ours
CASE

test_case "hooks that exist are run first, and come back" <<'CASE'
	new_repo project
	printf '#!/bin/sh\necho earlier >>"%s"\n' "$CASE/earlier" >.git/hooks/pre-commit
	chmod +x .git/hooks/pre-commit
	cp .git/hooks/pre-commit "$CASE/before"
	expect_ok mlv hooks install
	expect_ok mlv hooks
	expect_out chained
	git commit -q --allow-empty -m x
	expect_content "$CASE/earlier" earlier
	expect_ok mlv hooks install
	expect_ok mlv hooks uninstall
	expect_same .git/hooks/pre-commit "$CASE/before"
	expect_ok mlv hooks --json
	expect_json .drivers '"absent"'
CASE

test_case "core.hooksPath is honoured" <<'CASE'
	new_repo project
	mkdir .githooks
	git config core.hooksPath .githooks
	expect_ok mlv hooks install
	expect_file .githooks/pre-commit
	expect_no_file .git/hooks/pre-commit
CASE

test_case "git diff shows files, not pointer lines" <<'CASE'
	hooked
	echo more >data/new
	mlv add -q data
	expect_ok git diff --cached
	expect_out "A data/new"
CASE

test_case "the pre-commit framework runs the same hooks" <<'CASE'
	need_command pre-commit
	new_repo project
	mkdir "$CASE/hooks"
	cp "$TOP/.pre-commit-hooks.yaml" "$CASE/hooks/"
	git -C "$CASE/hooks" init -q
	git -C "$CASE/hooks" add -A
	git -C "$CASE/hooks" commit -qm hooks
	cat >.pre-commit-config.yaml <<YAML
repos:
- repo: $CASE/hooks
  rev: $(git -C "$CASE/hooks" rev-parse HEAD)
  hooks:
  - id: mlv-pre-commit
YAML
	git add .pre-commit-config.yaml
	git commit -qm config
	pre-commit install >/dev/null
	echo 1 >data
	mlv add -q data
	git commit -qm data
	echo 2 >data
	expect_status 1 git commit --allow-empty -m x
	mlv add -q data
	expect_ok git commit -m x
	rm -rf "$CASE/hooks"
CASE

test_case "configuration is read and written, and a committed file cannot set what is dangerous" <<'CASE'
	new_repo project
	expect_ok mlv config jobs 3
	[ "$(git config mlv.jobs)" = 3 ] || fail "not in git's configuration"
	expect_ok mlv config jobs
	expect_out_is 3
	expect_ok mlv config --unset jobs
	expect_status 1 mlv config jobs
	expect_status 129 mlv config --shared store /tmp/x
	git config -f .mlvconfig mlv.store "$CASE/stolen"
	echo 1 >data
	expect_ok mlv add data
	expect_no_file "$CASE/stolen"
	expect_err "mlv.store"
	git config -f .mlvconfig --unset mlv.store
CASE

test_case "values that make no sense are refused, and ignored with a warning where they are committed" <<'CASE'
	new_repo project
	echo 1 >data
	mlv add -q data
	for setting in jobs=-1 jobs=1025 jobs=99999999999999999999 jobs=many compression=20 maxGitFile=-5 \
		compression=; do
		expect_status 129 mlv config "${setting%%=*}" "${setting#*=}"
		git config -f .mlvconfig "mlv.${setting%%=*}" "${setting#*=}"
		echo "$setting" >data
		expect_ok mlv add data
		expect_err ".mlvconfig:"
		expect_err "mlv.$(echo "${setting%%=*}" | tr A-Z a-z)' is ignored"
		expect_ok mlv status
		expect_ok mlv config --list
		expect_no_out "${setting%%=*}=${setting#*=}"
		git config -f .mlvconfig --unset "mlv.${setting%%=*}"
	done
	git config -f .mlvconfig mlv-remote.origin.url ../store
	git config -f .mlvconfig mlv-remote.origin.connections 5000
	git config -f .mlvconfig mlv-remote.origin.timeout soon
	expect_ok mlv status
	git commit -qm one
	expect_ok mlv push
	expect_err "connections' is ignored"
	# one's own are an error where they are used
	git config mlv.jobs many
	expect_status 128 mlv add data
	expect_err "'mlv.jobs' in this repository's git configuration is 'many'"
	expect_ok mlv ls
	git config mlv.jobs 1024
	expect_ok mlv add data
	git config --unset mlv.jobs
CASE

test_case "data follow a rebase" <<'CASE'
	hooked
	git checkout -q -b side
	echo side >data/side
	mlv commit -q -a -m side
	echo side >data/1
	mlv commit -q -a -m "side again"
	git checkout -q main
	echo main >data/main
	mlv commit -q -a -m main
	git checkout -q side
	expect_ok git rebase -q main
	expect_content data/side side
	expect_content data/1 side
	expect_content data/main main
	expect_ok mlv status --exit-code
CASE

test_case "unsaved data of what git does not move are carried along" <<'CASE'
	hooked
	echo 1 >other
	mlv add -q other
	git commit -q -m other
	echo unsaved >data/1
	expect_ok git checkout -q -b side
	expect_content data/1 unsaved
	git stash -q
	echo 2 >other
	mlv add -q other
	git commit -q --no-verify -m "another"
	expect_ok git checkout -q main
	expect_content other 1
	expect_content data/1 unsaved
	echo unsaved >other
	expect_status 1 git checkout -q side
	expect_err "unsaved data is in the way: 'other'"
	expect_content other unsaved
CASE

test_case "names that are too long for a suffix get names of their own in a conflict" <<'CASE'
	hooked
	long=$(printf 'n%.0s' $(seq 254))
	echo base | tee "data/${long}1" >"data/${long}2"
	mlv commit -q -a -m long
	git checkout -q -b side
	echo theirs | tee "data/${long}1" >"data/${long}2"
	mlv commit -q -a -m side
	git checkout -q main
	echo ours | tee "data/${long}1" >"data/${long}2"
	mlv commit -q -a -m main
	expect_status 1 git merge side
	[ "$(cat data/*.theirs data/*.theirs-2)" = "theirs
theirs" ] || fail "both versions of theirs are not there"
	expect_content "data/${long}1" ours
	expect_content "data/${long}2" ours
	mlv add -q data
CASE

test_case "a change of content and one of the executable bit are merged" <<'CASE'
	hooked
	git checkout -q -b side
	chmod +x data/1
	mlv commit -q -a -m side
	git checkout -q main
	echo main >data/1
	mlv commit -q -a -m main
	expect_ok git merge -q -m merged side
	expect_content data/1 main
	[ -x data/1 ] || fail "the executable bit is lost"
CASE

test_case "files are merged one by one whatever becomes of their directories" <<'CASE'
	hooked
	mkdir data/both data/file data/turned
	echo 1 | tee data/both/1 data/both/2 data/turned/1 >data/file/1
	mlv commit -q -a -m base
	git checkout -q -b side
	rm data/both/1
	rm -r data/turned
	echo theirs >data/turned
	echo 2 >data/file/2
	mlv commit -q -a -m side
	git checkout -q main
	rm -r data/both data/file
	echo ours >data/file
	mlv commit -q -a -m main
	expect_status 1 git merge -q side
	expect_err "both sides changed data/file; theirs is kept as file.theirs"
	expect_no_err "data/both"
	expect_no_file data/both
	expect_content data/turned theirs
	expect_content data/file ours
	expect_content data/file.theirs/2 2
	mlv add -q data
CASE

test_case "branches that track data in one folder merge without a conflict" <<'CASE'
	new_repo project
	mlv hooks install
	echo 1 >one
	mlv add -q one
	commit_all "one"
	git checkout -q -b side
	echo 2 >two
	mlv add -q two
	mlv commit -q -m "two"
	git checkout -q -
	echo 3 >three
	mlv add -q three
	mlv commit -q -m "three"
	git merge -q -m "both" side
	for name in one two three; do
		grep -qx "/$name" .gitignore
	done
	expect_content two 2
	[ -z "$(git status --porcelain)" ]
	mlv hooks uninstall
	[ ! -e .git/info/attributes ] || ! grep -q "union\|mlv" .git/info/attributes
CASE

test_done
