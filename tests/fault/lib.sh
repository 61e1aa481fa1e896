# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Fault injection: a command is run again and again from the same state, and each time another of
# its system calls fails (tests/fault/faultlib.c). A test file is
#
#	. "$(dirname "$0")/lib.sh"
#	. "$(dirname "$0")/../fault/lib.sh"
#
#	prepare()   # makes the state in the current folder, which is empty; may note in $SCENE/notes
#	act()       # the command, run in that state; ends with its exit status
#	old()       # what must hold after each fault: what was stored before is there, bit for bit
#	done_()     # what must hold once the command has succeeded
#	fault_cases "add"
#
# After each fault: a command that failed said so, `mlv fsck` is clean in every repository, old()
# holds, the command run again succeeds, done_() holds, fsck is clean. A command that succeeded in
# spite of the fault has done its work.
#
# FAULT_LIMIT: faults tried of each sort (12 unless set), spread over the calls; FAULT_ALL=1: all.
# FAULT_ONLY="SORT N" or SORT: just this one, with the command's messages shown.

FAULT_LIMIT=${FAULT_LIMIT:-12}
# The scenario is always at the same place: work trees of git name each other absolutely.
SCENE=$WORK/scene
FAULT_CHANGES=create,write,sync,rename,unlink,truncate,mkdir,symlink,clone,mode

# fault_library: builds it beside the program where it is missing or old, and sets FAULT_LIBRARY.
fault_library()
{
	local source=$TOP/tests/fault/faultlib.c new
	FAULT_LIBRARY=$TOP/build/tests/faultlib.so
	[ ! "$FAULT_LIBRARY" -nt "$source" ] || return 0
	mkdir -p "$TOP/build/tests"
	new=$FAULT_LIBRARY.$$
	"${CC:-cc}" -std=c11 -D_GNU_SOURCE -O2 -fPIC -fno-builtin -U_FORTIFY_SOURCE -w -shared \
		-o "$new" "$source" -ldl -pthread && mv "$new" "$FAULT_LIBRARY" || {
		echo "Bail out! tests/fault/faultlib.c cannot be built"
		exit 1
	}
}

# small_tree DIR SEED: few files, but one of each sort.
small_tree()
{
	local i
	mkdir -p "$1/part" "$1/empty folder"
	for i in 1 2 3 4; do
		gen_random 1500 $(($2 * 10 + i)) "$1/part/$i"
	done
	gen_random 500 "$2" "$1/a name with spaces"
	: >"$1/empty"
	printf '#!/bin/sh\necho %s\n' "$2" >"$1/run.sh"
	chmod +x "$1/run.sh"
	ln -s part "$1/link"
}

# The library for all that follows in this shell, though without a fault.
fault_begin()
{
	need_no_tsan "takes over the calls that are to fail"
	export LD_PRELOAD=$FAULT_LIBRARY FAULT_NO_SYNC=1
	# A sanitizer wants to be first, and is content to be second. Leaks of a command that ends
	# with an error are looked for in the unit tests.
	export ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0:detect_leaks=0
}

# fault_run COMMAND...: under the library, as the variables FAULT_* say; sets STATUS.
fault_run()
{
	STATUS=0
	(
		export FAULT_ROOT=$SCENE/run FAULT_FIRED=$CASE/fired
		"$@"
	) >"$CASE/out" 2>"$CASE/err" || STATUS=$?
}

# The state that prepare() makes, made once for all cases of the file.
fault_prepare()
{
	[ ! -d "$SCENE/template" ] || return 0
	rm -rf "$SCENE"
	mkdir -p "$SCENE/run" "$SCENE/notes"
	cd "$SCENE/run"
	(
		set -e
		prepare
	)
	mv "$SCENE/run" "$SCENE/template"
}

fault_fresh()
{
	cd "$SCENE"
	rm -rf run
	cp -a template run
	cd run
	rm -f "$CASE/fired"
}

# Every repository of the scenario is clean. Sets WRONG if not.
fault_fsck()
{
	local folder
	for folder in */.git; do
		(cd "${folder%/.git}" && mlv fsck -q) >"$CASE/fsck" 2>&1 ||
			WRONG="fsck is not clean in ${folder%/.git}: $(tail -n 3 "$CASE/fsck")"
	done
}

# fault_hold WHAT FUNCTION: sets WRONG if the function does not hold. Neither this nor any of its callers
# may stand in a condition: there `set -e` would do nothing.
fault_hold()
{
	local status
	(
		set -e
		"$2"
	) >"$CASE/held" 2>&1
	status=$?
	[ $status = 0 ] || WRONG="$1: $(tail -n 3 "$CASE/held") (status $status)"
}

