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
