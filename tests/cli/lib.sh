# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Command tests in TAP. A test file is
#
#	. "$(dirname "$0")/lib.sh"
#
#	test_case "add writes a pointer beside the file" <<'CASE'
#		new_repo project
#		gen_random 1000 1 model.bin
#		expect_ok mlv add model.bin
#		expect_file model.bin.mlv
#	CASE
#
#	test_done
#
# Each case runs in a shell of its own with `set -e`, in an empty folder, with an empty HOME. Whatever repository a case
# leaves behind must be clean for `mlv fsck`, unless it says leave_damaged. MLV names the program;
# unset it is build/mlv. Kept with KEEP=1, for a look afterwards.

set -u

LIB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(cd "$LIB/../.." && pwd)
MLV=${MLV:-$TOP/build/mlv}
FIXTURES=$TOP/tests/fixtures
[ -x "$MLV" ] || {
	echo "Bail out! there is no program at $MLV; run make first"
	exit 1
}
WORK=$(mktemp -d "${TMPDIR:-/tmp}/mlv-test.XXXXXX")
WORK=$(cd "$WORK" && pwd -P)
CASES=0
FAILED=0
# Set for the body of a case.
CASE=
unset "${!GIT_@}" "${!AWS_@}" "${!XDG_@}" http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY \
	ALL_PROXY all_proxy SSL_CERT_FILE SSL_CERT_DIR NO_COLOR EDITOR VISUAL PAGER MAKEFLAGS

cleanup()
{
	[ -d "$WORK/s3" ] && "$TOP/tests/s3/rgw" wipe "$WORK/s3"
	[ -n "${KEEP:-}" ] && echo "# kept: $WORK" && return
	chmod -R u+rwX "$WORK" 2>/dev/null
	rm -rf "$WORK"
}
trap cleanup EXIT

# So that man(1) finds the pages of this tree.
for section in 1 5 7; do
	mkdir -p "$WORK/man/man$section"
	ln -s "$TOP"/man/*."$section" "$WORK/man/man$section/"
done

environment()
{
	export HOME=$CASE/home LC_ALL=C.UTF-8 TZ=UTC TERM=dumb
	export PATH=$CASE/bin:$PATH
	export GIT_CONFIG_GLOBAL=$HOME/.gitconfig GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0
	export GIT_CEILING_DIRECTORIES=$CASE GIT_PAGER=cat MANPAGER=cat MANPATH=$WORK/man:
	export GIT_AUTHOR_DATE='1700000000 +0000' GIT_COMMITTER_DATE='1700000000 +0000'
	mkdir -p "$HOME" "$CASE/bin" "$CASE/work"
	ln -s "$MLV" "$CASE/bin/mlv"
	cat >"$GIT_CONFIG_GLOBAL" <<-'CONFIG'
		[user]
			name = A Tester
			email = tester@example.com
		[init]
			defaultBranch = main
		[advice]
			detachedHead = false
		[protocol "file"]
			allow = always
	CONFIG
	# What need_s3 found, for the check that follows the case too.
	if [ -e "$CASE/s3" ]; then
		. "$CASE/s3"
	fi
	cd "$CASE/work" || exit 1
}

# test_case SENTENCE [FUNCTION]: without a function the body is standard input.
test_case()
{
	local sentence=$1 body status reason
	CASES=$((CASES + 1))
	CASE=$WORK/$CASES
	mkdir -p "$CASE"
	if [ $# -gt 1 ]; then
		body=$2
	else
		body=$(cat)
	fi
	# Not in a condition: there `set -e` would do nothing.
	(
		environment
		PS4='+ '
		set -xe -o pipefail
		eval "$body"
	) >"$CASE/log" 2>&1 </dev/null
	status=$?
	if [ $status = 0 ] && [ ! -e "$CASE/damaged" ]; then
		(
			environment 2>/dev/null
			check_repositories
		) >>"$CASE/log" 2>&1 </dev/null
		status=$?
	fi
	[ ! -e "$CASE/pids" ] || kill $(cat "$CASE/pids") 2>/dev/null
	if [ $status = 77 ] && [ -e "$CASE/skip" ]; then
		reason=$(cat "$CASE/skip")
		echo "ok $CASES - $sentence # SKIP $reason"
	elif [ $status = 0 ]; then
		echo "ok $CASES - $sentence"
	else
		FAILED=$((FAILED + 1))
		echo "not ok $CASES - $sentence"
		tail -n 100 "$CASE/log" | cut -c 1-400 | sed 's/^/# /'
		echo "# exit status $status"
	fi
	if [ -z "${KEEP:-}" ]; then
		chmod -R u+rwX "$CASE" 2>/dev/null
		rm -rf "$CASE"
	fi
}

test_done()
{
	echo "1..$CASES"
	[ $FAILED = 0 ]
	exit
}

# Every repository below the case's folder passes fsck.
check_repositories()
{
	local folder bad=0
	mlv help | grep -q '^ *fsck ' || return 0
	while IFS= read -r -d '' folder; do
		folder=${folder%/mlv}
		[ "$(git --git-dir="$folder" rev-parse --is-bare-repository 2>/dev/null)" = false ] || continue
		if ! (cd "${folder%/.git}" && mlv fsck -q); then
			echo "fsck is not clean in ${folder%/.git}"
			bad=1
		fi
	done < <(find "$CASE/work" -type d -path '*/.git/mlv' -prune -print0)
	return $bad
}

