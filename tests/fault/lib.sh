# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Fault injection: a command is run again and again from the same state, and each time another of
# its system calls fails (tests/fault/faultlib.c). A test file is
#
#	. "$(dirname "$0")/lib.sh"
#	. "$(dirname "$0")/../fault/lib.sh"
#
#	prepare()   # makes the state, from an empty current folder
#	act()       # the command, from a copy of that folder; ends with its exit status
#	old()       # what must hold after each fault: what was stored before is there, bit for bit
#	done_()     # what must hold once the command has succeeded
#	fault_cases "add"
#
# After each fault: a command that failed said so, `mlv fsck` is clean in every repository, old()
# holds, the command run again succeeds, done_() holds, fsck is clean. A command that succeeded in
# spite of the fault has done its work.
#
# FAULT_LIMIT: faults tried of each sort (24 unless set), spread over the calls; FAULT_ALL=1: all.
# FAULT_ONLY="SORT N": just this one, with the command's messages shown.

FAULT_LIMIT=${FAULT_LIMIT:-24}
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

# fault_run COMMAND...: under the library, as the variables FAULT_* say; sets STATUS.
fault_run()
{
	STATUS=0
	(
		export FAULT_ROOT=$CASE/work/run FAULT_FIRED=$CASE/fired
		export LD_PRELOAD=$FAULT_LIBRARY${LD_PRELOAD:+:$LD_PRELOAD}
		# A sanitizer wants to be first, and is content to be second. Leaks of a command that
		# ends with an error are looked for in the unit tests.
		export ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0:detect_leaks=0
		"$@"
	) >"$CASE/out" 2>"$CASE/err" || STATUS=$?
}

fault_fresh()
{
	cd "$CASE/work"
	rm -rf run
	cp -a template run
	cd run
	rm -f "$CASE/fired"
}

# Every repository of the scenario is clean.
fault_fsck()
{
	local folder
	for folder in */.git; do
		(cd "${folder%/.git}" && mlv fsck -q) >"$CASE/fsck" 2>&1 || {
			echo "fsck is not clean in ${folder%/.git}: $(tail -n 3 "$CASE/fsck")"
			return 1
		}
	done
}

# fault_hold WHAT FUNCTION: the function holds, in a shell of its own.
fault_hold()
{
	(
		set -e
		"$2"
	) >"$CASE/held" 2>&1
	# shellcheck disable=SC2181 # in a condition, set -e would do nothing
	[ $? = 0 ] || {
		echo "$1: $(tail -n 3 "$CASE/held")"
		return 1
	}
}

# What is to be said about the state after one fault; nothing if all is well.
fault_judge()
{
	local sort=$1 first
	case $STATUS in
	0)
		fault_hold "it ended with 0 and has not done its work" done_ || return
		;;
	1 | 128)
		[ -s "$CASE/err" ] || {
			echo "it ended with $STATUS and said nothing"
			return
		}
		;;
	137) ;;
	*)
		echo "it ended with $STATUS: $(tail -n 2 "$CASE/err")"
		return
		;;
	esac
	[ "$sort" != short ] || [ "$STATUS" = 0 ] || {
		echo "a short read or write made it fail: $(tail -n 2 "$CASE/err")"
		return
	}
	first=$(tail -n 2 "$CASE/err")
	fault_fsck || return
	fault_hold "earlier data are lost ($first)" old || return
	if [ "$STATUS" != 0 ]; then
		(act) >"$CASE/out" 2>"$CASE/err" || {
			echo "run again it ended with $?: $(tail -n 2 "$CASE/err"); at first: $first"
			return
		}
		fault_hold "run again it has not done its work" done_ || return
		fault_fsck || return
		fault_hold "earlier data are lost by the second run" old || return
	fi
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
	local sort=$1 action=$2 bad=0 count n wrong
	{ set +x; } 2>/dev/null
	set +e
	export FAULT_CALLS=$3 FAULT_ACTION=$action
	if [ $# -gt 3 ]; then
		export FAULT_STICKY=1
	fi
	fault_fresh
	FAULT_NTH=0 FAULT_LOG=$CASE/calls fault_run act
	[ "$STATUS" = 0 ] || fail "without a fault it ended with $STATUS: $(cat "$CASE/err")"
	fault_hold "without a fault" done_ || fail "$(cat "$CASE/held")"
	count=$(wc -l <"$CASE/calls")
	for n in $([ -n "${FAULT_ONLY:-}" ] && echo "${FAULT_ONLY#* }" || fault_points "$count"); do
		fault_fresh
		FAULT_NTH=$n fault_run act
		[ -z "${FAULT_ONLY:-}" ] || cat "$CASE/err" >&2
		# Fewer calls than at first: threads do not meet in the same way each time.
		[ -e "$CASE/fired" ] || continue
		wrong=$(fault_judge "$sort" 2>&1)
		[ -z "$wrong" ] || {
			bad=$((bad + 1))
			echo "WRONG after $sort $(cat "$CASE/fired"): $wrong" | tee -a "$CASE/wrong"
		}
	done
	cd "$CASE/work"
	rm -rf template run
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
		mkdir template
		cd template
		{ set +x; } 2>/dev/null
		prepare
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
