# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"

test_case "init prepares a repository, and again does no harm" <<'CASE'
	expect_ok mlv init project
	cd project
	expect_file .mlvconfig
	id=$(git config -f .mlvconfig mlv.repository)
	expect_ok mlv init
	[ "$(git config -f .mlvconfig mlv.repository)" = "$id" ] || fail "the id has changed"
	expect_ok git diff --cached --quiet -- nothing
	expect_ok mlv init --json
	expect_json .repository "\"$id\""
	expect_json .created false
CASE

test_case "add stores a file, writes and stages the pointer, and lets git ignore the data" <<'CASE'
	new_repo project
	gen_random 1000 1 model.bin
	expect_ok mlv add model.bin
	expect_file model.bin.mlv
	grep -qx "id sha256:$(sha256sum <model.bin | cut -d ' ' -f 1)" model.bin.mlv || fail "a small file's id is its SHA-256"
	expect_content .gitignore /model.bin
	run git status --porcelain
	expect_out "A  model.bin.mlv"
	expect_out "A  .gitignore"
	[ "$(git ls-files --others --exclude-standard)" = "" ] || fail "git sees the data"
CASE

test_case "files of every size around the cuts come back" <<'CASE'
	new_repo project
	mkdir data
	for size in 0 1 262143 262144 262145 2097151 2097152 2097153 2359296 5000000; do
		gen_random "$size" "$size" "data/$size"
	done
	cp -r data ../before
	expect_ok mlv add data
	rm -rf data
	expect_ok mlv checkout
	expect_same_tree data ../before
CASE

test_case "names of any bytes, links, empty things and executables are kept" <<'CASE'
	new_repo project
	gen_tree data 10 1
	printf x >"data/$(printf 'new\nline')"
	printf x >"data/$(printf 'in\377valid')"
	printf x >"data/$(printf 'x%.0s' $(seq 255))"
	ln -s /nowhere/at/all data/dangling
	cp -a data ../before
	expect_ok mlv add data
	rm -rf data
	expect_ok mlv checkout
	expect_same_tree data ../before
CASE

test_case "adding inside a tracked directory updates just that part" <<'CASE'
	new_repo project
	mkdir -p data/a data/b
	echo 1 >data/a/1
	echo 2 >data/b/2
	mlv add -q data
	commit_all one
	echo changed >data/a/1
	echo new >data/b/3
	rm data/b/2
	expect_ok mlv add data/b/3
	expect_ok mlv status --short
	expect_out "A  data/b/3"
	expect_out " M data/a/1"
	expect_out " D data/b/2"
	expect_ok mlv add data/b/2
	expect_ok mlv status --short
	expect_out "D  data/b/2"
	expect_out " M data/a/1"
	expect_ok mlv add data
	expect_ok mlv status --short
	expect_out "M  data/a/1"
CASE

test_case "what git tracks is refused with the command that mends it" <<'CASE'
	new_repo project
	mkdir data
	echo 1 >data/code.py
	git add data/code.py
	expect_status 128 mlv add data
	expect_err "git rm -r --cached 'data'"
	expect_status 128 mlv add data/code.py
	expect_err "git rm --cached 'data/code.py'"
	git rm -q -r --cached data
	expect_ok mlv add data
CASE

test_case "a nested repository, a pointer in data, and a link as target are refused" <<'CASE'
	new_repo project
	mkdir -p data/inner
	git -C data/inner init -q
	expect_status 1 mlv add data
	expect_err "git repository"
	expect_no_file data.mlv
	rm -rf data/inner/.git
	echo x >data/inner/x
	mlv add -q data/inner
	git commit -qm inner
	expect_status 128 mlv add data
	expect_err "mlv rm --cached"
	ln -s data link
	expect_status 1 mlv add link
	expect_no_file link.mlv
CASE

test_case "names that can have no pointer are refused as targets and kept inside a directory" <<'CASE'
	new_repo project
	long=$(printf 'x%.0s' $(seq 252))
	echo 1 >"$long"
	expect_status 129 mlv add "$long"
	echo 1 >x.mlv
	expect_status 129 mlv add x.mlv
	mkdir data
	mv "$long" x.mlv data/
	expect_ok mlv add data
CASE

test_case "an unreadable file keeps the pointer from being written, the rest is stored" <<'CASE'
	new_repo project
	mkdir data
	echo 1 >data/good
	echo 2 >data/bad
	chmod 0 data/bad
	expect_status 1 with_permissions mlv add data
	expect_err data/bad
	expect_no_file data.mlv
	chmod 600 data/bad
	expect_ok mlv add data
CASE

test_case "sockets and pipes are named and left out" <<'CASE'
	new_repo project
	mkdir data
	echo 1 >data/good
	mkfifo data/pipe
	expect_status 1 mlv add data
	expect_err data/pipe
	expect_file data.mlv
	rm -rf data
	expect_ok mlv checkout
	expect_file data/good
	expect_no_file data/pipe
