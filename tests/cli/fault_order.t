# SPDX-License-Identifier: Apache-2.0
# The order of durability, from the list of system calls: bytes are synced before a name leads to them, a
# folder is synced before what relies on the name in it, and nothing is deleted before that.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../fault/lib.sh"

fault_library

# in_order COMMAND...: run from the current folder, below $CASE/work.
in_order()
{
	rm -f "$CASE/calls"
	(
		fault_begin
		export FAULT_ROOT=$CASE/work FAULT_NTH=0 FAULT_LOG=$CASE/calls
		export FAULT_CALLS=write,clone,truncate,sync,rename,unlink
		"$@"
	)
	grep -q ' rename .*/live/' "$CASE/calls" || fail "no index was written at all"
	awk '
		function folder(path) { sub("/[^/]*$", "", path); return path }
		function wrong(what) { print what ": " $0; bad = 1 }
		function waiting(what, name) {
			for (name in unsynced)
				wrong(what " before the folder of " name " is synced")
		}
		$2 == "write" || $2 == "clone" || $2 == "truncate" { dirty[$3] = 1 }
		$2 == "sync" {
			delete dirty[$3]
			for (name in unsynced)
				if (folder(name) == $3)
					delete unsynced[name]
		}
		$2 == "rename" {
			to = $5
			if (to !~ /\/(packs|live)\/|\.mlv$/)
				next
			# A pointer lies in the work tree, which git does not sync either.
			if ($3 in dirty && to !~ /\.mlv$/)
				wrong("renamed before it is synced")
			if (to !~ /\/packs\//)
				waiting("named")
			if (to !~ /\.mlv$/)
				unsynced[to] = 1
		}
		$2 == "unlink" && $3 ~ /\/(packs\/.*\.pack|live\/i-[0-9a-f]*)$/ { waiting("deleted") }
		END { exit bad }
	' "$CASE/calls" >"$CASE/bad" || fail "$(cat "$CASE/bad")"
}

test_case "add syncs packs, then indexes, then writes pointers" <<'CASE'
	new_repo project
	small_tree data 1
	gen_random 3000000 2 model.bin
	in_order mlv add -q data model.bin
CASE

test_case "merging indexes syncs the new one before the old ones go" <<'CASE'
	new_repo project
	for i in 1 2 3 4 5 6 7 8 9 10; do
		echo "$i" >"file$i"
		in_order mlv add -q "file$i"
	done
CASE

test_case "push, fetch and gc on both sides sync what they write before they rely on it" <<'CASE'
	new_repo project
	mlv remote add origin "$CASE/work/remote"
	small_tree data 1
	gen_random 600000 2 model.bin
	mlv add -q data model.bin
	commit_all "one"
	in_order mlv push -q
	git clone -q . ../other
	(cd ../other && in_order mlv pull -q)
	gen_random 500000 3 gone.bin
	gen_random 200000 3 kept.bin
	mlv add -q gone.bin kept.bin
	git commit -q -m "two"
	in_order mlv push -q
	git reset -q --hard HEAD~1
	git reflog expire --expire=now --all
	rm -f gone.bin
	mlv add -q kept.bin
	git commit -q -m "three"
	in_order mlv push -q
	in_order mlv gc -q --grace 0
	in_order mlv gc -q --remote --grace 0
CASE

test_done
