# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/s3/lib.sh"

test_case "what is pushed to a bucket is cloned elsewhere, byte for byte" <<'CASE'
	need_s3
	s3_project
	expect_ok mlv push
	expect_ok mlv push
	expect_err "up to date"
	cd ..
	expect_ok mlv clone project elsewhere
	expect_same_tree project/data elsewhere/data
	expect_same project/model.pt elsewhere/model.pt
	cd elsewhere
	expect_ok mlv status
	expect_ok mlv pull
	expect_err "up to date"
	expect_ok mlv verify --remote
	expect_ok mlv doctor --json
	expect_json '.remotes[0].state' '"reachable"'
CASE

test_case "requests are few: up to date 3, after one changed file 10, one file of many 16" <<'CASE'
	need_s3
	start_proxy
	s3_project
	expect_ok mlv push
	proxy_rules
	[ "$PROXY_REQUESTS" -le 12 ] || fail "$PROXY_REQUESTS requests for the first push"
	expect_ok mlv push
	proxy_rules
	[ "$PROXY_REQUESTS" -le 3 ] || fail "$PROXY_REQUESTS requests for a push that has nothing to do"
	expect_ok mlv pull
	proxy_rules
	[ "$PROXY_REQUESTS" -le 3 ] || fail "$PROXY_REQUESTS requests for a pull that has nothing to do"
	echo changed >>data/part1/f000000
	mlv add -q data
	commit_all two
	: >"$CASE/proxy.log"
	expect_ok mlv push
	proxy_rules
	[ "$PROXY_REQUESTS" -le 10 ] || fail "$PROXY_REQUESTS requests for one changed file"
	sent=$(awk '$3 == "PUT" || $3 == "POST" { n += $(NF - 1) } END { print n }' "$CASE/proxy.log")
	[ "$sent" -lt 300000 ] || fail "$sent bytes sent for one changed file"
	git clone -q . ../clone
	cd ../clone
	proxy_rules
	expect_ok mlv pull -- data/part1/f000000
	proxy_rules
	[ "$PROXY_REQUESTS" -le 16 ] || fail "$PROXY_REQUESTS requests for one file"
	expect_same data/part1/f000000 ../project/data/part1/f000000
CASE

test_case "a push that has nothing in its cache reads parts of a large index" <<'CASE'
	need_s3
	start_proxy
	new_repo project
	mkdir data
	python3 -c '
import os
for folder in range(30):
    os.mkdir("data/%d" % folder)
    for n in range(1000):
        with open("data/%d/%d" % (folder, n), "w") as out:
            out.write("%d %d\n" % (folder, n))'
	mlv remote add origin "$S3_URL" --endpoint "$PROXY"
	mlv add -q data
	commit_all one
	expect_ok mlv push
	expect_fetched()
	{
		local received
		received=$(awk '{ n += $NF } END { print n }' "$CASE/proxy.log")
		[ "$received" -lt 400000 ] || fail "$received bytes were fetched"
	}
	rm -rf .git/mlv/remotes
	echo changed >data/7/7
	mlv add -q data
	commit_all two
	: >"$CASE/proxy.log"
	expect_ok mlv push
	expect_fetched
	rm -rf .git/mlv/remotes
	expect_ok mlv verify --remote
	git clone -q . ../clone
	cd ../clone
	mlv pull -q -- data/9/9
	rm -rf .git/mlv/remotes
	echo changed >data/9/9
	mlv add -q data
	commit_all three
	: >"$CASE/proxy.log"
	expect_ok mlv push
	expect_fetched
	expect_ok mlv verify --remote
CASE

test_case "a server that knows no ranges serves too, if slowly" <<'CASE'
	need_s3
	start_proxy "0:GET:.:norange"
	s3_project
	gen_random 9000000 3 large
	mlv add -q large
	commit_all two
	expect_ok mlv push
	git clone -q . ../clone
	cd ../clone
	expect_ok mlv pull -- data/part1/f000000
	expect_err "does not know ranges"
	expect_same data/part1/f000000 ../project/data/part1/f000000
	expect_ok mlv pull
	expect_same_tree data ../project/data
	expect_same large ../project/large
	expect_ok mlv fsck --remote --deep
	expect_ok mlv gc --remote --grace 0
	expect_ok mlv verify --remote
CASE

test_case "gc drops from a bucket what nothing needs, and what is needed stays" <<'CASE'
	need_s3
	s3_project
	mlv push -q
	git rm -q model.pt.mlv
	commit_all two
	expect_ok mlv push
	git checkout -q --orphan fresh
	commit_all fresh
	git branch -qD main
	git reflog expire --expire=now --all
	git gc -q --prune=now
	expect_ok mlv push
	s3_keys "${S3_URL#s3://*/}/packs/" >before
	expect_ok mlv gc --remote --grace 0
	s3_keys "${S3_URL#s3://*/}/packs/" >after
	[ "$(wc -l <after)" -le "$(wc -l <before)" ] || fail "there are more packs after gc"
	rm before after
	expect_ok mlv verify --remote
	git clone -q . ../clone
	cd ../clone
	expect_ok mlv pull
	expect_same_tree data ../project/data
