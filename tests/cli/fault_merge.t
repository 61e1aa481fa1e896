# SPDX-License-Identifier: Apache-2.0
# An add that merges the indexes that have piled up, with every system call failing in turn.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../fault/lib.sh"

live_count()
{
	{ find .git/mlv/store/live -name 'i-*' 2>/dev/null || true; } | wc -l
}

# Files are added one by one until an add makes the indexes fewer; the state is the one before that.
prepare()
{
	local i before
	new_repo project
	mkdir files
	for i in $(seq 100); do
		before=$(live_count)
		gen_random 2000 "$i" "files/$i"
		rm -rf ../before
		cp -a . ../before
		mlv add -q "files/$i"
		[ "$(live_count)" -ge "$before" ] || break
	done
	[ "$(live_count)" -lt "$before" ]
	echo "$i" >"$SCENE/notes/last"
	cd ..
	rm -rf project
	mv before project
}

act()
{
	cd project
	mlv add -q "files/$(cat "$SCENE/notes/last")"
}

all_until()
{
	local i
	for i in $(seq "$1"); do
		echo ":files/$i"
	done
}

old()
{
	local last
	cd project
	last=$(cat "$SCENE/notes/last")
	# shellcheck disable=SC2046 # a list of words
	mlv cat $(all_until $((last - 1))) | cmp - <(cd files && cat $(seq $((last - 1))))
}

done_()
{
	local last
	cd project
	last=$(cat "$SCENE/notes/last")
	mlv cat ":files/$last" | cmp - "files/$last"
	[ "$(mlv status --short | grep -c '^A ')" = "$last" ]
}

fault_cases "merging indexes"
test_done
