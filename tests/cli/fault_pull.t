# SPDX-License-Identifier: Apache-2.0
# pull from a directory, with every system call failing in turn: fetching and checking out.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../fault/lib.sh"

prepare()
{
	new_repo project
	mlv remote add origin "$SCENE/run/remote"
	small_tree data 1
	gen_random 300000 2 model.bin
	mlv add -q data model.bin
	commit_all "one"
	mlv push -q
	git clone -q "$SCENE/run/project" ../clone
	(
		cd ../clone
		mlv pull -q
		mlv archive HEAD | sha256sum >"$SCENE/notes/one"
		git tag v1
		# Of the user's own, in the way of nothing.
		echo mine >data/part/mine
	)
	gen_random 1500 4 data/part/1
	rm data/part/2
	gen_random 1000000 5 model.bin
	small_tree more 6
	mlv add -q data model.bin more
	git commit -q -m "two"
	mlv push -q
	mlv archive HEAD | sha256sum >"$SCENE/notes/two"
	cd ../clone
	git pull -q
}

act()
{
	cd clone
	mlv pull
}

old()
{
	cd clone
	mlv archive v1 | sha256sum | cmp - "$SCENE/notes/one"
	[ "$(cat data/part/mine)" = mine ]
	# Only one that was killed leaves a temporary file, for an hour.
	[ "$STATUS" = 137 ] || [ -z "$(find . -name '.mlv-tmp-*')" ]
	# Nothing half written: each file has its old or its new bytes.
	cmp -s model.bin ../project/model.bin || {
		mlv cat v1:model.bin >"$SCENE/notes/model.bin"
		cmp "$SCENE/notes/model.bin" model.bin
	}
}

done_()
{
	cd clone
	mlv archive HEAD | sha256sum | cmp - "$SCENE/notes/two"
	# What was here before is known by the stat cache alone: without it, what went stays as new.
	! grep -q /statcache "$CASE/fired" 2>/dev/null || rm -f data/part/2
	[ "$(mlv status --short)" = " A data/part/mine" ]
	rm data/part/mine
	diff -r -x '.mlv-tmp-*' data ../project/data
	echo mine >data/part/mine
	diff -r -x '.mlv-tmp-*' more ../project/more
	cmp model.bin ../project/model.bin
}

fault_cases "pull"
test_done