CASE

test_case "two clones push and a third collects, all at once, and nothing is lost" <<'CASE'
	need_s3
	s3_project
	mlv push -q
	git clone -q . ../second
	git clone -q . ../third
	for round in 1 2 3; do
		for clone in project second; do
			(
				cd ../$clone
				gen_random 300000 "$round${#clone}" model.pt
				mlv add -q model.pt || exit
				git commit -qm "$clone $round"
				mlv push -q
			) &
		done
		(cd ../third && mlv gc -q --remote --grace 0) || fail "gc failed"
		for job in $(jobs -p | tail -n 2); do
			wait "$job" || fail "a push failed"
		done
	done
	expect_ok mlv verify --remote
	cd ../second
	expect_ok mlv verify --remote
CASE

test_case "small local packs go as a few large ones, built while others are sent" <<'CASE'
	need_s3
	start_proxy
	new_repo project
	mlv remote add origin "$S3_URL" --endpoint "$PROXY"
	for n in 1 2 3 4 5 6 7 8 9 10; do
		gen_random 14000000 $n file$n
		mlv add -q file$n
	done
	commit_all one
	expect_ok mlv push
	[ "$(grep -c ' PUT .*packs/' "$CASE/proxy.log")" -le 5 ] || fail "too many packs"
	expect_ok mlv verify --remote
	git clone -q . ../clone
	cd ../clone
	expect_ok mlv pull
	for n in 1 2 3 4 5 6 7 8 9 10; do
		cmp file$n ../project/file$n || fail "file$n differs"
	done
CASE

test_case "prefixes hold what they hold, per cent signs too" <<'CASE'
	need_s3
	new_repo project
	gen_random 1000 1 file
	mlv add -q file
	commit_all one
	number=0
	for prefix in 'a b' 'per%41cent' 'größe/✓' "it's (not) a+b=c&d;e:f@g,h!*" 'q?x=1#y' '.dot/-' '~t' 'a<b>"c"'; do
		number=$((number + 1))
		expect_ok mlv remote add --local "r$number" "$S3_URL/$prefix/$number" --endpoint "$S3_ENDPOINT"
		expect_ok mlv push "r$number"
		echo $number >file
		mlv add -q file
		git commit -qam $number
		expect_ok mlv push "r$number"
		expect_ok mlv verify "r$number"
		expect_ok mlv gc --remote --grace 0 "r$number"
	done
	git clone -q . ../clone
	cd ../clone
	git config mlv-remote.r2.url "$S3_URL/per%41cent/2/"
	git config mlv-remote.r2.endpoint "$S3_ENDPOINT"
	expect_ok mlv fetch r2 HEAD~6
	# Were it an escape, this would be the same place.
	git config mlv-remote.r2.url "$S3_URL/perAcent/2"
	expect_status 128 mlv fetch r2 HEAD~6
	expect_err "there is no remote at"
CASE

test_case "a bucket stands in the path or in the host's name" <<'CASE'
	need_s3
	s3_project
	endpoint=http://localhost:${S3_ENDPOINT##*:}
	mlv remote set origin endpoint "$endpoint"
	expect_status 129 mlv remote set origin addressing sideways
	for addressing in path virtual auto; do
		expect_ok mlv remote set origin addressing $addressing
		expect_ok mlv remote set-url origin "$S3_URL/$addressing"
		expect_ok mlv push
		expect_ok mlv verify --remote
	done
	start_proxy "0:*:.:status=404,NoSuchBucket"
	mlv remote set origin endpoint "http://localhost:${PROXY##*:}"
	mlv remote set origin addressing virtual
	expect_status 128 mlv verify --remote
	expect_err "set the remote's 'addressing' to 'path'"
CASE

test_case "https works with a private CA, and not without it" <<'CASE'
	need_s3
	s3_project
	mlv remote set origin endpoint "$S3_TLS_ENDPOINT"
	expect_status 128 mlv push
	expect_err "certificate"
	expect_ok mlv remote set origin cafile "$S3_CA_FILE"
	! grep -q cafile .mlvconfig || fail "the CA stands in the committed file"
	expect_ok mlv push
	expect_ok mlv verify --remote
	mlv remote set origin cafile
	AWS_CA_BUNDLE=$S3_CA_FILE expect_ok mlv verify --remote
	mlv remote set origin unsignedPayload true
	mlv remote set origin tlsVerify false
	echo 2 >>model.pt
	mlv add -q model.pt
	commit_all two
	expect_ok mlv push
	mlv remote set origin endpoint "$S3_ENDPOINT"
	expect_status 129 mlv push
	expect_err "unsignedPayload"
