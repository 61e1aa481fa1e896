# SPDX-License-Identifier: Apache-2.0
# add, with every system call failing in turn.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../fault/lib.sh"

prepare()
{
	new_repo project
	small_tree data 1
	gen_random 600000 2 old.bin
	mlv add -q data old.bin
	commit_all "one"
	mlv archive HEAD | sha256sum >"$SCENE/notes/archive"
	# What is added anew: an edited directory, another small one, a file of many chunks.
	gen_random 5000 3 data/part/1
	gen_random 3000 4 data/new
	rm data/part/2
	mkdir more
	for i in 1 2 3; do echo "$i" >"more/$i"; done
	gen_random 3000000 5 model.bin
	echo "more" >>old.bin
}

act()
{
	cd project
	mlv add data model.bin more old.bin
}

old()
{
	cd project
	mlv archive HEAD | sha256sum | cmp - "$SCENE/notes/archive"
	# What could not be read is not taken for deleted.
	[ -e data.mlv ]
	[ -e old.bin.mlv ]
	git ls-files --error-unmatch data.mlv old.bin.mlv
}

done_()
{
	cd project
	[ -z "$(git diff --name-only)" ]
	[ "$(git diff --cached --name-only | tr '\n' ' ')" = ".gitignore data.mlv model.bin.mlv more.mlv old.bin.mlv " ]
	mlv cat :model.bin :data/new :more/3 :old.bin | cmp - <(cat model.bin data/new more/3 old.bin)
	mlv status --short >"$CASE/status"
	! grep -v '^[AMD]  ' "$CASE/status"
}

fault_cases "add"
test_done
