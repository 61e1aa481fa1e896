# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"

# The bytes of the store's packs.
pack_bytes()
{
	find "${1:-.git/mlv/store}/packs" -name '*.pack' -printf '%s\n' | awk '{ sum += $1 } END { print sum + 0 }'
}

# Makes every pack look so many days old.
age_packs()
{
	find "${2:-.git/mlv/store}/packs" -name '*.pack' -exec touch -d "$1 days ago" {} +
}

# two_versions: a repository whose second version was given up, its commit nowhere left.
two_versions()
{
	new_repo project
	gen_random 2000000 1 model.bin
	gen_tree data 20 1
	mlv add -q model.bin data
	commit_all one
	gen_random 2000000 2 model.bin
	mlv add -q model.bin
	commit_all two
	git reset -q --hard HEAD~
	git reflog expire --expire=now --all
	gen_random 2000000 1 model.bin
}

test_case "a repository without a store has nothing to drop" <<'CASE'
	new_repo project
	expect_ok mlv gc
	expect_out_is "nothing to drop"
CASE

test_case "what no reference reaches any more goes, the rest stays" <<'CASE'
	two_versions
	before=$(pack_bytes)
	expect_ok mlv gc --grace 0
	expect_out "dropped"
	[ $((before - $(pack_bytes))) -ge 2000000 ]
	rm -r model.bin data
	expect_ok mlv checkout
	gen_random 2000000 1 wanted
	expect_same model.bin wanted
	rm wanted
CASE

test_case "a dry run says exactly what the run then does" <<'CASE'
	two_versions
	before=$(pack_bytes)
	expect_ok mlv gc --grace 0 -n --json
	jq -S 'del(.dry_run)' "$CASE/out" >dry
	[ "$(pack_bytes)" = "$before" ]
	expect_ok mlv gc --grace 0 --json
	jq -S 'del(.dry_run)' "$CASE/out" >real
	expect_same dry real
	[ $((before - $(pack_bytes))) = "$(jq .bytes real)" ]
	rm dry real
CASE

test_case "within the grace period nothing goes" <<'CASE'
	two_versions
	before=$(pack_bytes)
	expect_ok mlv gc
	expect_out_is "nothing to drop"
	expect_err "not yet past the grace period"
	[ "$(pack_bytes)" = "$before" ]
	age_packs 13
	expect_ok mlv gc
	[ "$(pack_bytes)" = "$before" ]
	age_packs 15
	expect_ok mlv gc
	expect_out "dropped"
	[ "$(pack_bytes)" -lt "$before" ]
CASE

test_case "mlv.grace is the grace period where none is said" <<'CASE'
	two_versions
	before=$(pack_bytes)
	git config mlv.grace never
	age_packs 1000
	expect_ok mlv gc
	[ "$(pack_bytes)" = "$before" ]
	git config mlv.grace 1h
	expect_ok mlv gc
	[ "$(pack_bytes)" -lt "$before" ]
CASE

test_case "adding again what lies in an old pack makes the pack young" <<'CASE'
	two_versions
	age_packs 100
	gen_random 2000000 2 other.bin
	expect_ok mlv add other.bin
	git reset -q --hard
	# The rest of the packs has aged on; what lies where the add found it has not.
	expect_ok mlv gc --json
	expect_json .objects 0
	expect_json '.young.objects > 0' true
CASE

# reaches SENTENCE: after the body has given version two some other hold, gc keeps it.
still_there()
{
	expect_ok mlv gc --grace 0 --json
	expect_json .objects 0
}

test_case "a branch, a tag, a stash and a reflog entry keep their data" <<'CASE'
	new_repo project
	gen_random 300000 1 a.bin
	mlv add -q a.bin
	commit_all one
	for hold in branch tag lightweight stash reflog; do
		gen_random 300000 "1$(printf %d "'$hold")" a.bin
		mlv add -q a.bin
		case $hold in
		branch) git commit -qam two; git branch kept ;;
		tag) git commit -qam two; git tag -a -m tag kept ;;
		lightweight) git commit -qam two; git tag light ;;
		stash) git stash -q ;;
		reflog) git commit -qam two ;;
		esac
		git reset -q --hard "$(git rev-list --max-parents=0 HEAD)"
		[ $hold = reflog ] || git reflog expire --expire=now HEAD main
		still_there
	done
	git checkout -q kept
	expect_ok mlv checkout
