# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"

# Two versions, tagged v1 and v2, of a folder, a large file and a model.
two_versions()
{
	new_repo project
	gen_tree data/set 20 1
	gen_random 5000000 2 data/large.bin
	echo one >model
	mlv add -q data/set data/large.bin model
	mlv commit -q -m "one"
	git tag v1
	cp -a data ../v1
	rm data/set/part0/f000000
	rm -r "data/set/empty folder"
	echo changed >data/set/run.sh
	echo new >data/set/part1/new
	echo two >model
	mlv add -q data/set model
	mlv commit -q -m "two"
	git tag v2
	cp -a data ../v2
}

expect_data()
{
	expect_same_tree data/set "../$1/set"
	expect_same data/large.bin "../$1/large.bin"
	mlv status --exit-code -q
}

test_case "checkout switches git and data together, and back" <<'CASE'
	two_versions
	expect_ok mlv checkout -q v1
	expect_data v1
	expect_content model one
	expect_ok mlv checkout main
	expect_data v2
	expect_content model two
	[ "$(git symbolic-ref --short HEAD)" = main ]
	expect_ok mlv checkout -
	expect_data v1
CASE

test_case "checkout without words follows the pointers after a plain git checkout" <<'CASE'
	two_versions
	git checkout -q v1
	expect_ok mlv checkout
	expect_data v1
	git checkout -q main
	expect_ok mlv checkout
	expect_data v2
CASE

test_case "checkout brings back what was deleted and writes nothing else" <<'CASE'
	two_versions
	rm -r data/set/part3 data/large.bin
	before=$(stat -c %i data/set/part4/f000000)
	expect_ok mlv checkout
	[ "$before" = "$(stat -c %i data/set/part4/f000000)" ]
	expect_data v2
	expect_ok mlv checkout
	expect_err "up to date"
CASE

test_case "unsaved changes are refused with nothing changed, and given up with --force" <<'CASE'
	two_versions
	echo mine >data/set/part4/f000000
	expect_status 128 mlv checkout v1
	expect_err "data/set/part4/f000000"
	expect_err "mlv add"
	[ "$(git symbolic-ref --short HEAD)" = main ]
	expect_content model two
	expect_content data/set/part4/f000000 mine
	expect_status 128 mlv checkout -- data/set
	expect_ok mlv checkout --force v1
	expect_data v1
CASE

test_case "a change that was added is saved, and switching loses nothing" <<'CASE'
	two_versions
	echo mine >data/set/part4/f000000
	mlv add -q data/set
	# Git itself refuses to lose the staged pointer.
	expect_status 128 mlv checkout v1
	expect_content data/set/part4/f000000 mine
	mlv commit -q -m three
	expect_ok mlv checkout v1
	expect_data v1
	expect_ok mlv checkout main
	expect_content data/set/part4/f000000 mine
CASE

test_case "new files stay, and --force makes the folder exact" <<'CASE'
	two_versions
	echo mine >data/set/mine
	expect_ok mlv checkout v1
	expect_content data/set/mine mine
	expect_ok mlv checkout --force
	expect_no_file data/set/mine
	expect_data v1
CASE

