# SPDX-License-Identifier: Apache-2.0
# mlv bundle: data in one file.
. "$(dirname "$0")/lib.sh"

# Two versions, v1 and v2, of a folder and a file.
versions()
{
	new_repo project
	gen_tree data/set 30 1
	gen_random 600000 2 data/big.bin
	mlv add -q data/set data/big.bin
	commit_all "first"
	git tag v1
	gen_random 3000 3 data/set/part0/new
	rm data/set/part1/f000000
	mlv add -q data/set
	commit_all "second"
	git tag v2
}

# What an archive of a revision holds here and in another clone is the same.
expect_same_data()
{
	mlv archive "$1" >"$CASE/here.tar"
	(cd "$2" && mlv archive "$1") >"$CASE/there.tar"
	expect_same "$CASE/here.tar" "$CASE/there.tar"
}

test_case "a bundle brings the data of a commit to a clone" <<'CASE'
	versions
	expect_ok mlv bundle create ../one.mlvb
	git clone -q . ../clone
	cd ../clone
	expect_ok mlv bundle verify ../one.mlvb
	expect_ok mlv bundle apply ../one.mlvb
	expect_same_data v2 ../project
	expect_status 128 mlv archive v1
CASE

test_case "an incremental bundle holds only what is new" <<'CASE'
	versions
	expect_ok mlv bundle create ../v1.mlvb v1
	expect_ok mlv bundle create ../v2.mlvb v2 --since v1
	expect_ok mlv bundle create ../range.mlvb v1..v2
	[ "$(stat -c %s ../v2.mlvb)" -lt 50000 ]
	[ "$(stat -c %s ../range.mlvb)" -lt 50000 ]
	git clone -q . ../clone
	cd ../clone
	expect_status 1 mlv bundle verify ../v2.mlvb
	expect_out "$(git rev-parse v1)"
	expect_status 128 mlv bundle apply ../v2.mlvb
	expect_err "$(git rev-parse v1 | cut -c 1-12)"
	expect_ok mlv bundle apply ../v1.mlvb
	expect_ok mlv bundle verify ../v2.mlvb
	expect_ok mlv bundle apply ../v2.mlvb
	expect_same_data v1 ../project
	expect_same_data v2 ../project
CASE

test_case "applying again stores nothing" <<'CASE'
	versions
	expect_ok mlv bundle create ../all.mlvb --all
	git clone -q . ../clone
	cd ../clone
	expect_ok mlv bundle apply --json ../all.mlvb
	find .git/mlv/store -name '*.pack' | sort >../before
	expect_ok mlv bundle apply --json ../all.mlvb
	expect_json .stored 0
	find .git/mlv/store -name '*.pack' | sort >../after
	expect_same ../before ../after
	expect_same_data v1 ../project
	expect_same_data v2 ../project
CASE

test_case "--all and --history bring every version" <<'CASE'
	versions
	expect_ok mlv bundle create ../all.mlvb --all
	expect_ok mlv bundle create ../history.mlvb --history v2
	git clone -q . ../clone
	cd ../clone
	expect_ok mlv bundle list --json ../all.mlvb
	expect_json '.commits | length' 3
	expect_json '[.names[].name] | sort' '["refs/heads/main","refs/tags/v1","refs/tags/v2"]'
	expect_ok mlv bundle apply ../history.mlvb
	expect_same_data v1 ../project
	expect_same_data v2 ../project
CASE

test_case "a bundle goes through pipes" <<'CASE'
	versions
	git clone -q . ../clone
	mlv bundle create - v2 | (cd ../clone && mlv bundle apply -)
	expect_same_data v2 ../clone
	mlv bundle create -q - v2 | mlv bundle verify -
	mlv bundle create -q - v2 >../x.mlvb
	mlv bundle list - <../x.mlvb
CASE

