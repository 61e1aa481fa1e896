# SPDX-License-Identifier: Apache-2.0
# A disk that fills up, and shared blocks: small file systems in files on loop devices.
. "$(dirname "$0")/lib.sh"

# new_disk MKFS SIZE: a file system at $CASE/work/disk, unmounted when the case ends.
new_disk()
{
	need_root
	need_command "${1%% *}"
	truncate -s "$2" ../disk.img
	# shellcheck disable=SC2086 # a command with its options
	$1 ../disk.img >/dev/null
	mkdir disk
	mount -o loop ../disk.img disk || skip_case "a loop device cannot be mounted here"
	trap 'cd "$CASE"; umount -l "$CASE/work/disk"' EXIT
}

# The state that a full disk must leave, and what follows once there is room.
still_whole()
{
	expect_ok mlv fsck -q
	mlv cat HEAD:small.bin | cmp - ../../small.bin
}

test_case "add on a disk without room says so, harms nothing, and succeeds once there is room" <<'CASE'
	new_disk "mkfs.ext4 -q -F" 24M
	gen_random 3000000 1 small.bin
	head -c 6000000 /dev/zero >disk/ballast
	cp small.bin disk/
	cd disk
	mkdir project && mv small.bin project/ && cd project
	git init -q . && mlv init -q
	mlv add -q small.bin
	git add -A && git commit -q -m one
	gen_random 5000000 2 large.bin
	gen_tree many 100 3000 4
	expect_status 128 mlv add large.bin
	expect_err "No space left on device"
	still_whole
	expect_no_file large.bin.mlv
	expect_status 128 mlv add large.bin
	still_whole
	rm ../ballast
	expect_ok mlv add -q large.bin
	mlv cat :large.bin | cmp - large.bin
	expect_ok mlv fsck -q
CASE

test_case "a disk that is full to the last block: nothing can be added, all can be read, gc makes room" <<'CASE'
	new_disk "mkfs.ext4 -q -F -m 0" 24M
	gen_random 3000000 1 small.bin
	cd disk
	mkdir project && cp ../small.bin project/ && cd project
	git init -q . && mlv init -q
	mlv add -q small.bin
	git add -A && git commit -q -m one
	gen_random 4000000 2 gone.bin
	mlv add -q gone.bin
	git rm -q -f --cached gone.bin.mlv
	rm gone.bin gone.bin.mlv
	gen_random 200000 3 new.bin
	cat /dev/zero >ballast 2>/dev/null || true
	sync
	cat /dev/zero >ballast.2 2>/dev/null || true
	run mlv add new.bin
	[ "$STATUS" = 128 ] || fail "status $STATUS"
	expect_err "No space left on device"
	still_whole
	run mlv gc --grace 0
	still_whole
	rm ballast.2
	run mlv gc --grace 0
	still_whole
	rm ballast
	expect_ok mlv gc --grace 0
	expect_ok mlv add -q new.bin
	expect_ok mlv fsck -q
CASE

test_case "checkout and pull on a disk without room leave the workspace as it was" <<'CASE'
	new_disk "mkfs.ext4 -q -F -m 0" 56M
	new_repo project
	mlv remote add origin "$CASE/work/remote"
	gen_random 1000000 1 model.bin
	mlv add -q model.bin
	git commit -q -m one
	mlv push -q
	git clone -q "$CASE/work/project" ../disk/clone
	(cd ../disk/clone && mlv pull -q)
	gen_random 12000000 2 model.bin
	mlv add -q model.bin
	git commit -q -m two
	mlv push -q
	cd ../disk/clone
	git pull -q
	# Room for neither; then for what is fetched, not for what is checked out.
	for room in 3000000 16000000; do
		rm -f ../ballast
		sync
		head -c $(($(df --output=avail -B1 .. | tail -n 1) - room)) /dev/zero >../ballast
		expect_status 128 mlv pull
		grep -q -e "no room" -e "No space" "$CASE/err" || fail "$(cat "$CASE/err")"
		expect_ok mlv fsck -q
		gen_random 1000000 1 | cmp - model.bin
	done
	rm ../ballast
	expect_ok mlv pull -q
	expect_same model.bin ../../project/model.bin
CASE

test_case "where blocks are shared, a clone that is refused is copied" <<'CASE'
	. "$TOP/tests/fault/lib.sh"
	new_disk "mkfs.xfs -q" 320M
	fault_library
	fault_begin
	cd disk
	new_repo project
	gen_random 3000000 1 model.bin
	gen_random 300000 2 small.bin
	git add -A . && git rm -q -r --cached .
	SCENE=$CASE/work/disk
	for n in 1 2 3 4 5 6 7 8 9 10 11 12; do
		rm -rf ../run
		cp -a ../project ../run
		cd ../run
		FAULT_CALLS=clone FAULT_ACTION=EXDEV FAULT_NTH=$n
		export FAULT_CALLS FAULT_ACTION FAULT_NTH
		rm -f "$CASE/fired"
		fault_run mlv add model.bin small.bin
		[ "$STATUS" = 0 ] || fail "clone $n: status $STATUS: $(cat "$CASE/err")"
		[ -e "$CASE/fired" ] || break
		mlv cat :model.bin | cmp - model.bin
		mlv cat :small.bin | cmp - small.bin
		mlv fsck -q
	done
	[ "$n" -gt 2 ] || fail "nothing was cloned at all"
CASE

test_done