CASE

test_case "a key of one's own goes to https and to an address of one's own alone" <<'CASE'
	need_s3
	new_repo project
	gen_random 100000 1 file
	mlv add -q file
	openssl rand -base64 32 >"$HOME/key"
	mlv remote add origin "$S3_URL" --endpoint "$S3_TLS_ENDPOINT" --cafile "$S3_CA_FILE" --sseKeyFile "$HOME/key"
	commit_all one
	expect_status 129 mlv push
	expect_err "comes from the committed file"
	git config mlv-remote.origin.url "$S3_URL"
	git config mlv-remote.origin.endpoint "$S3_ENDPOINT"
	expect_status 129 mlv push
	expect_err "needs an https endpoint"
	git config mlv-remote.origin.endpoint "$S3_TLS_ENDPOINT"
	expect_ok mlv push
	expect_ok mlv verify --remote
	git clone -q . ../clone
	cd ../clone
	git config mlv-remote.origin.cafile "$S3_CA_FILE"
	expect_status 128 mlv pull
	expect_err "set the remote's 'sseKeyFile'"
	git config mlv-remote.origin.url "$S3_URL"
	git config mlv-remote.origin.endpoint "$S3_TLS_ENDPOINT"
	openssl rand -base64 32 >"$HOME/other"
	git config mlv-remote.origin.sseKeyFile "$HOME/other"
	expect_status 128 mlv pull
	expect_err "is not the one that it is encrypted with"
	git config mlv-remote.origin.sseKeyFile "$HOME/key"
	expect_ok mlv pull
	expect_same file ../project/file
	echo short >"$HOME/key"
	expect_status 129 mlv pull
	expect_err "must hold 32 bytes"
	rm -rf .git/mlv/remotes
	git config --unset mlv-remote.origin.sseKeyFile
CASE

test_case "a session token works, and is never shown" <<'CASE'
	need_s3
	s3_project
	"$TOP/tests/s3/client" token >"$CASE/token" || { cat "$CASE/token"; skip_case "the server gives no session token"; }
	. "$CASE/token"
	export S3_AS_TOKEN=1
	expect_ok mlv -v push
	expect_no_secret
	expect_ok mlv verify --remote
	good=$AWS_SESSION_TOKEN
	AWS_SESSION_TOKEN=wrong-$good expect_status 128 mlv verify --remote
	expect_no_secret
	start_proxy "0:*:.:status=400,ExpiredToken"
	mlv remote set origin endpoint "$PROXY"
	expect_status 128 mlv verify --remote
	expect_err "has expired"
	expect_no_secret
CASE

test_case "a wrong secret, an unknown key and no key at all are told apart, and no secret is shown" <<'CASE'
	need_s3
	s3_project
	mlv push -q
	AWS_SECRET_ACCESS_KEY=wrong/secret expect_status 128 mlv -v verify --remote
	expect_err "$AWS_ACCESS_KEY_ID (from"
	expect_no_secret
	expect_no_err wrong/secret
	start_proxy "0:*:.:status=403,SignatureDoesNotMatch"
	mlv remote set --local origin endpoint "$PROXY"
	expect_status 128 mlv verify --remote
	expect_err "the secret key that goes with it is wrong"
	expect_no_secret
	proxy_rules "0:*:.:status=403,InvalidAccessKeyId"
	expect_status 128 mlv verify --remote
	expect_err "does not know the access key $AWS_ACCESS_KEY_ID (from"
	mlv remote set --local origin endpoint
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
	expect_status 128 mlv verify --remote
	expect_err "no credentials were found"
	mlv remote set origin anonymous true
	expect_status 128 mlv verify --remote
	expect_err "anonymous requests"
CASE

test_case "a bucket that all may read serves anonymous readers" <<'CASE'
	need_s3
	bucket=open-$$-$CASES
	S3_URL=s3://$bucket/x
	"$TOP/tests/s3/client" PUT "/$bucket"
	printf '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":["s3:GetObject","s3:ListBucket"],"Resource":["arn:aws:s3:::%s","arn:aws:s3:::%s/*"]}]}' \
		$bucket $bucket >"$CASE/policy"
	"$TOP/tests/s3/client" PUT "/$bucket?policy" "$CASE/policy"
	s3_project
	mlv push -q
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
	git clone -q . ../clone
	cd ../clone
	mlv remote set origin anonymous true
	expect_ok mlv pull
	expect_same model.pt ../project/model.pt
	echo 2 >>model.pt
	mlv add -q model.pt
	commit_all two
	expect_status 128 mlv push
	expect_err "access is denied to anonymous requests"
