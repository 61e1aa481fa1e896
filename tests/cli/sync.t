# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"

# A repository with data and a remote folder, and git's own remote beside.
origin()
{
	git init -q --bare origin.git
	new_repo project
	git remote add origin ../origin.git
	gen_tree data 40 1
	gen_random 3000000 2 model.pt
	mlv add -q data model.pt
	mlv remote add origin ../store
	commit_all one
	git push -q origin main
}

test_case "what is pushed is cloned elsewhere, byte for byte" <<'CASE'
	origin
	expect_ok mlv push
	expect_ok mlv push
	expect_err "up to date"
	cd ..
	sed -i 's|url = .*|url = '"$PWD"'/store|' project/.mlvconfig
	git -C project commit -qam url
	git -C project push -q origin main
	expect_ok mlv clone origin.git elsewhere
	expect_same_tree project/data elsewhere/data
	expect_same project/model.pt elsewhere/model.pt
	cd elsewhere
	expect_ok mlv status
	expect_out "nothing changed"
	expect_ok mlv pull
	expect_err "up to date"
	expect_ok mlv verify
	expect_ok mlv verify --remote
CASE

test_case "a dry run sends nothing and says what would go" <<'CASE'
	origin
	expect_ok mlv push -n
	expect_out "would be sent"
	expect_no_file ../store/live
	expect_ok mlv push --json
	sent=$(jq .bytes <"$CASE/out")
	[ "$sent" -gt 3000000 ] || fail "only $sent bytes"
CASE

test_case "only what the remote lacks is sent" <<'CASE'
	origin
	mlv push -q
	echo new >data/part0/new
	mlv add -q data
	commit_all two
	expect_ok mlv push --json
	sent=$(jq .bytes <"$CASE/out")
	[ "$sent" -lt 20000 ] || fail "$sent bytes for one small file"
	expect_ok mlv verify --remote
CASE

test_case "one path is pulled alone, and the rest does not count as deleted" <<'CASE'
	origin
	mlv push -q
	git clone -q ../origin.git ../clone
	cd ../clone
	file=$(cd ../project && find data -type f -name 'f*' | sort | head -n 1)
	expect_ok mlv pull -- "$file"
	expect_same "$file" "../project/$file"
	[ "$(find data -type f | wc -l)" = 1 ] || fail "more than one file was brought"
	expect_ok mlv status --short -- data
	expect_no_out " D "
	echo changed >"$file"
	expect_ok mlv add data
	git commit -qm partial
	mlv push -q
	expect_ok mlv ls -R HEAD:data
	[ "$(wc -l <"$CASE/out")" -ge 40 ] || fail "files were lost from the directory"
	expect_ok mlv pull
	expect_ok mlv status
	cd ../project
	git fetch -q ../clone main
	expect_ok mlv fetch FETCH_HEAD
	expect_ok mlv cat "FETCH_HEAD:$file"
	expect_out_is changed
CASE

test_case "verify says what is missing, and exits with 1" <<'CASE'
	origin
	expect_status 128 mlv verify --remote
	mkdir ../store
	mlv push -q -- model.pt
	expect_status 1 mlv verify --remote
	expect_out "of data"
	expect_no_out model.pt
	mlv push -q
	expect_ok mlv verify --remote --json
	expect_json .complete true
	echo 2 >>model.pt
	mlv add -q model.pt
	commit_all two
	expect_status 1 mlv verify --remote
	expect_ok mlv status --remote --short
	expect_out "^^ model.pt"
CASE

test_case "what vanished from a remote is found by a recheck, and mended" <<'CASE'
	origin
	mlv push -q
	mlv push -q --recheck
	before=$(ls ../store/live)
	expect_ok mlv push --recheck
	expect_err "up to date"
	[ "$before" = "$(ls ../store/live)" ] || fail "a recheck of what is well changed the remote"
	# a pack that is gone, one that was cut short
	mapfile -t packs < <(find ../store/packs -name '*.pack' -size +100k | sort)
	rm -f "${packs[0]}"
	for pack in $(find ../store/packs -name '*.pack' -size -100k | head -1); do
		chmod u+w "$pack"
		truncate -s -1 "$pack"
	done
	expect_ok mlv push
	expect_err "up to date"
	expect_status 1 mlv verify --remote
	expect_err "mlv push --recheck"
	expect_ok mlv push -n --recheck
	expect_out "would be sent"
	expect_status 1 mlv verify --remote
	expect_ok mlv push --json --recheck
	expect_json .packs_lost 2
	expect_json .lost 0
	expect_ok mlv verify --remote
	expect_no_err "packs"
	expect_ok mlv push --recheck
	expect_err "up to date"
	# a later gc takes the damaged rest away, and what is good stays
	expect_ok mlv gc --remote origin --grace 0
	expect_ok mlv verify --remote
	cd ..
	sed -i 's|url = .*|url = '"$PWD"'/store|' project/.mlvconfig
	git -C project commit -qam url
	git -C project push -q origin main
	expect_ok mlv clone origin.git elsewhere
	expect_same_tree project/data elsewhere/data
	expect_same project/model.pt elsewhere/model.pt
CASE

