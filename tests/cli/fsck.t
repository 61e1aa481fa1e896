# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"

STORE=.git/mlv/store

# A committed directory and a large file.
small_project()
{
	new_repo project
	gen_tree data 10 1
	gen_random 1000000 1 model.bin
	mlv add -q data model.bin
	commit_all one
}

# data_pack, meta_pack: the larger and the smaller one.
data_pack()
{
	find $STORE/packs -name '*.pack' -printf '%s %p\n' | sort -n | tail -n 1 | cut -d ' ' -f 2
}

meta_pack()
{
	find $STORE/packs -name '*.pack' -printf '%s %p\n' | sort -n | head -n 1 | cut -d ' ' -f 2
}

# damage FILE OFFSET
damage()
{
	chmod u+w "$1"
	printf '\377\376\375' | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

test_case "a store that is well is called clean" <<'CASE'
	small_project
	expect_ok mlv fsck
	expect_out "no fault"
	expect_ok mlv fsck -q
	expect_silence
	expect_ok mlv fsck --json
	expect_json '[.faults, .found, .left]' '[[],0,0]'
CASE

test_case "a repository without a store is clean" <<'CASE'
	new_repo project
	expect_ok mlv fsck
	expect_ok mlv fsck --json
	expect_json .found 0
CASE

test_case "a damaged object is found, named, and exits with 1" <<'CASE'
	small_project
	damage "$(data_pack)" 5000
	expect_status 1 mlv fsck
	expect_out "is damaged"
	expect_out "1 fault"
	expect_status 1 mlv fsck --json
	expect_json '.faults[0].kind' '"object"'
	expect_json '.faults[0].object_kind' '"blob"'
	leave_damaged
CASE

test_case "a repair saves what is good and says what is lost" <<'CASE'
	small_project
	damage "$(data_pack)" 5000
	expect_status 1 mlv fsck --repair
	expect_out "no good copy was found"
	expect_out "mended 1, left 1"
	expect_file $STORE/damaged
	# Nothing is said of it by the store; what names it is here, and there is no remote.
	expect_status 1 mlv fsck --json
	expect_json '[.faults[].kind]' '["missing"]'
	# The data are still in the work tree.
	expect_ok mlv add data model.bin
	expect_ok mlv fsck
CASE

test_case "a damaged or lost index is made anew from the packs" <<'CASE'
	small_project
	for index in $STORE/live/i-*; do
		damage "$index" 100
	done
	expect_status 1 mlv fsck
	expect_out "live/i-"
	expect_ok mlv fsck --repair
	expect_ok mlv fsck -q
	expect_silence
	rm -f $STORE/live/i-*
	expect_status 1 mlv fsck
	expect_out "only a pack that no index names has it"
	expect_ok mlv fsck --repair
	rm -r data
	expect_ok mlv checkout
	expect_file data/part0/f000000
CASE

test_case "a pack that is gone is a fault, and a repair forgets it" <<'CASE'
	small_project
	rm -f "$(data_pack)"
	expect_status 1 mlv fsck
	expect_out "which is not there"
	expect_status 1 mlv fsck --repair
	expect_ok mlv add data model.bin
	expect_ok mlv fsck
CASE

test_case "damage to a pack's table costs nothing where the index is good" <<'CASE'
	small_project
	pack=$(data_pack)
	damage "$pack" $(($(stat -c %s "$pack") - 40))
	expect_status 1 mlv fsck
	expect_ok mlv fsck --repair
	expect_out "left 0"
	rm -r data model.bin
	expect_ok mlv checkout
	gen_random 1000000 1 wanted
	expect_same model.bin wanted
	rm wanted
CASE

test_case "a truncated pack, an empty one and an empty index are found" <<'CASE'
	small_project
	cp -r $STORE ../store
	for file in "$(data_pack)" "$(meta_pack)" $STORE/live/i-*; do
		for length in 0 40; do
			chmod u+w "$file"
			truncate -s $length "$file"
			expect_status 1 mlv fsck
			rm -rf $STORE
			cp -r ../store $STORE
		done
	done
	expect_ok mlv fsck
CASE

test_case "every file of the store is looked at" <<'CASE'
	small_project
	cp -r $STORE ../store
	find $STORE -type f ! -name lock ! -name generation >../files
	while read -r file; do
		damage "$file" $(($(stat -c %s "$file") / 2))
		run mlv fsck
		[ "$STATUS" = 1 ] || fail "damage to '$file' was not found: $STATUS"
		rm -rf $STORE
		cp -r ../store $STORE
	done <../files
CASE

test_case "a damaged format file is mended, another version is not touched" <<'CASE'
	small_project
	chmod u+w $STORE/format
	cp $STORE/format ../format
	sed -i s/sha256/sha25x/ $STORE/format
	expect_status 128 mlv add data
	expect_status 1 mlv fsck
	expect_ok mlv fsck --repair
	expect_same $STORE/format ../format
	sed -i 's/^mlv 1$/mlv 2/' $STORE/format
	expect_status 128 mlv fsck
	expect_err "newer mlv"
	cp ../format $STORE/format
CASE

test_case "temporary files and packs that no index names yet are no faults" <<'CASE'
	small_project
	printf 'half a pa' >$STORE/packs/tmp-0123456789abcdef
	printf 'half an i' >$STORE/live/tmp-0123456789abcdef
	gen_random 300000 5 b.bin
	ls $STORE/live >../before
	mlv add -q b.bin
	git rm -q -f --cached b.bin.mlv
	rm b.bin.mlv b.bin
	for index in $(ls $STORE/live | grep -vxFf ../before); do
		rm -f "$STORE/live/$index"
	done
	expect_ok mlv fsck
	expect_ok mlv fsck --json
	expect_json .unindexed_packs 2
CASE

test_case "a pointer whose totals are wrong is a fault" <<'CASE'
	small_project
	sed -i 's/^files .*/files 3/' data.mlv
	expect_status 1 mlv fsck
	expect_out "are said of it"
	expect_out "'data'"
	git checkout -q data.mlv
CASE

test_case "a broken pointer is a fault, one in conflict and somebody else's file are not" <<'CASE'
	small_project
	sed -i 's/^depth .*/depth 99/' model.bin.mlv
	expect_status 1 mlv fsck --json
	expect_json '[.faults[].kind]' '["pointer"]'
	printf '<<<<<<< ours\nmlv 1\n=======\nmlv 1\n>>>>>>> theirs\n' >model.bin.mlv
	expect_ok mlv fsck
	git checkout -q model.bin.mlv
	echo '(* standard ML *)' >program.mlv
	git add program.mlv
	expect_ok mlv fsck
	for damage in '' 'xlv 1' 'PK'; do
		printf '%s' "$damage" >model.bin.mlv
		expect_status 1 mlv fsck
		expect_out "the pointer of 'model.bin' (work tree) is broken"
		expect_out "git checkout -- model.bin.mlv"
	done
	head -c 100000 /dev/zero >model.bin.mlv
	expect_status 1 mlv fsck --json
	expect_json '[.faults[] | [.kind, .path]]' '[["pointer","model.bin"]]'
	git checkout -q model.bin.mlv
	rm model.bin.mlv
	expect_ok mlv fsck
	git checkout -q model.bin.mlv
CASE

test_case "what was never fetched is counted and no fault" <<'CASE'
	small_project
	git clone -q . ../clone
	cd ../clone
	expect_ok mlv fsck
	gen_random 1000 9 own.bin
	expect_ok mlv add own.bin
	expect_ok mlv fsck
	expect_out "not here, as never fetched: 2 objects"
CASE

test_case "a repair fetches damaged objects from a remote" <<'CASE'
	new_repo project
	mlv remote add origin ../remote
	commit_all remote
	gen_tree data 10 1
	gen_random 1000000 1 model.bin
	mlv add -q data model.bin
	commit_all one
	mlv push -q
	damage "$(data_pack)" 5000
	damage "$(meta_pack)" 200
	expect_status 1 mlv fsck
	expect_ok mlv fsck --repair
	expect_out "left 0"
	rm -r data model.bin
	expect_ok mlv checkout
	gen_random 1000000 1 wanted
	expect_same model.bin wanted
	rm wanted
CASE

test_case "what is partly here and nowhere else is a fault" <<'CASE'
	new_repo project
	mlv remote add origin ../remote
	commit_all remote
	gen_tree data 10 1
	mlv add -q data
	commit_all one
	mlv push -q
	rm -f "$(data_pack)"
	mlv fsck -q --repair
	expect_ok mlv fsck -q
	rm -f "$(data_pack)"
	mv ../remote ../elsewhere
	expect_status 1 mlv fsck --repair
	expect_status 1 mlv fsck
	expect_out "neither here nor on a remote"
	mv ../elsewhere ../remote
	expect_ok mlv fsck
	expect_out "not here, as never fetched"
CASE

test_done