test_case "a bundle of paths holds just these" <<'CASE'
	# The clone knows of no remote that has the rest.
	leave_damaged
	versions
	expect_ok mlv bundle create ../part.mlvb -- data/set/part2
	[ "$(stat -c %s ../part.mlvb)" -lt 30000 ]
	expect_ok mlv bundle list ../part.mlvb
	expect_out "data/set/part2"
	git clone -q . ../clone
	cd ../clone
	expect_ok mlv bundle apply ../part.mlvb
	mlv archive HEAD data/set/part2 >../there.tar
	expect_status 128 mlv archive HEAD data/set/part3
	cd ../project
	mlv archive HEAD data/set/part2 >../here.tar
	expect_same ../here.tar ../there.tar
	expect_status 128 mlv bundle create ../none.mlvb -- nowhere
	expect_no_file ../none.mlvb
CASE

test_case "damage is found, and nothing wrong is stored" <<'CASE'
	versions
	expect_ok mlv bundle create ../one.mlvb
	git clone -q . ../clone
	cd ../clone
	size=$(stat -c %s ../one.mlvb)
	for at in 3 30 60 300 5000 $((size / 2)) $((size - 100)) $((size - 1)); do
		cp ../one.mlvb ../bad.mlvb
		printf '\x5a\xa5' | dd of=../bad.mlvb bs=1 seek=$at conv=notrunc status=none
		expect_status 1 mlv bundle verify ../bad.mlvb
		expect_status 128 mlv bundle apply ../bad.mlvb
	done
	for keep in 0 10 100 5000 $((size - 1)); do
		head -c $keep ../one.mlvb >../bad.mlvb
		expect_status 1 mlv bundle verify ../bad.mlvb
		expect_status 128 mlv bundle apply ../bad.mlvb
	done
	expect_ok mlv bundle apply ../one.mlvb
	expect_same_data v2 ../project
CASE

test_case "an apply that was killed is run again" <<'CASE'
	versions
	expect_ok mlv bundle create ../one.mlvb
	git clone -q . ../clone
	cd ../clone
	for part in 1000 100000 400000; do
		mkfifo ../pipe
		mlv bundle apply - <../pipe &
		pid=$!
		exec 9>../pipe
		head -c $part ../one.mlvb >&9
		kill -9 $pid
		wait $pid || true
		exec 9>&-
		rm ../pipe
	done
	expect_ok mlv bundle apply ../one.mlvb
	expect_same_data v2 ../project
CASE

test_case "objects that are not here are named" <<'CASE'
	versions
	git clone -q . ../clone
	cd ../clone
	expect_status 128 mlv bundle create ../x.mlvb
	expect_err "mlv fetch"
	expect_no_file ../x.mlvb
CASE

test_case "nothing to bundle is an error" <<'CASE'
	versions
	expect_status 128 mlv bundle create ../x.mlvb --since v2
	expect_status 128 mlv bundle create ../x.mlvb nowhere
	expect_status 129 mlv bundle create ../x.mlvb v1...v2
	expect_status 129 mlv bundle create
	expect_status 129 mlv bundle
	expect_status 129 mlv bundle nonsense
	git init -q ../empty
	cd ../empty
	mlv init -q
	expect_status 128 mlv bundle create ../x.mlvb
	expect_no_file ../x.mlvb
CASE

test_case "commits without new data make a bundle that is whole" <<'CASE'
	versions
	git commit -q --allow-empty -m "third"
	expect_ok mlv bundle create ../x.mlvb --since v2
	expect_ok mlv bundle verify --json ../x.mlvb
	expect_json '[.objects, .packs, .whole]' '[0,0,true]'
CASE

test_case "a bundle can be looked at outside of a repository" <<'CASE'
	versions
	expect_ok mlv bundle create ../x.mlvb v2 --since v1
	cd ..
	expect_ok mlv bundle list x.mlvb
	expect_out "$(git -C project rev-parse v2)"
	expect_ok mlv bundle verify x.mlvb
	expect_status 128 mlv bundle apply x.mlvb
CASE

test_case "a bundle of another repository is taken with a warning" <<'CASE'
	versions
	expect_ok mlv bundle create ../x.mlvb
	cd ..
	new_repo other
	expect_ok mlv bundle apply ../x.mlvb
	expect_err "another repository"
CASE

test_done