CASE

test_case "another user's bucket says what right is lacking" <<'CASE'
	need_s3
	s3_project
	AWS_ACCESS_KEY_ID=$S3_OTHER_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY=$S3_OTHER_SECRET_ACCESS_KEY \
		expect_status 128 mlv push
	expect_err "needs the right s3:GetObject"
	expect_err "$S3_OTHER_ACCESS_KEY_ID"
CASE

test_case "a bucket that is not there, a host that is not there: clear errors, soon" <<'CASE'
	need_s3
	s3_project
	mlv remote set-url origin s3://no-such-bucket-here/x
	expect_status 128 mlv push
	expect_err "there is no bucket 'no-such-bucket-here'; make it"
	expect_status 1 mlv doctor
	expect_out "there is no bucket"
	mlv remote set-url origin "$S3_URL"
	expect_ok mlv doctor
	expect_out "the first push makes it"
	# Both are tried for half a minute.
	(
		status=0
		timeout 40 git -c mlv-remote.origin.endpoint=http://127.0.0.1:1 -c alias.mlv='!mlv' mlv push \
			>"$CASE/refused" 2>&1 || status=$?
		echo "status $status" >>"$CASE/refused"
	) &
	expect_status 128 timeout 40 git -c mlv-remote.origin.endpoint=http://no-such-host.invalid -c alias.mlv='!mlv' mlv push
	expect_err "no-such-host.invalid"
	wait
	grep -q "127.0.0.1:1.*check host and port" "$CASE/refused"
	grep -qx "status 128" "$CASE/refused"
	for url in s3:// s3:///x s3://a@b/c 's3://a b/c'; do
		expect_status 129 mlv remote set-url origin "$url"
	done
	for endpoint in host ftp://host https://user:pass@host 'https://host?x=1'; do
		expect_status 129 mlv remote set origin endpoint "$endpoint"
		expect_no_err pass@
	done
CASE

test_case "a wrong region is mended with a warning, a foreign redirect is refused" <<'CASE'
	need_s3
	s3_project
	mlv push -q
	start_proxy "1:*:.:redirect=http://evil.example"
	mlv remote set origin endpoint "$PROXY"
	expect_status 128 mlv verify --remote
	expect_err "the server redirects to 'http://evil.example"
	proxy_rules "1:*:.:status=400,AuthorizationHeaderMalformed"
	expect_status 128 mlv verify --remote
	expect_err "set the remote's 'region'"
CASE

test_case "a wrong clock is mended with a warning" <<'CASE'
	need_s3
	need_command faketime
	s3_project
	expect_ok faketime -f -1h mlv push
	expect_err "the clock here is 60 minutes slow"
	expect_ok faketime -f +1h mlv verify --remote
	expect_err "minutes fast"
CASE

test_case "a committed file cannot choose credentials, CA, or what costs" <<'CASE'
	need_s3
	s3_project
	for key in profile cafile anonymous tlsVerify sseKmsKey sseKeyFile storageClass acl requesterPays unsignedPayload; do
		git config -f .mlvconfig "mlv-remote.origin.$key" true
		expect_ok mlv doctor
		expect_err "'mlv-remote.origin.$(echo $key | tr A-Z a-z)' is ignored"
		git config -f .mlvconfig --unset "mlv-remote.origin.$key"
	done
CASE

test_case "the environment and the profile name endpoint and region" <<'CASE'
	need_s3
	s3_project
	mlv remote set origin endpoint
	AWS_ENDPOINT_URL=$S3_ENDPOINT expect_ok mlv push
	AWS_ENDPOINT_URL=http://127.0.0.1:1 AWS_ENDPOINT_URL_S3=$S3_ENDPOINT expect_ok mlv verify --remote
	mkdir -p "$HOME/.aws"
	printf '[profile work]\nendpoint_url = %s\nregion = here\n' "$S3_ENDPOINT" >"$HOME/.aws/config"
	printf '[work]\naws_access_key_id = %s\naws_secret_access_key = %s\n' \
		"$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" >"$HOME/.aws/credentials"
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_REGION AWS_DEFAULT_REGION
	mlv remote set origin profile work
	expect_ok mlv verify --remote
	mlv remote set origin profile none
	expect_status 128 mlv verify --remote
CASE

test_case "what the user set goes with what is pushed" <<'CASE'
	need_s3
	s3_project
	mlv remote set origin storageClass STANDARD
	mlv remote set origin acl private
	mlv remote set origin requesterPays true
	expect_ok mlv push
	expect_ok mlv verify --remote
	expect_status 129 mlv remote set origin sse ROT13
	mlv remote set origin anonymous true
	mlv remote set origin profile x
	expect_status 129 mlv push
	expect_err "exclude each other"
CASE

test_done
