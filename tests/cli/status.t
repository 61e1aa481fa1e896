# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"

tracked()
{
	new_repo project
	mkdir -p data/sub
	for name in keep change remove rename sub/mode; do echo "$name" >"data/$name"; done
	echo single >model.pt
	mlv add -q data model.pt
	commit_all one
}

test_case "nothing changed is said, and nothing is hashed" <<'CASE'
	tracked
	expect_ok mlv status
	expect_out "nothing changed in 2 tracked paths"
	expect_ok mlv status --exit-code
	expect_ok mlv status --short
	expect_out_is ""
CASE

test_case "every kind of change has its letter, in both columns" <<'CASE'
	tracked
	echo more >>data/change
	rm data/remove
	mv data/rename data/renamed
	chmod +x data/sub/mode
	echo new >data/new
	rm data/keep
	ln -s change data/keep
	rm model.pt
	expect_ok mlv status --short
	expect_out " M data/change"
	expect_out " D data/remove"
	expect_out " R data/rename -> data/renamed"
	expect_out " M data/sub/mode"
	expect_out " A data/new"
	expect_out " T data/keep"
	expect_out " D model.pt"
	expect_status 1 mlv status --exit-code
	mlv add -q data model.pt
	expect_ok mlv status --short
	expect_out "M  data/change"
	expect_out "D  data/remove"
	expect_out "R  data/rename -> data/renamed"
	expect_out "A  data/new"
	expect_out "T  data/keep"
	expect_out "D  model.pt"
CASE

test_case "a change of the same size within the same tick is seen" <<'CASE'
	tracked
	for i in 1 2 3 4 5 6 7 8 9; do
		printf '%s\n' "xeep$i" >data/keep
		mlv add -q data
		printf '%s\n' "yeep$i" >data/keep
		expect_ok mlv status --short
		expect_out "M data/keep"
	done
CASE

test_case "a renamed folder is not taken for an unchanged one" <<'CASE'
	new_repo project
	mkdir -p data/a data/b
	echo 1 >data/a/1
	echo 2 >data/b/2
	mlv add -q data
	mv data/b data/c
	mlv add -q data
	mv data/c data/b
	expect_ok mlv status --short --no-renames
	expect_out " A data/b/2"
	expect_out "AD data/c/2"
	mlv add -q data
	mv data/b ../aside
	mlv add -q data
	mkdir data/d
	echo 4 >data/d/4
	mlv add -q data
	rm -r data/d
	mv ../aside data/b
	expect_ok mlv status --short --no-renames
	expect_out " A data/b/2"
	expect_out "AD data/d/4"
CASE

test_case "JSON has the parts, and base64 for names that are not UTF-8" <<'CASE'
	tracked
	printf x >"data/$(printf 'in\377valid')"
	expect_ok mlv status --json
	expect_json '.workspace | length' 1
	expect_json '.workspace[0].change' '"added"'
	expect_json '.workspace[0].path_b64 | @base64d | length' 13
	expect_json '.staged | length' 0
	expect_json .mlv 1
CASE

test_case "-z gives names as they are" <<'CASE'
	tracked
	printf x >"data/$(printf 'new\nline')"
	expect_ok mlv status -z
	[ "$(tr '\0\n' '\n@' <"$CASE/out")" = " A data/new@line" ] || fail "-z printed $(od -c "$CASE/out")"
CASE

test_case "what is not in the store is told" <<'CASE'
	tracked
	git clone -q . ../clone
	cd ../clone
	expect_ok mlv status
	expect_out "Not in the store"
	expect_out "data (5 files"
	expect_ok mlv status --json
	expect_json '.not_in_store | length' 2
CASE

test_case "after git stash, which runs no hook, it says what to do" <<'CASE'
	tracked
	echo stashed >data/change
	mlv add -q data
	git stash -q
	expect_ok mlv status
	expect_out "mlv checkout"
	expect_out "modified:   data/change"
	expect_ok mlv checkout --force
	expect_content data/change change
	git stash pop -q
	expect_ok mlv checkout
	expect_content data/change stashed
CASE