# Sets WRONG to what is to be said about the state after one fault; nothing if all is well.
fault_judge()
{
	local first
	WRONG=
	first=$(tail -n 2 "$CASE/err")
	case $STATUS in
	0) fault_hold "it ended with 0 and has not done its work" done_ ;;
	1 | 128) [ -n "$first" ] || WRONG="it ended with $STATUS and said nothing" ;;
	137) ;;
	*) WRONG="it ended with $STATUS: $first" ;;
	esac
	[ "$1" != short ] || [ "$STATUS" = 0 ] || WRONG="short reads or writes made it fail: $first"
	[ -z "$WRONG" ] || return
	fault_fsck
	[ -z "$WRONG" ] || return
	fault_hold "earlier data are lost ($first)" old
	[ -z "$WRONG" ] && [ "$STATUS" != 0 ] || return
	(act) >"$CASE/out" 2>"$CASE/err" ||
		WRONG="run again it ended with $?: $(tail -n 2 "$CASE/err"); at first: $first"
	[ -z "$WRONG" ] || return
	fault_hold "run again it has not done its work" done_
	[ -z "$WRONG" ] || return
	fault_fsck
	[ -z "$WRONG" ] || return
	fault_hold "earlier data are lost by the second run" old
}

# fault_points COUNT: which n to try, and one past the end.
fault_points()
{
	awk -v count="$1" -v limit="$FAULT_LIMIT" -v all="${FAULT_ALL:-}" 'BEGIN {
		step = all || count <= limit ? 1 : count / limit
		for (x = 1; x <= count; x += step)
			print int(x)
		for (n = int(x - step) + 1; all && n <= count + 40; n++)
			print n
	}'
}

# fault_sweep SORT ACTION KINDS [STICKY]
fault_sweep()
{
	local sort=$1 action=$2 bad=0 count points n
	{ set +x; } 2>/dev/null
	set +e
	export FAULT_CALLS=$3 FAULT_ACTION=$action
	if [ $# -gt 3 ]; then
		export FAULT_STICKY=1
	fi
	fault_fresh
	FAULT_NTH=0 FAULT_LOG=$CASE/calls fault_run act
	[ "$STATUS" = 0 ] || fail "without a fault it ended with $STATUS: $(cat "$CASE/err")"
	WRONG=
	fault_hold "without a fault" done_
	[ -z "$WRONG" ] || fail "$WRONG"
	fault_hold "without a fault" old
	[ -z "$WRONG" ] || fail "$WRONG"
	count=$(wc -l <"$CASE/calls")
	[ "$count" -gt 0 ] || fail "the library of faults saw no call"
	case ${FAULT_ONLY:-} in
	*" "*) points=${FAULT_ONLY#* } ;;
	*) points=$(fault_points "$count") ;;
	esac
	for n in $points; do
		fault_fresh
		FAULT_NTH=$n fault_run act
		[ -z "${FAULT_ONLY:-}" ] || cat "$CASE/err" >&2
		# Fewer calls than at first: threads do not meet in the same way each time.
		[ -e "$CASE/fired" ] || continue
		fault_judge "$sort"
		[ -z "$WRONG" ] || {
			bad=$((bad + 1))
			echo "WRONG after $sort $(cat "$CASE/fired"): $WRONG" >>"$CASE/wrong"
		}
	done
	cd "$CASE/work"
	[ -n "${KEEP:-}" ] || rm -rf "$SCENE/run"
	[ $bad = 0 ] || {
		tail -n 90 "$CASE/wrong"
		fail "$bad of $count calls: something was wrong"
	}
	set -e
}

# One case for each sort of fault. A fault is in the scenario's folder only.
fault_cases()
{
	local name=$1 body
	fault_library
	body='
		{ set +x; } 2>/dev/null
		fault_begin
		fault_prepare
	'
	fault_case "$name" error "$name: any call that fails with EIO is told and harms nothing" \
		"$body" EIO "$FAULT_CHANGES,open,read,list,map"
	fault_case "$name" stat "$name: any file that cannot be looked at is told and harms nothing" \
		"$body" EIO stat
	fault_case "$name" kill "$name: killed before any call that changes something, all is in order" \
		"$body" kill "$FAULT_CHANGES"
	fault_case "$name" full "$name: a disk that is full from any call on harms nothing" \
		"$body" ENOSPC create,write,rename,truncate,mkdir,symlink,clone sticky
	fault_case "$name" short "$name: short reads and writes do no harm" \
		"$body" short read,write
	fault_case "$name" interrupted "$name: interrupted calls do no harm" \
		"$body" EINTR read,write,sync,clone
}

# fault_case NAME SORT SENTENCE BODY SWEEP...
fault_case()
{
	local sort=$2 sentence=$3 body=$4
	shift 4
	case ${FAULT_ONLY:-$sort} in
	"$sort" | "$sort "*) test_case "$sentence" "$body fault_sweep $sort $*" ;;
	esac
}
