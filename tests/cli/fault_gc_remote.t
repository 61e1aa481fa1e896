# SPDX-License-Identifier: Apache-2.0
# gc --remote --grace 0 on a directory, with every system call failing in turn.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../fault/lib.sh"

# The remote has data of two clones, and what this one has pushed and thrown away.
prepare()
{
	new_repo project
	mlv remote add origin "$SCENE/run/remote"
	small_tree data 1
	gen_random 300000 2 model.bin
	mlv add -q data model.bin
	commit_all "one"
	git clone -q "$SCENE/run/project" ../other
	mlv push -q
	(
		cd ../other
		mlv pull -q
		gen_random 300000 3 theirs.bin
		mlv add -q theirs.bin
		git commit -q -m "theirs"
		mlv push -q
		mlv archive HEAD | sha256sum >"$SCENE/notes/theirs"
	)
	gen_random 500000 4 model.bin
	head -c 250000 model.bin >half.bin
	small_tree gone 5
	mlv add -q model.bin half.bin gone
	git commit -q -m "thrown away"
	mlv push -q
	git reset -q --hard HEAD~1
	git reflog expire --expire=now --all
	mv half.bin kept.bin
	rm -r gone
	mlv add -q kept.bin
	git checkout -q -- model.bin.mlv
	mlv checkout -q --force
	git commit -q -m "two"
	mlv push -q
	mlv archive HEAD | sha256sum >"$SCENE/notes/two"
	# There is something to drop, and something to copy out of what is dropped.
	mlv gc -n --remote --grace 0 --json >"$SCENE/notes/plan"
	[ "$(jq '.packs_deleted > 0 and .packs_rewritten > 0' "$SCENE/notes/plan")" = true ]
}

act()
{
	cd project
	mlv gc --remote --grace 0
}

# reads REPOSITORY NOTE: a store that has nothing gets all of it from the remote.
reads()
{
	rm -rf "$SCENE/fresh"
	git clone -q "$1" "$SCENE/fresh"
	cd "$SCENE/fresh"
	mlv pull -q
	mlv archive HEAD | sha256sum | cmp - "$SCENE/notes/$2"
}

old()
{
	(reads "$SCENE/run/other" theirs)
	(reads "$SCENE/run/project" two)
}

done_()
{
	cd project
	# What a killed one had begun to copy may be dropped only by the run after the next.
	[ "$STATUS" = 0 ] || mlv gc -q --remote --grace 0
	[ "$(mlv gc -n --remote --grace 0 --json | jq -c '[.packs_deleted, .packs_rewritten]')" = "[0,0]" ]
	mlv verify -q --remote
}

fault_cases "gc --remote"
test_done
