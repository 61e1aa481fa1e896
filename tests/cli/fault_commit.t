# SPDX-License-Identifier: Apache-2.0
# commit -a, with every system call failing in turn: what it adds and what git is told.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../fault/lib.sh"

prepare()
{
	new_repo project
	small_tree data 1
	gen_random 400000 2 model.bin
	echo "lr: 1" >params.yaml
	mlv add -q data model.bin
	commit_all "one"
	git tag v1
	mlv archive v1 | sha256sum >"$SCENE/notes/archive"
	gen_random 1500 3 data/part/1
	echo more >>model.bin
	echo "lr: 2" >params.yaml
}

act()
{
	cd project
	# A second commit has nothing to commit where the first try was killed after it was made.
	[ "$(git log -1 --format=%s)" = two ] || mlv commit -q -a -m two
}

old()
{
	cd project
	mlv archive v1 | sha256sum | cmp - "$SCENE/notes/archive"
	git fsck --no-dangling --no-progress
	git log --oneline >/dev/null
	git ls-files --error-unmatch data.mlv model.bin.mlv
}

done_()
{
	cd project
	[ "$(git log -1 --format=%s)" = two ]
	[ "$(git rev-list --count v1..HEAD)" = 1 ]
	mlv cat HEAD:model.bin HEAD:data/part/1 | cmp - <(cat model.bin data/part/1)
	git show HEAD:params.yaml | cmp - params.yaml
}

fault_cases "commit"
test_done
