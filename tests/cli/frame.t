# SPDX-License-Identifier: Apache-2.0
# The frame that all commands share: options, errors, exit statuses, output.
. "$(dirname "$0")/lib.sh"

test_case "mlv alone lists the commands and exits 1 as git does" <<'CASE'
	expect_status 1 mlv
	expect_out "usage: mlv"
	expect_out "    version"
CASE

test_case "-h and --help list the commands and exit 0" <<'CASE'
	expect_ok mlv -h
	expect_out "usage: mlv"
	expect_ok mlv --help
CASE

test_case "--version prints the version" <<'CASE'
	expect_ok mlv --version
	expect_out "mlv version 0."
	expect_ok mlv version
	expect_out "mlv version 0."
CASE

test_case "version --json prints one document with the envelope" <<'CASE'
	expect_ok mlv version --json
	expect_json .mlv 1
	expect_json .command '"version"'
	expect_json '.version | type' '"string"'
CASE

test_case "an unknown command is a usage error and near names are offered" <<'CASE'
	expect_status 129 mlv verison
	expect_err "mlv: 'verison' is not an mlv command; did you mean 'version'?"
	expect_status 129 mlv qqqqqqq
	expect_err "'mlv help' lists them"
CASE

test_case "a command's name is not abbreviated" <<'CASE'
	expect_status 129 mlv vers
CASE

test_case "an unknown option is a usage error with the usage line" <<'CASE'
	expect_status 129 mlv version --jsno
	expect_err "mlv version: unknown option '--jsno'; did you mean '--json'?"
	expect_err "usage: mlv version [OPTION...]"
	expect_status 129 mlv version -Z
	expect_err "unknown option '-Z'"
	expect_status 129 mlv --frobnicate version
CASE

test_case "an option's value is checked" <<'CASE'
	expect_status 129 mlv version -j
	expect_err "option '-j' needs a value"
	expect_status 129 mlv version -j x
	expect_status 129 mlv version -j -3
	expect_status 129 mlv version --json=yes
	expect_err "takes no value"
	expect_status 129 mlv -j 100000 version
CASE

test_case "too many arguments are a usage error" <<'CASE'
	expect_status 129 mlv version now
	expect_err "too many arguments: 'now'"
CASE

test_case "every command answers -h on stdout with 0, outside of a repository too" <<'CASE'
	for name in $(mlv help | sed -n 's/^    \([a-z][a-z-]*\) .*/\1/p'); do
		expect_ok mlv "$name" -h
		expect_out "usage: mlv $name"
		[ ! -s "$CASE/err" ] || fail "'mlv $name -h' wrote to stderr"
	done
CASE

test_case "every command refuses an unknown option with 129" <<'CASE'
	for name in $(mlv help | sed -n 's/^    \([a-z][a-z-]*\) .*/\1/p'); do
		expect_status 129 mlv "$name" --no-such-option
		[ ! -s "$CASE/out" ] || fail "'mlv $name' wrote to stdout"
	done
CASE

test_case "short options stand together and values need no space" <<'CASE'
	expect_ok mlv version -qvj2
	expect_ok mlv version -qj 2
	expect_ok mlv -j2 version --jobs=2
CASE

test_case "-C changes the folder, again relative to the last" <<'CASE'
	mkdir -p a/b
	expect_ok mlv -C a -C b version
	expect_status 128 mlv -C a -C c version
	expect_err "mlv: cannot go to the folder 'c': No such file or directory"
CASE

test_case "-c refuses what is no key" <<'CASE'
	expect_status 129 mlv -c nonsense=1 version
	expect_err "'nonsense'"
	expect_ok mlv -c mlv.jobs=2 version
CASE

test_case "control characters never reach the terminal" <<'CASE'
	expect_status 129 mlv $'x\e[31m\n\r\x9b'
	expect_err "'x\\033[31m\\n\\r\\233'"
	expect_status 129 mlv version $'\u202ex'
	expect_err "'\\342\\200\\256x'"
CASE

test_case "a full disk under stdout is an error" <<'CASE'
	[ -e /dev/full ] || skip_case "needs /dev/full"
	STATUS=0
	mlv version >/dev/full 2>err || STATUS=$?
	[ $STATUS = 128 ] || fail "status $STATUS"
	grep -q "cannot write to the standard output: No space left" err
CASE

test_case "a reader that left ends it with 141 and without a word" <<'CASE'
	mkfifo pipe
	# Open for both, so that mlv's own opening does not wait; then nobody reads.
	exec 7<>pipe
	exec 8>pipe
	exec 7<&-
	STATUS=0
	mlv help >&8 2>err || STATUS=$?
	[ $STATUS = 141 ] || fail "status $STATUS"
	[ ! -s err ] || fail "$(cat err)"
CASE

test_case "closed standard descriptors do no harm" <<'CASE'
	mlv version 2>&- <&- >out
	grep -q version out
	new_repo project
	echo data >file
	mlv add file >&- 2>&- <&- || fail "status $?"
	expect_file file.mlv
CASE

test_case "results that nobody can get are an error, whatever the command" <<'CASE'
	new_repo project
	echo data >file
	mlv add -q file
	git commit -q -m one
	for words in version ls "ls -z" "ls --json" status "status --json" log show du "cat file" fsck verify doctor \
		"hooks list" archive help "add -h"; do
		STATUS=0
		# shellcheck disable=SC2086
		mlv $words >&- 2>../err || STATUS=$?
		[ $STATUS = 128 ] || fail "'mlv $words' ended with $STATUS"
		grep -q "cannot write to the standard output" ../err
	done
CASE

test_case "help of a command without man prints its usage" <<'CASE'
	PATH=$CASE/bin expect_ok mlv help version
	expect_out "usage: mlv version"
CASE

test_case "help of an unknown word offers what is near" <<'CASE'
	expect_status 129 mlv help verson
	expect_err "did you mean 'version'?"
CASE

test_case "no colours where stdout is no terminal" <<'CASE'
	expect_status 1 mlv
	! grep -q $'\033' "$CASE/out"
CASE

test_done