CASE

test_case "what is staged only, and a pointer file that is not even staged, keep their data" <<'CASE'
	new_repo project
	gen_random 300000 1 a.bin
	expect_ok mlv add a.bin
	still_there
	git rm -q --cached a.bin.mlv
	still_there
	rm a.bin.mlv
	expect_ok mlv gc --grace 0
	expect_out "dropped"
CASE

test_case "another work tree's index and pointer files keep their data" <<'CASE'
	new_repo project
	git worktree add -q ../other
	cd ../other
	gen_random 300000 1 a.bin
	expect_ok mlv add a.bin
	cd ../project
	still_there
	git -C ../other rm -q --cached a.bin.mlv
	still_there
	rm ../other/a.bin.mlv
	expect_ok mlv gc --grace 0
	expect_out "dropped"
CASE

test_case "pointers in conflict keep the data of every side" <<'CASE'
	new_repo project
	gen_random 300000 1 a.bin
	mlv add -q a.bin
	commit_all base
	git checkout -q -b side
	gen_random 300000 2 a.bin
	mlv add -q a.bin
	commit_all side
	git checkout -q main
	gen_random 300000 3 a.bin
	mlv add -q a.bin
	commit_all main
	git -c merge.default=text merge side || true
	git branch -q -D side
	# Whatever is left in the index and the file, all sides are named there.
	git ls-files -u | grep -q a.bin.mlv || git ls-files | grep -q a.bin.mlv
	still_there
	git merge --abort || true
CASE

test_case "a pointer file with conflict markers keeps what it names" <<'CASE'
	new_repo project
	gen_random 300000 1 a.bin
	mlv add -q a.bin
	cp a.bin.mlv one
	gen_random 300000 2 a.bin
	mlv add -q a.bin
	cp a.bin.mlv two
	git rm -q --cached a.bin.mlv
	{ echo '<<<<<<< ours'; cat one; echo =======; cat two; echo '>>>>>>> theirs'; } >a.bin.mlv
	rm one two
	still_there
CASE

test_case "a pack of which much is dead is rewritten and its live part stays the same" <<'CASE'
	new_repo project
	gen_random 1000000 1 a.bin
	gen_random 1000000 2 b.bin
	mlv add -q a.bin b.bin
	git rm -q -f --cached b.bin.mlv
	rm b.bin.mlv b.bin
	commit_all one
	expect_ok mlv gc --grace 0 --json
	expect_json .packs_rewritten 2
	rm a.bin
	expect_ok mlv checkout
	gen_random 1000000 1 wanted
	expect_same a.bin wanted
	rm wanted
CASE

test_case "data that were dropped are stored again by the next add" <<'CASE'
	new_repo project
	gen_random 300000 1 a.bin
	mlv add -q a.bin
	git rm -q -f --cached a.bin.mlv
	rm a.bin.mlv
	mlv gc -q --grace 0
	expect_ok mlv add a.bin
	commit_all one
	rm a.bin
	expect_ok mlv checkout
	gen_random 300000 1 wanted
	expect_same a.bin wanted
	rm wanted
CASE