test_case "paths limit it, and an unmerged pointer is told once" <<'CASE'
	tracked
	echo 1 >data/change
	echo 1 >model.pt
	expect_ok mlv status --short -- model.pt
	expect_out_is " M model.pt"
	mlv add -q model.pt data
	git commit -qm ours
	git checkout -q -b side HEAD~
	mlv checkout -q --force
	echo 2 >model.pt
	mlv add -q model.pt
	git commit -qm theirs
	git merge main >/dev/null 2>&1 && fail "the merge should conflict"
	expect_ok mlv status --short
	expect_out "UU model.pt"
	echo 3 >model.pt
	expect_ok mlv add model.pt
	expect_ok mlv commit -m merged
	expect_ok mlv checkout
	expect_content model.pt 3
CASE

test_case "a path at which nothing is tracked is told" <<'CASE'
	tracked
	echo 1 >data/change
	expect_ok mlv status typo
	expect_err "no tracked data at 'typo'"
	expect_out "nothing is tracked at these paths"
	expect_ok mlv status --short typo data -- 'mod*'
	expect_err "no tracked data at 'typo'"
	expect_no_err data\'
	expect_no_err mod
	expect_out_is " M data/change"
	expect_ok mlv status --short . data/change model.pt.mlv
	[ ! -s "$CASE/err" ] || fail "$(cat "$CASE/err")"
	expect_ok mlv status --json typo
	expect_json .targets 0
	expect_status 128 mlv status ../elsewhere
CASE

test_case "--no-renames shows both ends, of files and of whole targets" <<'CASE'
	tracked
	git commit -q --allow-empty -m all
	mv data/change data/changed
	mlv mv model.pt model2.pt
	expect_ok mlv status --short
	expect_out " R data/change -> data/changed"
	expect_out "R  model.pt -> model2.pt"
	expect_ok mlv status --short --no-renames
	expect_out " D data/change"
	expect_out " A data/changed"
	expect_out "D  model.pt"
	expect_out "A  model2.pt"
	expect_no_out R
	expect_ok mlv status --no-renames
	expect_no_out renamed
CASE

test_case "a lock that a killed mlv left on git's index goes with the next command, git's own stays" <<'CASE'
	new_repo project
	printf 'mlv index lock\n' >.git/index.lock
	expect_ok mlv status
	git add -A
	: >.git/index.lock
	expect_ok mlv status
	[ -e .git/index.lock ]
CASE

test_case "it works from a sub-folder and in a linked work tree" <<'CASE'
	tracked
	echo 1 >data/change
	mkdir -p sub && cd sub
	expect_ok mlv status --short
	expect_out_is " M ../data/change"
	git worktree add -q ../../other
	cd ../../other
	expect_ok mlv checkout
	expect_content data/change change
	expect_ok mlv status
	expect_out "nothing changed"
CASE

test_case "after git stash pop it tells what git put back, and commit -a does not undo that" <<'CASE'
	tracked
	echo stashed >data/change
	mlv add -q data
	git stash -q
	mlv checkout -q
	git stash pop -q
	expect_ok mlv status
	expect_out "git has moved pointers"
	expect_out "modified:   data/change"
	expect_ok mlv status --json
	expect_json .moved_by_git true
	expect_status 1 mlv commit -a -m undone
	expect_err "git has moved its pointer"
	expect_ok mlv checkout
	expect_content data/change stashed
	expect_ok mlv status
	expect_no_out "git has moved pointers"
	expect_ok mlv commit -a -m done
	expect_ok mlv cat HEAD:data/change
	expect_out_is stashed
CASE

test_case "what cannot be read is not told as deleted" <<'CASE'
	tracked
	mkdir data/below
	echo 1 >data/below/file
	mlv add -q data
	git commit -q -m "more"
	touch data/change data/below/file
	chmod 0 data/change data/below
	expect_ok with_permissions mlv status --short
	expect_err "data/change"
	expect_err "data/below"
	expect_no_out data
	expect_status 1 with_permissions mlv status --exit-code
	chmod 700 data/change data/below
CASE

test_case "what a sparse checkout leaves out is not missed" <<'CASE'
	new_repo project
	mkdir in out
	echo 1 >in/file
	echo 2 >out/file
	mlv add -q in/file out/file
	mlv remote add origin ../remote
	git commit -q -a -m one
	mlv push -q
	git clone -q . ../other
	cd ../other
	git sparse-checkout set in
	mlv -c mlv-remote.origin.url="$CASE/work/remote" pull -q
	expect_ok mlv status --exit-code
	expect_out "nothing changed"
	git sparse-checkout disable
	expect_ok mlv status --short
	expect_out "!! out/file"
CASE

test_done