test_case "an index that vanished from a remote is made anew without sending the packs" <<'CASE'
	origin
	mlv push -q
	packs=$(find ../store/packs -name '*.pack' | sort)
	rm -f ../store/live/i-*
	expect_ok mlv push
	expect_err "up to date"
	expect_status 1 mlv verify --remote
	expect_ok mlv push --recheck
	expect_err "found in packs that no index named"
	expect_err "nothing had to be sent"
	[ "$packs" = "$(find ../store/packs -name '*.pack' | sort)" ] || fail "packs were sent"
	expect_ok mlv verify --remote
	# all is gone but the roots
	rm -rf ../store/live/i-* ../store/packs
	expect_ok mlv push --recheck
	expect_ok mlv verify --remote
CASE

test_case "a recheck sends what it can and says what is lost" <<'CASE'
	origin
	mlv push -q
	find ../store/packs -name '*.pack' -size +1M >first
	gen_random 3000000 9 model.pt
	mlv add -q model.pt
	git commit -q -m two
	mlv push -q
	rm -rf .git/mlv/store
	mlv pull -q
	xargs rm -f <first
	rm -f first
	expect_status 1 mlv push --recheck
	expect_err "earlier pushes sent"
	expect_ok mlv verify --remote
	expect_status 128 mlv push --recheck --all
	expect_err "neither in this store nor on the remote"
CASE

test_case "unsaved data are not overwritten by a pull" <<'CASE'
	origin
	mlv push -q
	git clone -q ../origin.git ../clone
	cd ../clone
	mlv pull -q
	echo "my own" >model.pt
	cd ../project
	gen_random 5000 9 model.pt
	mlv add -q model.pt
	commit_all two
	mlv push -q
	git push -q origin main
	cd ../clone
	git stash -q 2>/dev/null || true
	git pull -q
	expect_status 128 mlv pull
	expect_err model.pt
	expect_content model.pt "my own"
	expect_ok mlv pull --force
	expect_same model.pt ../project/model.pt
CASE

test_case "two clones push different commits at once and nothing is lost" <<'CASE'
	origin
	mlv push -q
	git clone -q ../origin.git ../clone
	(cd ../clone && mlv pull -q)
	for round in 1 2 3; do
		gen_random 400000 "1$round" model.pt
		gen_random 400000 "2$round" ../clone/model.pt
		mlv add -q model.pt
		git commit -qm "here $round"
		(cd ../clone && mlv add -q model.pt && git commit -qm "there $round")
		mlv push -q &
		first=$!
		(cd ../clone && mlv push -q)
		wait $first
	done
	expect_ok mlv verify --remote
	(cd ../clone && mlv verify --remote) || fail "the other clone's data are not whole"
CASE

test_case "remotes are added, listed, renamed, changed and removed" <<'CASE'
	new_repo project
	expect_status 128 mlv push
	expect_ok mlv remote add origin ../store
	grep -q 'mlv-remote "origin"' .mlvconfig || fail "not in .mlvconfig"
	expect_ok mlv remote add --local scratch ../scratch
	expect_ok mlv remote list --json
	expect_json '.remotes | length' 2
	expect_ok mlv remote default origin
	expect_ok mlv remote default
	expect_out_is origin
	expect_ok mlv remote rename scratch spare
	expect_ok mlv remote set-url --local spare ../elsewhere
	expect_ok mlv remote
	expect_out ../elsewhere
	expect_ok mlv remote remove spare
	expect_status 128 mlv remote remove spare
	expect_status 129 mlv remote frobnicate
	git commit -qm remotes
CASE

test_case "no remote is made in a folder that holds something else" <<'CASE'
	origin
	mkdir -p ../store/photos
	expect_status 128 mlv push
	expect_err "holds something else ('photos')"
	expect_err "choose another folder"
	[ "$(ls -A ../store)" = photos ] || fail "something was made there"
	rmdir ../store/photos
	mkdir ../store/lost+found
	expect_ok mlv push
	# the file that says what it is has gone: it is still ours
	rm -f ../store/format
	expect_ok mlv push --recheck
	expect_file ../store/format
	expect_ok mlv verify --remote
CASE

test_case "an unreachable remote is a clear error" <<'CASE'
	origin
	mlv remote set-url --local origin /nowhere/at/all
	expect_status 128 mlv push
	expect_err /nowhere
	expect_status 128 mlv fetch
	mlv remote set-url --local origin s3x://bucket/x 2>/dev/null && fail "a strange URL was taken"
	true
CASE

test_case "a push that waits for a collection of the remote can be interrupted" <<'CASE'
	origin
	need_command flock
	mlv push -q
	echo more >more
	mlv add -q more
	git commit -q -a -m more
	remote=$(mlv config mlv-remote.origin.url)
	mkfifo ../gate
	flock -x "$remote/lock" cat ../gate &
	holder=$!
	poll 10 sh -c "! flock -n -s '$remote/lock' true"
	mlv push 2>../err &
	push=$!
	poll 10 grep -q "waiting for another mlv" ../err
	kill -TERM $push
	status=0
	wait $push || status=$?
	[ $status = 143 ] || fail "the push ended with $status"
	kill -0 $holder
	: >../gate
	wait $holder
	expect_ok mlv push
CASE

test_case "a remote that is misspelt is guessed" <<'CASE'
	origin
	expect_status 128 mlv push orign
	expect_err "did you mean 'origin'?"
	expect_status 128 mlv push HEAD nothing
	expect_err "'nothing' names no commit"
	expect_status 129 mlv config mlv.jbos 3
	expect_err "did you mean 'mlv.jobs'?"
CASE

test_done
