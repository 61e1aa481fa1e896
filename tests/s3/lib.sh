# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For tests that talk to an S3 server through the fault proxy; after tests/cli/lib.sh.

# start_proxy [RULE...]: a proxy before the server; its address in PROXY.
start_proxy()
{
	"$TOP/tests/s3/faultproxy" 0 "${S3_ENDPOINT##*:}" "$@" >"$CASE/proxy.out" 2>"$CASE/proxy.log" &
	echo $! >>"$CASE/pids"
	poll 20 grep -q ready "$CASE/proxy.out"
	PROXY=http://127.0.0.1:$(cut -d ' ' -f 2 "$CASE/proxy.out")
}

# proxy_rules [RULE...]: new rules. PROXY_REQUESTS: how many requests there were since the last ones;
# PROXY_UNUSED: how many of those rules were never used.
proxy_rules()
{
	local rules answer
	rules=$(printf '%s\n' "$@")
	exec 3<>"/dev/tcp/127.0.0.1/${PROXY##*:}"
	printf 'POST /-/rules HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s' ${#rules} "$rules" >&3
	answer=$(tail -n 1 <&3)
	exec 3>&-
	PROXY_REQUESTS=${answer% *}
	PROXY_UNUSED=${answer#* }
}

# s3_keys PREFIX: the keys below it.
s3_keys()
{
	"$TOP/tests/s3/client" GET "/$S3_BUCKET?list-type=2&prefix=${1//\//%2F}" |
		grep -o '<Key>[^<]*</Key>' | sed 's/<[^>]*>//g'
}

# An unpushed repository with a few files, some of them in a folder, and its remote.
s3_project()
{
	new_repo "${1:-project}"
	gen_tree data 20 1
	gen_random 700000 2 model.pt
	mlv add -q data model.pt
	mlv remote add origin "$S3_URL" --endpoint "${PROXY:-$S3_ENDPOINT}"
	commit_all one
}

# Nothing that was printed holds a secret.
expect_no_secret()
{
	expect_no_out "$AWS_SECRET_ACCESS_KEY"
	expect_no_err "$AWS_SECRET_ACCESS_KEY"
	if [ -n "${AWS_SESSION_TOKEN:-}" ]; then
		expect_no_out "$AWS_SESSION_TOKEN"
		expect_no_err "$AWS_SESSION_TOKEN"
	fi
}

# Between mlv and the S3 server stands a proxy that breaks the n-th request, n = 1, 2, 3 ... until the command needs
# fewer. Each time the command succeeds, or it fails with one clear line; run again it succeeds; nothing is lost.

# A command that ends badly says one thing.
clear_error()
{
	[ "$STATUS" = 128 ] || fail "it ended with $STATUS"
	grep -q '^mlv [a-z]*: .' "$CASE/err" || fail "it does not say why"
}

# breaks_push ACTION: each request of a first push, to a place of its own.
breaks_push()
{
	local action=$1 n
	for ((n = 1; n < 30; n++)); do
		mlv remote set-url origin "$S3_URL/${action%%[=,]*}/$n"
		proxy_rules "@$n:*:.:$action"
		run mlv push
		[ "$STATUS" = 0 ] || clear_error
		proxy_rules
		if [ "$PROXY_UNUSED" = 1 ]; then
			[ "$STATUS" = 0 ] || fail "nothing was broken"
			return 0
		fi
		[ "$STATUS" = 0 ] || expect_ok mlv push
		expect_ok mlv verify --remote
	done
	fail "it never ends"
}

# breaks_pull ACTION: each request of a pull into an empty clone.
breaks_pull()
{
	local action=$1 n
	for ((n = 1; n < 40; n++)); do
		rm -rf ../clone
		git clone -q . ../clone
		cd ../clone
		proxy_rules "@$n:*:.:$action"
		run mlv pull
		[ "$STATUS" = 0 ] || clear_error
		proxy_rules
		[ "$PROXY_UNUSED" = 0 ] || n=100
		[ "$STATUS" = 0 ] || expect_ok mlv pull
		expect_same_tree data ../project/data
		expect_same model.pt ../project/model.pt
		expect_ok mlv fsck -q
		cd ../project
	done
	[ $n -ge 100 ] || fail "it never ends"
}

# kills_at N COMMAND...: SIGKILL while the N-th request waits for its answer. False if there are fewer.
kills_at()
{
	local n=$1 pid
	shift
	: >"$CASE/proxy.log"
	proxy_rules "@$n:*:.:stall-req"
	"$@" >"$CASE/out" 2>"$CASE/err" &
	pid=$!
	poll 20 eval "grep -q ' stall ' '$CASE/proxy.log' || ! kill -0 $pid 2>/dev/null"
	kill -9 $pid 2>/dev/null || true
	wait $pid || true
	proxy_rules
	[ "$PROXY_UNUSED" = 0 ]
}

s3_faults_begin()
{
	need_s3
	start_proxy
	s3_project
	mlv remote set origin timeout 1
	commit_all timeout
}

# What every kind of request may meet.
S3_FAULTS='rst the connection is reset before the answer
lost the answer is lost, though it was done
rst-resp=20 the connection is reset in the middle of the answer
fin-resp=20 the connection is closed in the middle of the answer
status=503,SlowDown the server says SlowDown
status=500 the server says 500
early=503 the server says 503 before it has read the body
status=200,InternalError the answer is a 200 with an error in it
drop-after the connection is closed after the answer
length=7 more bytes are announced than come
length=-1 fewer bytes are announced than there are
flip=30 a bit of the answer is flipped'