# The case leaves something that fsck finds fault with, and means to.
leave_damaged()
{
	touch "$CASE/damaged"
}

# Ends the case as skipped.
skip_case()
{
	echo "$*" >"$CASE/skip"
	exit 77
}

need_root()
{
	[ "$(id -u)" = 0 ] || skip_case "needs root"
}

# with_permissions COMMAND...: under the rules for modes and owners, which root is else above.
with_permissions()
{
	local caps=-dac_override,-dac_read_search
	if [ "$(id -u)" = 0 ]; then
		setpriv --inh-caps=$caps --bounding-set=$caps "$@"
	else
		"$@"
	fi
}

need_command()
{
	command -v "$1" >/dev/null || skip_case "needs $1"
}

# The S3 server of this run, started by whoever comes first: sets S3_ENDPOINT, S3_BUCKET, S3_TLS_ENDPOINT, S3_CA_FILE,
# credentials as AWS_*, those of another user as S3_OTHER_*, and S3_URL, an empty place of this case's own.
need_s3()
{
	local program
	for program in radosgw ceph-mon ceph-osd; do
		command -v $program >/dev/null || skip_case "needs an S3 server: the package $program"
	done
	RGW_TLS=1 RGW_STS=1 RGW_SIZE=${RGW_SIZE:-1} RGW_OWNER=${RGW_OWNER:-$$} \
		"$TOP/tests/s3/rgw" start "${MLV_TEST_S3:-$WORK/s3}" >"$CASE/s3" ||
		fail "the S3 server does not start"
	cat >>"$CASE/s3" <<-END
		export S3_URL='s3://mlv-test/t-$$-$CASES'
		export AWS_EC2_METADATA_DISABLED=true
	END
	. "$CASE/s3"
}

# need_no_tsan WHY: skips under ThreadSanitizer.
need_no_tsan()
{
	! grep -q __tsan_init "$MLV" || skip_case "ThreadSanitizer $1"
}

# Says why, and ends the case.
fail()
{
	{ set +x; } 2>/dev/null
	echo "FAILED: $*"
	exit 1
}

show()
{
	{ set +x; } 2>/dev/null
	echo "--- stdout"
	head -c 4000 "$CASE/out"
	echo "--- stderr"
	head -c 4000 "$CASE/err"
	echo "---"
}

# run COMMAND...: sets STATUS; the output goes to $CASE/out and $CASE/err.
run()
{
	STATUS=0
	"$@" >"$CASE/out" 2>"$CASE/err" || STATUS=$?
}

# expect_status N COMMAND...
expect_status()
{
	local wanted=$1
	shift
	run "$@"
	[ "$STATUS" = "$wanted" ] || {
		show
		fail "'$*' ended with $STATUS, not $wanted"
	}
}

expect_ok()
{
	expect_status 0 "$@"
}

# What the last command run by these printed: contains the text.
expect_out()
{
	grep -qF -e "$1" "$CASE/out" || {
		show
		fail "stdout does not contain '$1'"
	}
}

expect_err()
{
	grep -qF -e "$1" "$CASE/err" || {
		show
		fail "stderr does not contain '$1'"
	}
}

expect_no_out()
{
	! grep -qF -e "$1" "$CASE/out" || {
		show
		fail "stdout contains '$1'"
	}
}

expect_no_err()
{
	! grep -qF -e "$1" "$CASE/err" || {
		show
		fail "stderr contains '$1'"
	}
}

