# SPDX-License-Identifier: Apache-2.0
# Between mlv and the S3 server stands a proxy that breaks the n-th request, n = 1, 2, 3 ... until the command needs
# fewer. Each time the command succeeds, or it fails with one clear line; run again it succeeds; nothing is lost.
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/s3/lib.sh"

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

begin()
{
	need_s3
	start_proxy
	s3_project
	mlv remote set origin timeout 1
	commit_all timeout
}

while read -r action what; do
	test_case "push: $what" "begin; breaks_push $action"
	test_case "pull: $what" "begin; mlv push -q; breaks_pull $action"
done <<'ACTIONS'
rst the connection is reset before the answer
lost the answer is lost, though it was done
rst-resp=20 the connection is reset in the middle of the answer
fin-resp=20 the connection is closed in the middle of the answer
stall=20 the answer stalls
stall-req the answer never comes
status=503,SlowDown the server says SlowDown
status=500 the server says 500
early=503 the server says 503 before it has read the body
status=200,InternalError the answer is a 200 with an error in it
drop-after the connection is closed after the answer
length=7 more bytes are announced than come
length=-1 fewer bytes are announced than there are
flip=30 a bit of the answer is flipped
ACTIONS

while read -r action what; do
	test_case "push: $what" "begin; breaks_push $action"
done <<'ACTIONS'
rst-body=100 the connection is reset in the middle of the body
flip-body=50 a bit of the body is flipped
no100 the server's 100 is swallowed
ACTIONS

test_case "listings in pages that overlap are read to their end" <<'CASE'
	begin
	for n in 1 2 3 4 5 6; do
		echo $n >>model.pt
		mlv add -q model.pt
		git commit -qm $n
		mlv push -q
	done
	expect_ok mlv verify --remote --json
	mv "$CASE/out" whole
	proxy_rules "0:GET:list-type:pages=2"
	expect_ok mlv verify --remote --json
	cmp "$CASE/out" whole || fail "it is not the same"
	grep -q 'continuation-token=p%20' "$CASE/proxy.log" || fail "there was no second page"
	rm whole
	git clone -q . ../clone
	cd ../clone
	expect_ok mlv pull
	expect_same model.pt ../project/model.pt
	expect_ok mlv gc --remote --grace 0
	expect_ok mlv verify --remote
CASE

test_case "a server that is busy for long is told so, and the push goes on later" <<'CASE'
	begin
	proxy_rules "3:*:.:status=503,SlowDown,1" "2:*:.:status=429"
	expect_ok mlv push
	expect_ok mlv verify --remote
CASE

test_case "a push that is interrupted does not send again what it has sent" <<'CASE'
	begin
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
