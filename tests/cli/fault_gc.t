# SPDX-License-Identifier: Apache-2.0
# gc --grace 0, with every system call failing in turn: what is reached is never dropped.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../fault/lib.sh"

# Everything that reaches data, each by itself: a branch, a tag, a stash, a reflog, a second work
# tree, git's index, a pointer that is nowhere but in the work tree.
prepare()
{
	new_repo project
	small_tree data 1
	gen_random 300000 2 on_branch
	gen_random 300000 3 on_tag
	mlv add -q data on_branch
	git commit -q -m "one"
	git branch kept
	mlv add -q on_tag
	git commit -q -m "two"
	git tag -a -m "tagged" v1
	git reset -q --hard HEAD~1
	gen_random 2000 4 only_in_reflog
	mlv add -q only_in_reflog
	git commit -q -m "three"
	git rev-parse HEAD >"$SCENE/notes/lost"
	git reset -q --hard HEAD~1
	gen_random 2000 5 stashed
	mlv add -q stashed
	git stash -q
	git worktree add -q ../second kept
	(
		cd ../second
		gen_random 2000 6 staged_there
		mlv add -q staged_there
	)
	gen_random 2000 7 staged
	gen_random 2000 8 pointer_only
	mlv add -q staged pointer_only
	git rm -q --cached pointer_only.mlv
	# And what nothing reaches, in packs that are half dead.
	gen_random 400000 9 gone
	small_tree half 10
	gen_random 200000 11 beside
	mlv add -q gone half beside
	git rm -q -f --cached gone.mlv half.mlv
	rm gone.mlv half.mlv
	gen_random 1600 101 part/1
	mlv add -q part
	everything | sha256sum >"$SCENE/notes/everything"
	# Of the files themselves nothing is left to read.
	rm -r on_branch on_tag only_in_reflog stashed staged pointer_only part beside ../second/staged_there
}

act()
{
	cd project
	mlv gc --grace 0
}

everything()
{
	mlv cat kept:on_branch v1:on_tag "$(cat "$SCENE/notes/lost"):only_in_reflog" stash:stashed :staged \
		:part/1 :beside
	cp .git/index "$SCENE/index"
	GIT_INDEX_FILE=$SCENE/index git add pointer_only.mlv
	GIT_INDEX_FILE=$SCENE/index mlv cat :pointer_only
	cd ../second
	mlv cat :staged_there
}

old()
{
	cd project
	everything | sha256sum | cmp - "$SCENE/notes/everything"
}

done_()
{
	cd project
	[ "$(mlv gc -n --grace 0 --json | jq .bytes)" = 0 ]
}

fault_cases "gc"
test_done
