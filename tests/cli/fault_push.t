# SPDX-License-Identifier: Apache-2.0
# push to a directory, with every system call failing in turn, here and on the remote.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../fault/lib.sh"

# The remote has data of two clones before.
prepare()
{
	new_repo project
	mlv remote add origin "$SCENE/run/remote"
	small_tree data 1
	gen_random 300000 2 model.bin
	mlv add -q data model.bin
	commit_all "one"
	git tag v1
	mlv push -q
	git clone -q "$SCENE/run/project" ../other
	(
		cd ../other
		mlv pull -q
		gen_random 300000 3 theirs.bin
		mlv add -q theirs.bin
		git commit -q -m "theirs"
		mlv push -q
		mlv archive HEAD | sha256sum >"$SCENE/notes/theirs"
	)
	mlv archive v1 | sha256sum >"$SCENE/notes/archive"
	gen_random 1500 4 data/part/1
	gen_random 1000000 5 model.bin
	small_tree more 6
	mlv add -q data model.bin more
	git commit -q -m "two"
	mlv archive HEAD | sha256sum >"$SCENE/notes/two"
}

act()
{
	cd project
	mlv push
}

# reads REPOSITORY REV NOTE: a store that has nothing gets all of it from the remote.
reads()
{
	rm -rf "$SCENE/fresh"
	git clone -q "$1" "$SCENE/fresh"
	cd "$SCENE/fresh"
	git checkout -q "$2"
	mlv pull -q
	mlv archive HEAD | sha256sum | cmp - "$SCENE/notes/$3"
	mlv fsck -q
}

old()
{
	(reads "$SCENE/run/other" HEAD theirs)
	cd project
	mlv archive v1 | sha256sum | cmp - "$SCENE/notes/archive"
	mlv archive HEAD | sha256sum | cmp - "$SCENE/notes/two"
	mlv verify -q --remote v1
}

done_()
{
	(reads "$SCENE/run/project" HEAD two)
	cd project
	mlv verify -q --remote
}

fault_cases "push"
test_done
