# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/s3/lib.sh"

while read -r action what; do
	test_case "push: $what" "s3_faults_begin; breaks_push $action"
done <<<"$S3_FAULTS"

while read -r action what; do
	test_case "push: $what" "s3_faults_begin; breaks_push $action"
done <<'ACTIONS'
rst-body=100 the connection is reset in the middle of the body
flip-body=50 a bit of the body is flipped
no100 the server's 100 is swallowed
ACTIONS

test_case "push: killed at each request, it goes on when it is run again" <<'CASE'
	s3_faults_begin
	mlv remote set origin timeout 60
	for ((n = 1; n < 30; n++)); do
		mlv remote set-url origin "$S3_URL/kill/$n"
		kills_at $n mlv push || break
		expect_ok mlv push
		expect_ok mlv verify --remote
	done
	[ $n -gt 8 ] && [ $n -lt 30 ]
CASE

test_case "a server that is busy for long is told so, and the push goes on later" <<'CASE'
	s3_faults_begin
	proxy_rules "3:*:.:status=503,SlowDown,1" "2:*:.:status=429"
	expect_ok mlv push
	expect_ok mlv verify --remote
CASE

test_case "a push that is interrupted does not send again what it has sent" <<'CASE'
	s3_faults_begin
	proxy_rules "0:PUT:live/:stall-req"
	mlv push >"$CASE/out" 2>"$CASE/err" &
	pid=$!
	poll 20 grep -q "PUT .*live/.*stall" "$CASE/proxy.log"
	kill -INT $pid || true
	kill -TERM $pid
	wait $pid || true
	proxy_rules
	: >"$CASE/proxy.log"
	expect_ok mlv push
	! grep -q "PUT .*packs/.* 200 7" "$CASE/proxy.log" || fail "the data were sent again"
	expect_ok mlv verify --remote
CASE

test_done
