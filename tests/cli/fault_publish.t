# SPDX-License-Identifier: Apache-2.0
# A push to a remote that is published, and then gc of it, with every system call failing in turn: who
# reads by the list always reads.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../fault/lib.sh"

prepare()
{
	new_repo project
	small_tree data 1
	mlv remote add origin ../store --publish true
	mlv add -q data
	commit_all "one"
	mlv push -q
	git rm -q data.mlv
	git commit -q --amend -m "none"
	git reflog expire --expire=now --all
	gen_random 3000 2 other
	mlv add -q other
	commit_all "two"
}

act()
{
	cd project
	mlv push && mlv gc --remote --grace 0
}

# What the list names is there, but for indexes that one of them supersedes; mlv itself says which.
listed()
{
	local name
	while read -r name _; do
		[ -e "../store/$name" ] || echo "$name"
	done < <(grep ^live/i ../store/live/list)
}

old()
{
	cd project
	head -n 1 ../store/live/list | grep -qx 'mlv list 1'
	[ "$(head -n -1 ../store/live/list | sha256sum | cut -d ' ' -f 1)" = \
		"$(tail -n 1 ../store/live/list | cut -d ' ' -f 2)" ]
	[ "$(listed | wc -l)" -lt "$(grep -c ^live/i ../store/live/list)" ]
}

done_()
{
	cd project
	mlv verify --remote
	mlv push -q
	[ "$(grep -c ^live/ ../store/live/list)" = "$(ls ../store/live | grep -c '^[irp]-')" ]
}

fault_cases "a push that publishes, and gc"
test_done