test_case "single paths of a revision come with their pointer staged" <<'CASE'
	two_versions
	expect_ok mlv checkout v1 -- model data/set/run.sh
	expect_content model one
	expect_same data/set/run.sh ../v1/set/run.sh
	expect_file data/set/part1/new
	[ "$(git diff --cached --name-only)" = "data/set.mlv
model.mlv" ]
	mlv status --short >../out
	[ "$(git show :model.mlv)" = "$(git show v1:model.mlv)" ]
	grep -q "^M  *data/set/run.sh" ../out
	expect_ok mlv checkout v1 -- data
	expect_same_tree data/set ../v1/set
	[ "$(git show :data/set.mlv)" = "$(git show v1:data/set.mlv)" ]
CASE

test_case "a pointer that was removed comes back from the index" <<'CASE'
	two_versions
	rm model model.mlv
	expect_ok mlv checkout -- model
	expect_content model two
	expect_file model.mlv
	expect_status 128 mlv checkout -- nothing-like-it
	expect_status 128 mlv checkout nothing-like-it
CASE

test_case "a dry run says what would be done and does nothing" <<'CASE'
	two_versions
	expect_ok mlv checkout -n v1
	expect_out "write model"
	expect_out "remove data/set/part1/new"
	expect_out "write data/set/part0/f000000"
	expect_data v2
	expect_ok mlv checkout -n --json v1
	expect_json .command '"checkout"'
	expect_json .dry_run true
	expect_json .removed 1
	expect_json .written 3
	echo mine >model
	expect_status 1 mlv checkout -n v1
	expect_out "conflict model"
CASE

test_case "objects that are not here are named before anything changes" <<'CASE'
	two_versions
	cd ..
	git clone -q project clone
	cd clone
	expect_status 128 mlv checkout
	expect_err "mlv pull"
	expect_no_file model
	expect_no_file data/set
CASE

test_case "switching to a time when git itself had the file keeps git's file" <<'CASE'
	git init -q project
	cd project
	mlv init -q
	mkdir d
	echo "in git" >d/x
	echo "in git too" >table.csv
	git add -A
	git commit -q -m "in git"
	git tag old
	git rm -q -r --cached d table.csv
	echo "in mlv" >d/x
	echo more >d/y
	echo "in mlv too" >table.csv
	mlv add -q d table.csv
	mlv commit -q -m "in mlv"
	expect_ok mlv checkout old
	expect_content d/x "in git"
	expect_content table.csv "in git too"
	expect_no_file d/y
	[ -z "$(git status --short)" ]
	expect_ok mlv checkout main
	expect_content d/x "in mlv"
	expect_content d/y more
	expect_content table.csv "in mlv too"
CASE

test_case "names that are odd come back as they were" <<'CASE'
	new_repo project
	mkdir -p 'data/a b'
	echo 1 >'data/a b/new
line'
	echo 2 >"data/$(printf '\377\376')"
	echo 3 >"data/$(printf 'n%.0s' {1..255})"
	ln -s ../../../etc/passwd data/link
	ln -s nowhere data/dangling
	mkdir data/empty
	deep=data/$(printf 'dddddddddddddddddddddddddddddd/%.0s' {1..60})
	mkdir -p "$deep"
	echo 4 >"$deep/leaf"
	truncate -s 40M data/sparse
	echo end >>data/sparse
	cp -a data ../before
	mlv add -q data
	mlv commit -q -m odd
	rm -rf data
	expect_ok mlv checkout
	expect_same_tree data ../before
	[ "$(stat -c %b data/sparse)" -lt 2000 ]
	mlv status --exit-code -q
CASE

test_case "killed at any moment, checkout goes on where it was" <<'CASE'
	new_repo project
	gen_tree data 2000 1
	gen_random 30000000 2 data/large
	cp -a data ../before
	mlv add -q data
	for delay in 0.005 0.01 0.02 0.04 0.08; do
		rm -rf data
		timeout -s KILL $delay mlv checkout -q || true
	done
	expect_ok mlv checkout
	[ "$(find data -name '.mlv-tmp-*')" = "" ] || fail "files of killed checkouts are left"
	expect_same_tree data ../before
CASE

# A folder disk/tree that does not tell upper case from lower case.
fold_disk()
{
	local loop=
	need_root
	truncate -s 64M ../disk.img
	mkdir disk
	if mkfs.ext4 -q -O casefold ../disk.img 2>/dev/null && mount -o loop ../disk.img disk 2>/dev/null; then
		trap 'cd "$CASE"; umount -l "$CASE/work/disk"' EXIT
		mkdir disk/tree
		chattr +F disk/tree
	elif mkfs.exfat ../disk.img >/dev/null 2>&1 && loop=$(losetup -f --show ../disk.img) &&
		mount.exfat-fuse "$loop" disk >/dev/null 2>&1; then
		# shellcheck disable=SC2064
		trap "cd '$CASE'; umount -l '$CASE/work/disk'; losetup -d '$loop'" EXIT
		mkdir disk/tree
	else
		[ -z "$loop" ] || losetup -d "$loop"
		skip_case "no file system without case can be mounted here"
	fi
}

test_case "two names that differ in case only are refused where a folder cannot hold both, and nothing is lost" <<'CASE'
	fold_disk
	new_repo project
	mkdir -p data/Sub data/sub
	echo upper >data/File
	echo lower >data/file
	echo 1 >data/Sub/x
	echo 2 >data/sub/y
	echo other >data/other
	mlv add -q data
	commit_all one
	git worktree add -q --detach --no-checkout ../disk/tree
	cd ../disk/tree
	git checkout -q HEAD -- .
	expect_status 128 mlv checkout
	expect_err "'File' and 'file' differ in upper and lower case only"
	expect_no_file data/File
	expect_ok mlv checkout -- data/other
	expect_content data/other other
	expect_ok mlv checkout -- data/File
	expect_content data/File upper
	expect_status 128 mlv checkout -- data/file
	expect_content data/File upper
	# what is not saved is never written over
	rm data/File
	echo mine >data/FILE
	expect_status 128 mlv checkout -- data/file
	expect_content data/FILE mine
	expect_status 128 mlv checkout
	expect_content data/FILE mine
	# a change of case alone is no clash
	rm -rf data
	cd ../../project
	rm -r data/Sub data/File
	mlv add -q data
	git commit -q -am two
	mv data/file data/FILE
	mlv add -q data
	git commit -q -am three
	cd -
	git checkout -q -f --detach main~1
	expect_ok mlv checkout -- data
	expect_content data/file lower
	git checkout -q -f --detach main
	expect_ok mlv checkout
	expect_content data/FILE lower
	[ "$(find data -iname file -printf '%f')" = FILE ] || fail "$(ls data)"
	cd "$CASE/work/project"
	git worktree remove --force ../disk/tree
CASE
test_case "the first word is a path where it is no revision, and both is an error" <<'CASE'
	two_versions
	rm model
	expect_ok mlv checkout model.mlv
	expect_content model two
	git branch model
	expect_status 129 mlv checkout model
	expect_ok mlv checkout model --
	[ "$(git symbolic-ref --short HEAD)" = model ]
CASE

test_done
