# SPDX-License-Identifier: Apache-2.0
# repro --verify in a clone without data, with every system call failing in turn.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../fault/lib.sh"

prepare()
{
	new_repo project
	mlv remote add -q origin "$SCENE/run/remote"
	small_tree data 1
	cat >mlv.yaml <<-'YAML'
		stages:
		  copy: {cmd: cp -r data/part copy, deps: [data], outs: [copy]}
		  sum: {cmd: 'cat copy/* > sum; echo "{\"n\": 4}" > n.json', deps: [copy], outs: [sum], metrics: [n.json]}
	YAML
	mlv add -q data
	mlv repro -q
	commit_all "one"
	mlv push -q
	git clone -q "$SCENE/run/project" ../clone
	rm -rf ../project
	cd ../clone
	state >"$SCENE/notes/state"
}

# What of the repository is the user's.
state()
{
	git status --porcelain
	git ls-files -s
	git for-each-ref
	git rev-parse HEAD
	sha256sum mlv.lock .git/config
	find . -path ./.git -prune -o -type f -print | sort
}

act()
{
	cd clone
	mlv repro --verify
}

old()
{
	cd clone
	state | cmp - "$SCENE/notes/state"
}

done_()
{
	old
	# What could not be removed, the next one removes.
	mlv runs list >/dev/null
	git worktree prune
	[ -z "$(ls .git/mlv/running)" ]
	[ "$(git worktree list | wc -l)" = 1 ]
	[ ! -e .git/mlv/logs ]
}

fault_cases "repro --verify"
test_done
