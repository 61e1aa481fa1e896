# SPDX-License-Identifier: Apache-2.0
# checkout of another version, with every system call failing in turn.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../fault/lib.sh"

prepare()
{
	new_repo project
	small_tree data 1
	gen_random 300000 2 model.bin
	echo one >params
	mlv add -q data model.bin
	git add params
	git commit -q -m "one"
	git tag v1
	mlv archive v1 | sha256sum >"$SCENE/notes/v1"
	gen_random 1500 4 data/part/1
	rm -r data/part/2 "data/empty folder" data/link
	mkdir data/link
	echo there >data/link/now
	gen_random 1000000 5 model.bin
	small_tree more 6
	echo two >params
	mlv add -q data model.bin more
	git add params
	git commit -q -m "two"
	git tag v2
	mlv archive v2 | sha256sum >"$SCENE/notes/v2"
	cp -a data model.bin more "$SCENE/notes"
	mlv checkout -q v1
	# The user's own: neither version has it, and no store.
	echo mine >data/part/mine
}

act()
{
	cd project
	mlv checkout v2
}

old()
{
	cd project
	mlv archive v1 | sha256sum | cmp - "$SCENE/notes/v1"
	mlv archive v2 | sha256sum | cmp - "$SCENE/notes/v2"
	[ "$(cat data/part/mine)" = mine ]
	# Only one that was killed leaves a temporary file, for an hour.
	[ "$STATUS" = 137 ] || [ -z "$(find . -name '.mlv-tmp-*')" ]
	# Each file has its old or its new bytes.
	cmp -s model.bin "$SCENE/notes/model.bin" || mlv cat v1:model.bin | cmp - model.bin
}

done_()
{
	cd project
	[ "$(git rev-parse HEAD)" = "$(git rev-parse v2)" ]
	[ "$(cat params)" = two ]
	[ "$(mlv status --short)" = " A data/part/mine" ]
	[ -z "$(git status --porcelain | grep -v -F .mlv-tmp-)" ]
	rm data/part/mine
	diff -r --no-dereference -x '.mlv-tmp-*' data "$SCENE/notes/data"
	echo mine >data/part/mine
	diff -r --no-dereference -x '.mlv-tmp-*' more "$SCENE/notes/more"
	cmp model.bin "$SCENE/notes/model.bin"
}

fault_cases "checkout"
test_done
