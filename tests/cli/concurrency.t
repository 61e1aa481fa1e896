# SPDX-License-Identifier: Apache-2.0
# Two adds, a push, a pull in another clone and gc at the same time, in a loop of rounds.
#
# CONCURRENCY_ROUNDS: how many (8 unless set).
. "$(dirname "$0")/lib.sh"

# start COMMAND...: in the background; what it printed and its status are kept.
JOBS=0
start()
{
	JOBS=$((JOBS + 1))
	(
		set +e
		"$@" >"$CASE/job.$JOBS" 2>&1
		echo $? >"$CASE/job.$JOBS.status"
	) &
}

# Waits for all; each must have ended with 0.
finish()
{
	local i bad=
	wait
	for i in $(seq "$JOBS"); do
		[ "$(cat "$CASE/job.$i.status")" = 0 ] || {
			cat "$CASE/job.$i"
			bad=1
		}
	done
	JOBS=0
	[ -z "$bad" ] || fail "a command failed beside the others"
}

# Each round has its own bytes, some that earlier rounds dropped, and some that both adds bring.
make_data()
{
	mkdir -p "set$1"
	for i in 1 2 3 4 5; do
		gen_random 3000 $(($1 * 10 + i)) "set$1/$i"
	done
	gen_random 400000 $((1000 + $1 % 3)) "set$1/again"
	cp "set$1/again" "large$1"
	gen_random 700000 $((2000 + $1)) >>"large$1"
}

# What nothing will reach, for gc to have something to do.
make_garbage()
{
	gen_random 500000 $((3000 + $1)) "garbage$1"
	gen_random 400000 $((1000 + ($1 + 1) % 3)) >>"garbage$1"
	mlv add -q "garbage$1"
	git rm -q --cached "garbage$1.mlv"
	rm "garbage$1" "garbage$1.mlv"
}

test_case "two adds, a push, a pull and gc at the same time lose nothing, round after round" <<'CASE'
	{ set +x; } 2>/dev/null
	new_repo project
	mlv remote add origin "$CASE/work/remote"
	git add -A
	git commit -q -m "remote"
	mlv push -q
	git clone -q . ../other
	for round in $(seq "${CONCURRENCY_ROUNDS:-8}"); do
		cd "$CASE/work/project"
		make_data "$round"
		make_garbage "$round"
		start mlv add "set$round"
		start mlv add "large$round"
		start mlv push
		start mlv -C ../other pull
		start mlv gc --grace 0
		if [ $((round % 2)) = 0 ]; then
			start mlv gc --remote --grace 0
			start mlv -C ../other gc --grace 0
		fi
		finish
		mlv fsck -q || fail "fsck is not clean after round $round"
		for name in "set$round/1" "set$round/again" "large$round"; do
			mlv cat ":$name" | cmp - "$name" || fail "lost in round $round"
		done
		mlv commit -q -m "round $round"
		git -C ../other pull -q
		# The commit of this round is pushed in the next one, and pulled in the one after it.
		[ "$round" = 1 ] || mlv verify -q --remote HEAD~1 || fail "round $round: the remote lacks data"
		mlv push -q
	done
	mlv -C ../other pull -q
	git clone -q . ../fresh
	mlv -C ../fresh pull -q
	for name in set* large*; do
		[ "${name%.mlv}" = "$name" ] || continue
		diff -r "$name" "../other/$name" || fail "other's $name differs"
		diff -r "$name" "../fresh/$name" || fail "a fresh clone's $name differs"
	done
	mlv verify -q
	mlv verify -q --remote --all
CASE

test_case "a store shared by two repositories keeps what each needs while both add and both collect" <<'CASE'
	{ set +x; } 2>/dev/null
	git config --global mlv.store "$CASE/work/store"
	(new_repo one)
	(new_repo two)
	for round in $(seq "${CONCURRENCY_ROUNDS:-8}"); do
		for name in one two; do
			cd "$CASE/work/$name"
			make_data "$round"
			make_garbage "$round"
		done
		cd "$CASE/work"
		start mlv -C one add "set$round"
		start mlv -C two add "set$round" "large$round"
		start mlv -C one gc --grace 0
		start mlv -C two gc --grace 0
		finish
		for name in one two; do
			mlv -C "$name" cat ":set$round/again" | cmp - "$name/set$round/again"
			mlv -C "$name" commit -q -m "round $round"
			mlv -C "$name" fsck -q || fail "fsck is not clean after round $round"
		done
	done
	mlv -C one verify -q --all
	mlv -C two verify -q --all
CASE

test_case "adds in one folder at once each enter their line in .gitignore" <<'CASE'
	{ set +x; } 2>/dev/null
	new_repo project
	for round in 1 2 3; do
		for i in 1 2 3 4; do
			gen_random 20000 $i "file$round.$i"
			start mlv add "file$round.$i"
		done
		finish
	done
	[ "$(grep -c '^/file' .gitignore)" = 12 ] || fail "a line is lost: $(cat .gitignore)"
	run git status --porcelain
	expect_no_out '??'
	expect_no_out AM
CASE

test_case "parts of one directory that are added at once all come into its pointer" <<'CASE'
	{ set +x; } 2>/dev/null
	new_repo project
	mkdir data
	echo 0 >data/0
	mlv add -q data
	for round in 1 2 3; do
		for i in 1 2 3 4; do
			echo "$i" >"data/$round.$i"
			start mlv add "data/$round.$i"
		done
		finish
	done
	mlv commit -q -m parts
	expect_ok mlv status --exit-code
	expect_ok mlv ls data
	[ "$(wc -l <"$CASE/out")" = 13 ] || fail "a part is lost: $(cat "$CASE/out")"
CASE

test_case "paths that are pulled at once, and archives imported at once, are all recorded" <<'CASE'
	{ set +x; } 2>/dev/null
	new_repo project
	for i in 1 2 3 4 5; do
		mkdir -p "data/part$i"
		echo "$i" >"data/part$i/file"
		tar -cf "../$i.tar" -C "data/part$i" file
	done
	mlv add -q data
	mlv remote add origin "$CASE/work/remote"
	git commit -q -a -m one
	mlv push -q
	git clone -q . ../other
	cd ../other
	for i in 1 2 3 4; do
		start mlv pull -- "data/part$i"
	done
	finish
	[ "$(grep -c '^path ' .git/mlv/partial)" = 4 ] || fail "a path is lost"
	for i in 1 2 3 4; do
		start mlv import "../$i.tar" "set$i"
	done
	finish
	[ "$(grep -c '^target set' .git/mlv/partial)" = 4 ] || fail "a target is lost"
	run mlv status --short
	expect_no_out ' D'
CASE

test_done
