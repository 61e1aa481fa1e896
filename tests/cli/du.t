# SPDX-License-Identifier: Apache-2.0
# mlv du: what data take up as files, in the store, and together.
. "$(dirname "$0")/lib.sh"

# Incompressible, so that sizes in the store are known.
make_data()
{
	new_repo project
	mkdir -p data/a data/b
	gen_random 100000 1 data/a/one
	gen_random 100000 2 data/a/two
	gen_random 100000 1 data/b/one
	gen_random 50000 3 data/b/other
	mlv add -q data/a data/b
	git commit -q -m "first"
	git tag v1.0
}

test_case "each thing tracked has a line, and there is a total" <<'CASE'
	make_data
	expect_ok mlv du --json
	expect_json '[.paths[] | [.path, .bytes, .files]]' '[["data/a",200000,2],["data/b",150000,2]]'
	expect_json '[.total.bytes, .total.files]' '[350000,4]'
	expect_ok mlv du
	expect_out "PATH"
	grep -Eq '195\.3 KiB +2 .* data/a$' "$CASE/out"
	grep -Eq '341\.8 KiB +4 .* total$' "$CASE/out"
CASE

test_case "stored counts each object once, shared what others need too" <<'CASE'
	make_data
	expect_ok mlv du --json data
	expect_json '[.paths[] | .stored > .bytes and .stored < .bytes + 1000]' '[true,true]'
	expect_json '[.paths[].shared]' '[100000,100000]'
	expect_json '.total.stored > 250000 and .total.stored < 251000' true
	# HEAD's other data count as well.
	expect_ok mlv du --json data/a
	expect_json '.paths[0].shared' 100000
CASE

test_case "-s sums up a folder, within which nothing is shared" <<'CASE'
	make_data
	expect_ok mlv du -s --json data
	expect_json '[.paths[] | [.path, .bytes, .files, .shared]]' '[["data",350000,4,0]]'
CASE

test_case "a directory and a file within tracked data can be asked for" <<'CASE'
	make_data
	expect_ok mlv du --json data/a/two v1.0:data/b/one
	expect_json '[.paths[] | [.path, .bytes, .stored]]' \
		'[["data/a/two",100000,100000],["data/b/one",100000,100000]]'
	expect_json '.paths[1].rev' '"v1.0"'
CASE

test_case "versions share what did not change" <<'CASE'
	make_data
	gen_random 60000 4 data/a/three
	mlv add -q data/a
	git commit -q -m "second"
	expect_ok mlv du --json v1.0:data/a HEAD:data/a
	expect_json '[.paths[].bytes]' '[200000,260000]'
	expect_json '[.paths[].shared]' '[200000,200000]'
	expect_json '.total.stored > 260000 and .total.stored < 262000' true
CASE

test_case "--bytes prints plain numbers" <<'CASE'
	make_data
	expect_ok mlv du --bytes data/a/one
	grep -Eq '^ *100000 +1 +100000 +100000 +0  data/a/one$' "$CASE/out"
CASE

test_case "what is not here is counted as missing" <<'CASE'
	make_data
	rm -rf .git/mlv/store
	leave_damaged
	expect_ok mlv du --json
	expect_json '.total | [.bytes, .stored, .missing_objects, .missing_bytes_known]' \
		'[350000,0,2,false]'
	expect_ok mlv du
	expect_out "0 B+"
CASE

test_case "nothing tracked takes nothing" <<'CASE'
	new_repo project
	expect_ok mlv du --json
	expect_json '[.paths, .total.bytes]' '[[],0]'
CASE

test_case "an unknown path is an error" <<'CASE'
	make_data
	expect_status 128 mlv du nothing
	expect_err "no tracked data at 'nothing'"
CASE

test_done