test_case "repositories that share a store keep each other's data" <<'CASE'
	git config --global mlv.store "$PWD/shared"
	for name in one two; do
		(
			new_repo $name
			gen_random 300000 ${#name}$(printf %d "'$name") a.bin
			mlv add -q a.bin
			commit_all "$name"
		)
	done
	[ "$(ls shared/repos | wc -l)" = 2 ]
	cd one
	still_there
	mv ../two ../moved
	expect_status 128 mlv gc --grace 0
	expect_err "--forget-repository"
	expect_err "/two/.git"
	expect_status 128 mlv gc --forget-repository ../three
	expect_ok mlv gc --forget-repository ../two
	expect_ok mlv gc --grace 0
	expect_out "dropped"
	mv ../moved ../two
	rm -rf ../two
CASE

test_case "leftovers of killed commands are swept when they are old" <<'CASE'
	two_versions
	touch -d '2 hours ago' .git/mlv/store/packs/tmp-0123456789abcdef
	touch .git/mlv/store/packs/tmp-fedcba9876543210
	expect_ok mlv gc
	expect_no_file .git/mlv/store/packs/tmp-0123456789abcdef
	expect_file .git/mlv/store/packs/tmp-fedcba9876543210
CASE

test_case "what killed commands left in the work tree is swept, and what a living one has open stays" <<'CASE'
	need_command flock
	two_versions
	mkdir -p data/deep sub
	echo 1 >data/deep/file
	echo 1 >sub/single
	echo 1 >top
	mlv add -q data sub/single top
	left()
	{
		for path in .mlv-tmp-0123456789abcdef data/deep/.mlv-tmp-0123456789abcdef \
			sub/.mlv-tmp-0123456789abcdef .git/mlv/statcache.0123456789abcdef; do
			"$1" $path
		done
	}
	live=data/deep/.mlv-tmp-fedcba9876543210
	mkfifo gate
	touch $live data/.mlv-tmp-notes
	flock $live cat gate &
	holder=$!
	poll 10 sh -c "! flock -n -s $live true"
	left touch
	expect_ok mlv gc
	expect_no_file .mlv-tmp-0123456789abcdef
	expect_no_file data/deep/.mlv-tmp-0123456789abcdef
	expect_no_file sub/.mlv-tmp-0123456789abcdef
	expect_file $live
	expect_file data/.mlv-tmp-notes
	left touch
	echo 2 >data/deep/file
	echo 2 >sub/single
	echo 2 >top
	mlv status -q
	expect_file data/deep/.mlv-tmp-0123456789abcdef
	expect_ok mlv add data sub/single top
	left expect_no_file
	expect_file $live
	: >gate
	wait $holder
	expect_ok mlv gc
	expect_no_file $live
	rm gate
CASE

test_case "gc waits for whoever uses the store, and says so" <<'CASE'
	two_versions
	need_command flock
	mkfifo gate
	flock -s .git/mlv/store/lock cat gate &
	holder=$!
	poll 10 sh -c '! flock -n -x .git/mlv/store/lock true'
	mlv gc --grace 0 >../out 2>../err &
	collector=$!
	poll 10 grep -q "waiting until no other mlv uses the store" ../err
	[ ! -s ../out ]
	: >gate
	wait $holder
	wait $collector
	grep -q dropped ../out
	rm gate
CASE

# at_every_step ACTION: gc of a copy of the store, where that happens to the first change it makes, the second ..., until one
# goes through. After each the store is clean, and holds what it must.
at_every_step()
{
	{ set +x; } 2>/dev/null
	local n=0
	cc -D_GNU_SOURCE -shared -fPIC -O1 -w -o ../fault.so "$TOP/tests/fault/faultlib.c" -ldl -pthread
	cp -r .git/mlv/store ../store
	export FAULT_ROOT=$PWD/.git/mlv/store FAULT_PROGRAM=mlv FAULT_FIRED=$PWD/../fired FAULT_ACTION=$1
	export FAULT_CALLS=create,write,sync,rename,unlink,mkdir,mode
	while [ $n = 0 ] || [ -e ../fired ]; do
		n=$((n + 1))
		rm -rf .git/mlv/store ../fired
		cp -a ../store .git/mlv/store
		run env FAULT_NTH=$n LD_PRELOAD="$PWD/../fault.so" mlv gc --grace 0
		mlv fsck -q >../faults || fail "step $n ($(cat ../fired)): $(cat ../faults)"
	done
	echo "$n steps"
	[ $n -gt 15 ]
}

for action in kill EIO; do
	test_case "a gc to which $action happens anywhere leaves a clean store, and can be run again" <<CASE
	need_command cc
	need_no_tsan "takes over the calls that are to fail"
	two_versions
	git rm -q --cached data.mlv
	rm -r data data.mlv
	git commit -q --amend -m one
	git reflog expire --expire=now --all
	at_every_step $action
	expect_ok mlv gc --grace 0
	expect_out_is "nothing to drop"
	rm model.bin
	expect_ok mlv checkout
	gen_random 2000000 1 wanted
	expect_same model.bin wanted
	rm wanted
CASE
done

# Two versions pushed to ../store, and with git to ../origin.git; then the second given up.
pushed_versions()
{
	git init -q --bare origin.git
	new_repo project
	git remote add origin ../origin.git
	mlv remote add origin ../store
	commit_all remote
	gen_random 2000000 1 model.bin
	mlv add -q model.bin
	commit_all one
	git push -q origin main
	mlv push -q
	git clone -q ../origin.git ../clone
	gen_random 2000000 2 model.bin
	mlv add -q model.bin
	commit_all two
	mlv push -q
}

give_up()
{
	git reset -q --hard HEAD~
	git reflog expire --expire=now --all
	gen_random 2000000 1 model.bin
}

test_case "a remote gives up what this clone pushed and has no commit for any more" <<'CASE'
	pushed_versions
	expect_ok mlv gc --remote --grace 0
	expect_out "origin: nothing to drop"
	give_up
	before=$(pack_bytes ../store)
	expect_ok mlv gc --remote --grace 0 -n --json
	jq -S .packs_deleted "$CASE/out" >dry
	[ "$(pack_bytes ../store)" = "$before" ]
	expect_ok mlv gc --remote --grace 0 --json origin
	jq -S .packs_deleted "$CASE/out" >real
	expect_same dry real
	rm dry real
	[ $((before - $(pack_bytes ../store))) -ge 2000000 ]
	expect_ok mlv verify --remote
	cd ../clone
	expect_ok mlv pull
	gen_random 2000000 1 wanted
	expect_same model.bin wanted
	rm wanted
CASE

test_case "what another clone pushed stays, until that clone is forgotten by name" <<'CASE'
	pushed_versions
	before=$(pack_bytes ../store)
	clone=$(cat .git/mlv/clone)
	cd ../clone
	expect_ok mlv gc --remote --grace 0
	[ "$(pack_bytes ../store)" = "$before" ]
	expect_ok mlv gc --remote --grace 0 --forget "$clone"
	[ "$(pack_bytes ../store)" -lt "$before" ]
CASE

test_case "a remote keeps what is young" <<'CASE'
	pushed_versions
	give_up
	before=$(pack_bytes ../store)
	expect_ok mlv gc --remote
	[ "$(pack_bytes ../store)" = "$before" ]
CASE

test_case "a commit on the git remote keeps its data, and one that is not here keeps all" <<'CASE'
	pushed_versions
	git push -q origin main:other
	give_up
	git update-ref -d refs/remotes/origin/other
	before=$(pack_bytes ../store)
	expect_ok mlv gc --remote --grace 0
	[ "$(pack_bytes ../store)" = "$before" ]
	git -C ../origin.git branch -q -D other
	git -C ../clone commit -q --allow-empty -m elsewhere
	git -C ../clone push -q origin main
	expect_ok mlv gc --remote --grace 0
	expect_err "every commit counts as needed"
	expect_err "git fetch origin"
	[ "$(pack_bytes ../store)" = "$before" ]
	git fetch -q origin
	expect_ok mlv gc --remote --grace 0
	[ "$(pack_bytes ../store)" -lt "$before" ]
CASE

test_case "words that make no sense are usage errors" <<'CASE'
	new_repo project
	expect_status 129 mlv gc origin
	expect_status 129 mlv gc --grace soon
	expect_status 129 mlv gc --forget 0123456789abcdef
	expect_status 129 mlv gc --forget-repository x -n
	expect_ok mlv gc -h
CASE

test_done