CASE

test_case "a .mlvignore leaves files out, a .gitignore in data is data" <<'CASE'
	new_repo project
	mkdir -p data/sub
	echo '*.tmp' >data/.mlvignore
	echo '*' >data/sub/.gitignore
	echo 1 >data/sub/x.tmp
	echo 1 >data/sub/x
	expect_ok mlv add data
	expect_ok mlv ls -R data
	expect_out .gitignore
	expect_no_out x.tmp
	rm -rf data
	expect_ok mlv checkout
	expect_file data/sub/x
	expect_no_file data/sub/x.tmp
CASE

test_case "a path that a .mlvignore leaves out is refused unless forced" <<'CASE'
	new_repo project
	mkdir -p data/sub/scratch
	printf '%s\n' '*.tmp' scratch/ >data/.mlvignore
	for name in x.tmp x scratch/y; do echo 1 >data/sub/$name; done
	expect_status 1 mlv add data/sub/x.tmp
	expect_err "leaves it out; use -f"
	expect_no_file data/sub/x.tmp.mlv
	mlv add -q data
	before=$(grep ^id data.mlv)
	for path in data/sub/x.tmp data/sub/scratch data/sub/scratch/y; do
		expect_status 1 mlv add "$path"
		expect_err "$path: a .mlvignore leaves it out"
		expect_status 1 mlv add -n "$path"
	done
	[ "$before" = "$(grep ^id data.mlv)" ] || fail "something was added"
	# what else is named is added
	echo 2 >data/sub/x
	expect_status 1 mlv add data/sub/x.tmp data/sub/x
	[ "$before" != "$(grep ^id data.mlv)" ] || fail "nothing was added"
	expect_ok mlv add -f data/sub/x.tmp
	expect_ok mlv ls -R data
	expect_out x.tmp
	echo 3 >data/sub/x.tmp
	expect_ok mlv add data/sub/x.tmp
	# --glob passes over it without a word
	mkdir loose
	touch loose/a.tmp loose/b
	echo '*.tmp' >.mlvignore
	expect_ok mlv add --glob 'loose/*'
	expect_file loose/b.mlv
	expect_no_file loose/a.tmp.mlv
	expect_ok mlv add -f --glob 'loose/a*'
	expect_file loose/a.tmp.mlv
CASE

test_case "--glob expands patterns, -n changes nothing" <<'CASE'
	new_repo project
	mkdir -p runs/1 runs/2
	for i in 1 2; do echo $i >runs/$i/model.ckpt; echo $i >runs/$i/log; done
	expect_ok mlv add -n --glob 'runs/**/*.ckpt'
	expect_out "add runs/1/model.ckpt"
	expect_no_file runs/1/model.ckpt.mlv
	expect_ok mlv add --glob 'runs/**/*.ckpt'
	expect_file runs/1/model.ckpt.mlv
	expect_file runs/2/model.ckpt.mlv
	expect_status 128 mlv add --glob 'none*'
CASE

test_case "the same content is stored once, and nothing again" <<'CASE'
	new_repo project
	gen_random 3000000 1 a
	cp a b
	expect_ok mlv add --json a b
	stored=$(jq .stored <"$CASE/out")
	[ "$stored" -lt 3010000 ] || fail "$stored bytes stored"
	touch a
	expect_ok mlv add --json a
	expect_json .stored 0
CASE

test_case "data that gc dropped are stored again by add" <<'CASE'
	new_repo project
	gen_random 100000 1 a
	mlv add -q a
	git commit -qm one
	git rm -q --cached a.mlv
	rm a.mlv
	git commit -q --amend --allow-empty -m none
	git reflog expire --expire=now --all
	expect_ok mlv gc --grace 0
	expect_ok mlv add a
	rm a
	expect_ok mlv checkout
	expect_file a
CASE

test_case "two adds at once lose nothing" <<'CASE'
	new_repo project
	gen_tree one 200 1
	gen_tree two 200 2
	mlv add -q one &
	first=$!
	expect_ok mlv add -q two
	wait $first
	expect_file one.mlv
	expect_file two.mlv
	run git status --porcelain
	expect_out "A  one.mlv"
	expect_out "A  two.mlv"
CASE

test_case "a store whose parents are not there is not made, and folders are named whole" <<'CASE'
	new_repo project
	echo data >file
	expect_status 128 mlv -c mlv.store="$CASE/work/no/such/store" add file
	expect_err "mlv.store: cannot make the store '$CASE/work/no/such/store'"
	expect_err "folder above it does not exist"
	expect_no_file ../no
	expect_no_file file.mlv
	expect_ok mlv -c mlv.store="$CASE/work/shared" add file
	expect_file ../shared/format
	# where a file cannot be made
	rm -rf ../shared/packs
	touch ../shared/packs
	echo other >other
	expect_status 128 mlv -c mlv.store="$CASE/work/shared" add other
	expect_err "$CASE/work/shared"
	leave_damaged