# The whole of stdout, but for the last newline.
expect_out_is()
{
	[ "$(cat "$CASE/out")" = "$1" ] || {
		show
		fail "stdout is not '$1'"
	}
}

expect_silence()
{
	[ ! -s "$CASE/out" ] && [ ! -s "$CASE/err" ] || {
		show
		fail "something was printed"
	}
}

# expect_json FILTER VALUE: what jq makes of stdout.
expect_json()
{
	local value
	value=$(jq -c "$1" "$CASE/out") || {
		show
		fail "stdout is not JSON"
	}
	[ "$value" = "$2" ] || {
		show
		fail "$1 is $value, not $2"
	}
}

expect_file()
{
	[ -e "$1" ] || [ -L "$1" ] || fail "'$1' is not there"
}

expect_no_file()
{
	[ ! -e "$1" ] && [ ! -L "$1" ] || fail "'$1' is there"
}

# expect_content FILE TEXT: but for the last newline.
expect_content()
{
	[ "$(cat "$1")" = "$2" ] || fail "'$1' holds '$(head -c 1000 "$1")', not '$2'"
}

expect_same()
{
	cmp "$1" "$2" || fail "'$1' and '$2' differ"
}

# Names, kinds, executable bits, link targets and contents of everything below a folder.
tree_sum()
{
	(
		{ set +x; } 2>/dev/null
		cd "$1"
		find . -mindepth 1 -type d -printf 'd %P\0' -o -type l -printf 'l %P -> %l\0' \
			-o -type f -perm /100 -printf 'x %P\0' -o -printf 'f %P\0' | sort -z
		find . -type f -print0 | sort -z | xargs -0r sha256sum -z
	) | sha256sum | cut -d ' ' -f 1
}

expect_same_tree()
{
	[ "$(tree_sum "$1")" = "$(tree_sum "$2")" ] || {
		diff -r "$1" "$2" || true
		fail "the trees '$1' and '$2' differ"
	}
}

# poll SECONDS COMMAND...: until it succeeds.
poll()
{
	local limit=$((SECONDS + $1))
	shift
	{ set +x; } 2>/dev/null
	until "$@"; do
		[ $SECONDS -lt $limit ] || fail "'$*' did not succeed in time"
		sleep 0.02
	done
	set -x
}

# --- things to test with ---

# gen_random BYTES SEED [FILE]: the same bytes each time, incompressible.
gen_random()
{
	local key
	key=$(printf '%064x' "$2")
	if [ $# -gt 2 ]; then
		mkdir -p "$(dirname -- "$3")"
		gen_random "$1" "$2" >"$3"
		return
	fi
	head -c "$1" /dev/zero |
		openssl enc -aes-256-ctr -K "$key" -iv 00000000000000000000000000000000 -nosalt
}

# gen_csv ROWS SEED FILE: a table with a header.
gen_csv()
{
	mkdir -p "$(dirname -- "$3")"
	awk -v rows="$1" -v seed="$2" 'BEGIN {
		print "id,label,value"
		x = seed + 1
		for (i = 0; i < rows; i++) {
			x = (x * 16807) % 2147483647
			printf "%d,class%d,%d.%03d\n", i, x % 10, x % 1000, x % 997
		}
	}' >"$3"
}

# gen_tree DIR FILES SEED [BYTES]: FILES files of BYTES (1000 unless said) in ten folders, and one each of what is
# odd: an empty file, an empty folder, an executable, a link, names with a space and an umlaut.
gen_tree()
{
	local dir=$1 files=$2 seed=$3 bytes=${4:-1000} i each
	each=$(((files + 9) / 10))
	mkdir -p "$dir/empty folder"
	for i in 0 1 2 3 4 5 6 7 8 9; do
		mkdir -p "$dir/part$i"
		gen_random $((each * bytes)) $((seed * 10 + i)) |
			split -b "$bytes" -d -a 6 - "$dir/part$i/f"
	done
	: >"$dir/empty"
	printf '#!/bin/sh\necho %s\n' "$seed" >"$dir/run.sh"
	chmod +x "$dir/run.sh"
	ln -s part0 "$dir/link"
	echo "$seed" >"$dir/a name with spaces"
	echo "$seed" >"$dir/größe"
}

# new_repo DIR: a git repository with mlv, committed, as the current folder.
new_repo()
{
	git init -q "$1"
	cd "$1"
	mlv init -q
	git add -A
	git commit -q -m "begin"
}

# commit_all MESSAGE
commit_all()
{
	git add -A
	git commit -q --allow-empty -m "$1"
}
