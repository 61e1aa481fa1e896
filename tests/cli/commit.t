# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"

test_case "commit makes what git would make" <<'CASE'
	new_repo project
	echo 1 >data
	mlv add -q data
	expect_ok mlv commit -m "the subject" -m "the body"
	[ "$(git log -1 --format=%B)" = "the subject

the body" ] || fail "$(git log -1 --format=%B)"
	expect_ok git fsck --strict
	expect_status 1 mlv commit -m again
	expect_err "nothing to commit"
	expect_ok mlv commit --allow-empty -m empty
	expect_ok mlv commit --amend -m amended --allow-empty
	[ "$(git log -1 --format=%s)" = amended ] || fail "not amended"
	git reflog -2 >"$CASE/reflog"
	grep -q "commit (amend): amended" "$CASE/reflog" || fail "$(cat "$CASE/reflog")"
CASE

test_case "-a adds data and code that changed" <<'CASE'
	new_repo project
	echo 1 >data
	echo 1 >code.py
	mlv add -q data
	git add code.py
	mlv commit -q -m one
	echo 2 >data
	echo 2 >code.py
	expect_ok mlv commit -a -m two
	expect_ok mlv status
	expect_out "nothing changed"
	[ -z "$(git status --porcelain)" ] || fail "$(git status --porcelain)"
	[ "$(git show HEAD:code.py)" = 2 ] || fail "the code was not committed"
	rm data
	expect_ok mlv commit -a -m three
	expect_no_file data.mlv
CASE

test_case "a file that changes within the second in which git noted it is not missed" <<'CASE'
	new_repo project
	echo 1 >data
	mlv add -q data
	# git compares seconds: all of this within one, and mlv's next index in another.
	while [ "$(date +%N | cut -c1)" -gt 2 ]; do
		sleep 0.05
	done
	echo 1 >code.py
	git add code.py
	git commit -q -m one
	echo 2 >code.py
	while [ "$(date +%s)" = "$(stat -c %Y code.py)" ]; do
		sleep 0.05
	done
	echo 2 >data
	mlv add -q data
	[ "$(git diff --name-only)" = code.py ] || fail "git does not see the change"
CASE

test_case "-F and the editor give the message" <<'CASE'
	new_repo project
	echo 1 >data
	mlv add -q data
	echo "from a file" >message
	expect_ok mlv commit -F message
	[ "$(git log -1 --format=%s)" = "from a file" ] || fail "wrong message"
	echo 2 >data
	mlv add -q data
	GIT_EDITOR='echo edited >' expect_ok mlv commit
	[ "$(git log -1 --format=%s)" = edited ] || fail "wrong message"
	echo 3 >data
	mlv add -q data
	GIT_EDITOR='true' expect_status 128 mlv commit
CASE

test_case "git's hooks run, may refuse, and may change the message" <<'CASE'
	new_repo project
	echo 1 >data
	mlv add -q data
	mkdir -p .git/hooks
	printf '#!/bin/sh\nexit 1\n' >.git/hooks/pre-commit
	chmod +x .git/hooks/pre-commit
	expect_status 1 mlv commit -m refused
	expect_ok mlv commit --no-verify -m passed
	rm .git/hooks/pre-commit
	printf '#!/bin/sh\necho hooked >"$1"\n' >.git/hooks/commit-msg
	chmod +x .git/hooks/commit-msg
	expect_ok mlv commit --allow-empty -m other
	[ "$(git log -1 --format=%s)" = hooked ] || fail "the hook's message was not taken"
CASE

test_case "a pointer whose data no store has is refused" <<'CASE'
	new_repo project
	echo 1 >data
	mlv add -q data
	sed -i "s/sha256:.*/sha256:$(printf '%064d' 7)/" data.mlv
	git add data.mlv
	expect_status 128 mlv commit -m forged
	expect_err "no store"
	git rm -q -f --cached data.mlv
	rm data.mlv
CASE

test_case "in a cherry-pick of several commits each is committed and git goes on" <<'CASE'
	new_repo project
	echo 0 >a
	commit_all base
	git checkout -q -b side
	for i in 1 2 3; do
		echo $i >a
		GIT_AUTHOR_NAME=Other git commit -q -am "side $i"
	done
	git checkout -q main
	echo x >a
	git commit -q -am x
	expect_status 1 git cherry-pick side~2 side~1 side
	for i in 1 2 3; do
		expect_file .git/sequencer/todo
		echo "r$i" >a
		git add a
		expect_ok mlv commit -q -m "settled $i"
		run git cherry-pick --continue
	done
	expect_no_file .git/sequencer
	[ "$(git log -3 --format='%an %s')" = "$(printf 'Other settled %s\n' 3 2 1)" ] || fail "$(git log)"
	expect_status 1 git revert --no-edit main~2 main~3
	echo back >a
	git add a
	expect_ok mlv commit -q -m back
	expect_file .git/sequencer/todo
	git revert --quit
CASE

test_case "commits are signed where git is configured to" <<'CASE'
	need_command ssh-keygen
	new_repo project
	ssh-keygen -q -t ed25519 -N '' -f "$HOME/key"
	git config gpg.format ssh
	git config user.signingkey "$HOME/key.pub"
	git config commit.gpgsign true
	echo "tester $(cat "$HOME/key.pub")" >"$HOME/signers"
	git config gpg.ssh.allowedSignersFile "$HOME/signers"
	echo 1 >data
	mlv add -q data
	expect_ok mlv commit -m signed
	git cat-file commit HEAD | grep -q "BEGIN SSH SIGNATURE" || fail "the commit is not signed"
CASE

test_case "git commit works as well, whole and in part" <<'CASE'
	new_repo project
	echo 1 >one
	echo 2 >two
	mlv add -q one two
	git commit -q -m "part" -- one.mlv .gitignore
	expect_ok mlv status --short
	expect_out_is "A  two"
	git commit -q -m rest
	expect_ok mlv status
	expect_out "nothing changed"
CASE

test_done
