# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/s3/lib.sh"

while read -r action what; do
	test_case "pull: $what" "s3_faults_begin; mlv push -q; breaks_pull $action"
done <<<"$S3_FAULTS"

test_case "pull: killed at each request, it goes on when it is run again" <<'CASE'
	s3_faults_begin
	mlv push -q
	mlv remote set origin timeout 60
	git commit -qam patient
	for ((n = 1; n < 30; n++)); do
		rm -rf ../clone
		git clone -q . ../clone
		cd ../clone
		kills_at $n mlv pull || break
		expect_ok mlv fsck -q
		expect_ok mlv pull
		expect_same_tree data ../project/data
		expect_same model.pt ../project/model.pt
		cd ../project
	done
	[ $n -gt 4 ] && [ $n -lt 30 ]
CASE

test_case "listings in pages that overlap are read to their end" <<'CASE'
	s3_faults_begin
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

test_done