CASE

test_case "with GIT_WORK_TREE elsewhere paths begin at its top, as in git" <<'CASE'
	new_repo project
	mkdir dir
	echo 1 >dir/file
	echo 2 >other
	mkdir ../out
	cd ../out
	export GIT_DIR=$CASE/work/project/.git GIT_WORK_TREE=$CASE/work/project
	expect_ok mlv add dir other
	expect_file ../project/dir.mlv
	expect_ok git commit -q -m one
	expect_ok mlv ls dir
	expect_out file
	expect_ok mlv cat dir/file
	expect_out_is 1
	rm -r ../project/dir
	expect_ok mlv checkout -- dir
	expect_content ../project/dir/file 1
	expect_ok mlv mv other moved
	expect_file ../project/moved
	expect_status 128 mlv add ../out/x
	GIT_DIR=../project/.git GIT_WORK_TREE=../project expect_ok mlv status
	expect_out moved
CASE

test_case "words that are wrong exit with 129" <<'CASE'
	new_repo project
	expect_status 129 mlv add
	expect_status 129 mlv add --no-such-option x
	expect_status 128 mlv add ../outside
	expect_status 128 mlv add missing
	expect_ok mlv add -h
CASE

test_case "what lies in another repository is refused, and its submodule stays" <<'CASE'
	git init -q other
	git -C other commit -q --allow-empty -m other
	new_repo project
	git submodule -q add "$CASE/work/other" module
	git commit -q -m "a submodule"
	git init -q nested
	echo 1 >module/file
	echo 1 >nested/file
	for name in module nested; do
		expect_status 128 mlv add "$name/file"
		expect_err "'$name', which is a git repository of its own"
	done
	echo 1 >here
	mlv add -q here
	expect_status 128 mlv mv here module/there
	git submodule -q deinit -f module
	echo 1 >module/file
	expect_status 128 mlv add module/file
	run git ls-files --stage module nested
	expect_out "160000"
	expect_no_out ".mlv"
CASE

test_case "parts that are named are added, and no other" <<'CASE'
	new_repo project
	mkdir -p data/folder
	echo 1 >data/gone
	echo 1 >data/folder/last
	mlv add -q data
	ln -s gone data/link
	echo 2 >data/other
	expect_ok mlv add data/link
	expect_ok mlv status --short
	expect_out "A  data/link"
	expect_out " A data/other"
	# the folder of a file that is gone goes with it, if it is gone
	rm -r data/folder data/gone
	expect_ok mlv add data/folder/last data/gone
	expect_ok mlv ls data
	expect_out_is "link"
	# a part that is named beside the whole undoes nothing of it
	echo 3 >data/third
	rm data/link
	expect_ok mlv add data data/link
	expect_ok mlv ls data
	expect_out_is "other
third"
	expect_ok mlv status --short
	expect_no_out " A"
	rm -r data
	expect_ok mlv add data data/other
	expect_no_file data.mlv
CASE

test_case "many parts are put into their directory at once" <<'CASE'
	new_repo project
	mkdir -p data/in data/out
	echo 0 >data/out/0
	mlv add -q data
	for i in $(seq 100); do
		echo "$i" >"data/in/$i"
		echo "$i" >"data/out-$i"
	done
	expect_ok mlv add data/in/* data/out-* data/out
	expect_ok mlv status --short
	expect_no_out " A"
	expect_ok mlv ls -R data
	[ "$(wc -l <"$CASE/out")" = 201 ] || fail "a part is lost"
	[ "$(find .git/mlv/store/packs -name '*.pack' | wc -l)" -le 6 ] || fail "a pack for each part"
CASE

test_case "what is put into a folder that was never brought comes to what is tracked there" <<'CASE'
	new_repo project
	mkdir -p data/below
	echo 1 >data/file
	echo 2 >data/below/file
	mlv add -q data
	mlv remote add origin "$CASE/work/remote"
	git commit -q -a -m one
	mlv push -q
	for how in add part commit pull; do
		git clone -q . "../$how"
		cd "../$how"
		mkdir data
		echo 3 >data/new
		expect_status 128 mlv add data
		expect_err "'mlv fetch' brings it"
		mlv fetch -q
		expect_ok mlv status --short
		expect_out_is " A data/new"
		case $how in
		add) expect_ok mlv add data ;;
		part) expect_ok mlv add data/new ;;
		commit) expect_ok mlv commit -q -a -m new ;;
		pull)
			expect_ok mlv pull -- data/below
			expect_content data/below/file 2
			expect_ok mlv add data
			;;
		esac
		expect_ok mlv status --short
		expect_no_out D
		expect_ok mlv ls -R data
		expect_out_is "below/file
file
new"
		expect_ok mlv checkout -- data
		expect_content data/file 1
		rm data/file
		expect_ok mlv status --short
		expect_out "D data/file"
		cd ../project
	done
CASE

test_done
