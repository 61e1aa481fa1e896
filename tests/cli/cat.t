# SPDX-License-Identifier: Apache-2.0
# mlv cat: a file of any version, or a range of it, on stdout.
. "$(dirname "$0")/lib.sh"

make_data()
{
	new_repo project
	mkdir -p data/images
	printf '0123456789' >data/images/digits
	: >data/images/empty
	ln -s digits data/images/link
	gen_random 5000000 1 model.bin
	mlv add -q data/images model.bin
	git commit -q -m "first"
	git tag v1.0
}

test_case "a tracked file and a file in a tracked directory come out as they are" <<'CASE'
	make_data
	mlv cat model.bin | cmp - model.bin
	mlv cat data/images/digits | cmp - data/images/digits
	expect_ok mlv cat data/images/empty
	expect_silence
	cd data
	mlv cat ../model.bin images/digits >../both
	cat ../model.bin images/digits | cmp - ../both
CASE

test_case "an older version, the index, and data that are not checked out" <<'CASE'
	make_data
	cp model.bin old.bin
	gen_random 3000000 2 model.bin
	mlv add -q model.bin
	mlv cat v1.0:model.bin | cmp - old.bin
	mlv cat :model.bin | cmp - model.bin
	cp model.bin new.bin
	rm model.bin
	mlv cat model.bin | cmp - new.bin
	mlv cat model.bin.mlv | cmp - new.bin
CASE

test_case "--range gives bytes from 0 with both ends included" <<'CASE'
	make_data
	expect_ok mlv cat --range 0-0 data/images/digits
	expect_out_is 0
	expect_ok mlv cat --range 2-5 data/images/digits
	expect_out_is 2345
	expect_ok mlv cat --range 7- data/images/digits
	expect_out_is 789
	expect_ok mlv cat --range -3 data/images/digits
	expect_out_is 789
	expect_ok mlv cat --range=8-100 data/images/digits
	expect_out_is 89
	expect_ok mlv cat --range -100 data/images/digits
	expect_out_is 0123456789
	mlv cat --range 1234567-3456789 model.bin >part
	head -c 3456790 model.bin | tail -c 2222223 | cmp - part
	expect_ok mlv cat --range 9-99999999999999999999999999 data/images/digits
	expect_out_is 9
	expect_ok mlv cat --range -99999999999999999999999999 data/images/digits
	expect_out_is 0123456789
	expect_ok mlv cat data/images/empty
	expect_silence
	expect_ok mlv cat --range -5 data/images/empty
	expect_silence
CASE

test_case "a range that is none, or lies behind the end, is an error" <<'CASE'
	make_data
	for range in x 5 5-2 - a-b 1-2-3 -x "" "1 -2" +1-2 0x1-0x2 99999999999999999999999-5; do
		expect_status 129 mlv cat --range "$range" data/images/digits
		expect_err "is no range"
	done
	for range in 10-11 10-10 10- 99999999999999999999- 18446744073709551615-18446744073709551616 -0; do
		expect_status 128 mlv cat --range "$range" data/images/digits
		expect_err "'data/images/digits' has 10 bytes, and none in the range '$range'"
		[ ! -s "$CASE/out" ] || fail "something was written"
	done
	expect_status 128 mlv cat --range 0-0 data/images/empty
	expect_err "has 0 bytes"
CASE

test_case "a directory and an unknown path are errors" <<'CASE'
	make_data
	expect_status 128 mlv cat data/images
	expect_err "'data/images' is a directory; 'mlv ls data/images' lists it"
	expect_status 128 mlv cat data
	expect_err "is a directory"
	expect_status 128 mlv cat nothing
	expect_err "no tracked data at 'nothing'"
	expect_status 129 mlv cat
CASE

test_case "a symlink gives its target, as git show does" <<'CASE'
	make_data
	expect_ok mlv cat data/images/link
	expect_out_is digits
CASE

test_case "a reader that has enough ends it quietly" <<'CASE'
	make_data
	{ mlv cat model.bin 2>err || echo $? >status; } | head -c 10 >part
	[ ! -s err ]
	[ "$(cat status)" = 141 ]
CASE

test_case "a file that is not here is named, with the way to bring it" <<'CASE'
	make_data
	rm -rf .git/mlv/store
	leave_damaged
	expect_status 128 mlv cat model.bin
	expect_err "'model.bin' is not here: object sha256:"
	expect_err "'mlv fetch' or 'mlv pull -- model.bin' brings it"
CASE

test_case "damaged data are an error and never wrong bytes" <<'CASE'
	make_data
	cp model.bin good.bin
	for pack in .git/mlv/store/packs/*/*.pack; do
		chmod u+w "$pack"
		size=$(stat -c %s "$pack")
		[ "$size" -gt 1000000 ] || continue
		printf 'XXXXXXXX' | dd of="$pack" bs=1 seek=$((size / 2)) conv=notrunc status=none
	done
	leave_damaged
	run mlv cat model.bin
	[ "$STATUS" = 128 ]
	expect_err "is damaged"
	cmp -n "$(stat -c %s "$CASE/out")" "$CASE/out" good.bin
CASE

test_case "what is not here is read from the remote" <<'CASE'
	mlv help | grep -q '^ *push ' || skip_case "needs push"
	make_data
	mlv remote add origin "$PWD/../remote"
	mlv push -q origin HEAD
	rm -rf .git/mlv/store
	leave_damaged
	mlv cat HEAD:model.bin | cmp - model.bin
	mlv cat --range 4000000-4000009 model.bin >part
	head -c 4000010 model.bin | tail -c 10 | cmp - part
	mlv cat data/images/digits | cmp - data/images/digits
CASE

test_done
