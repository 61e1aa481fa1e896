# SPDX-License-Identifier: Apache-2.0
# mlv archive: the data of a revision as tar or zip.
. "$(dirname "$0")/lib.sh"

# A folder, a large file and a small one, committed and tagged v1.
data_repo()
{
	new_repo project
	gen_tree data/set 20 1
	gen_random 700000 2 data/big.bin
	gen_csv 50 3 table.csv
	echo 'print(1)' >train.py
	mlv add -q data/set data/big.bin table.csv
	commit_all "first"
	git tag v1
}

# What GNU tar makes of an archive, in a new folder.
unpack()
{
	mkdir "$2"
	tar -xf "$1" -C "$2"
}

test_case "an archive unpacks to what was added" <<'CASE'
	data_repo
	expect_ok mlv archive -o ../out.tar
	unpack ../out.tar ../out
	expect_same_tree data/set ../out/data/set
	expect_same data/big.bin ../out/data/big.bin
	expect_same table.csv ../out/table.csv
	expect_no_file ../out/train.py
	expect_no_file ../out/table.csv.mlv
CASE

test_case "every format holds the same files" <<'CASE'
	data_repo
	for format in tar tar.gz tgz tar.zst tzst; do
		expect_ok mlv archive -o "../out.$format"
		unpack "../out.$format" "../$format"
		expect_same_tree data/set "../$format/data/set"
	done
	expect_ok mlv archive -o ../out.zip
	mkdir ../zip
	python3 - <<'PYTHON'
import os, stat, zipfile
with zipfile.ZipFile("../out.zip") as z:
    assert z.testzip() is None
    for i in z.infolist():
        mode = i.external_attr >> 16
        path = "../zip/" + i.filename
        if stat.S_ISDIR(mode):
            os.mkdir(path)
        elif stat.S_ISLNK(mode):
            os.symlink(z.read(i), path.encode())
        else:
            with open(path, "wb") as f:
                f.write(z.read(i))
            os.chmod(path, mode)
PYTHON
	expect_same_tree data/set ../zip/data/set
CASE

test_case "the same revision gives the same bytes, whatever surrounds it" <<'CASE'
	data_repo
	git clone -q . ../other
	cp -r .git/mlv/store ../other/.git/mlv-store
	for format in tar tar.gz tar.zst zip; do
		expect_ok mlv archive -o "../one.$format" v1
		(
			cd ../other
			umask 077
			export TZ=America/New_York LC_ALL=C
			expect_ok mlv -c mlv.store=.git/mlv-store -j 5 archive --format "$format" v1
		)
		expect_same "../one.$format" "$CASE/out"
	done
CASE

test_case "entries are in the order of their paths' bytes" <<'CASE'
	new_repo project
	mkdir -p d/a d/a-b d/b
	touch d/a/x d/a.txt d/a-b/y d/b.x d/b/z d/a0
	mlv add -q d
	commit_all "first"
	expect_ok mlv archive -o ../out.tar
	tar -tf ../out.tar >../list
	LC_ALL=C sort -c ../list
	[ "$(wc -l <../list)" = 10 ]
CASE

test_case "time, owner and modes are those of the commit and of nobody" <<'CASE'
	data_repo
	expect_ok mlv archive -o ../out.tar
	python3 - <<'PYTHON'
import tarfile
for m in tarfile.open("../out.tar"):
    assert (m.uid, m.gid, m.uname, m.gname) == (0, 0, "", ""), m
    assert m.mtime == 1700000000, m
    assert m.mode == (0o777 if m.issym() else 0o755 if m.isdir() or m.name.endswith("run.sh") else 0o644), m
PYTHON
CASE

test_case "--code puts the data where the pointers are" <<'CASE'
	data_repo
	expect_ok mlv archive --code --prefix paper-1/ -o ../out.tar
	unpack ../out.tar ../out
	expect_same train.py ../out/paper-1/train.py
	expect_same table.csv ../out/paper-1/table.csv
	expect_same_tree data/set ../out/paper-1/data/set
	expect_file ../out/paper-1/.gitignore
	[ -z "$(find ../out -name '*.mlv')" ] || fail "there are pointers"
CASE

test_case "paths choose, also within tracked data" <<'CASE'
	data_repo
	expect_ok mlv archive v1 data/set/part1 table.csv -o ../out.tar
	unpack ../out.tar ../out
	expect_same_tree data/set/part1 ../out/data/set/part1
	expect_file ../out/table.csv
	expect_no_file ../out/data/set/part0
	expect_no_file ../out/data/big.bin
	cd data
	expect_ok mlv archive -- 'set/part*/f000000'
	tar -tf "$CASE/out" >"$CASE/list"
	[ "$(grep -c f000000 "$CASE/list")" = 10 ]
	expect_ok mlv archive v1:data/set/part2
	tar -tf "$CASE/out" >"$CASE/list"
	grep -q '^data/set/part2/f000000$' "$CASE/list"
	! grep -q part1 "$CASE/list"
CASE

test_case "a path without data is an error and leaves no file" <<'CASE'
	data_repo
	expect_status 128 mlv archive v1 table.csv nowhere -o ../out.tar
	expect_err "nowhere"
	expect_no_file ../out.tar
	expect_status 128 mlv archive -o ../out.tar -- nowhere
	[ -z "$(find .. -maxdepth 1 -name '.mlv*')" ] || fail "a temporary file is left"
CASE

test_case "an older revision is archived without checking it out" <<'CASE'
	data_repo
	gen_random 1000 9 data/big.bin
	rm -r data/set/part1
	mlv add -q data/set data/big.bin
	commit_all "second"
	expect_ok mlv archive v1 -o ../one.tar
	expect_ok mlv archive -o ../two.tar
	tar -xOf ../one.tar data/big.bin | wc -c >../size
	expect_content ../size 700000
	tar -tf ../two.tar >../list
	! grep -q part1 ../list
CASE

test_case "before the first commit what is staged is archived, at time 0" <<'CASE'
	git init -q project
	cd project
	mlv init -q
	echo x >data
	mlv add -q data
	expect_ok mlv archive
	tar -tvf "$CASE/out" | grep -q 1970
	expect_status 129 mlv archive --code
CASE

test_case "names are kept, whatever bytes they are" <<'CASE'
	new_repo project
	mkdir d
	for name in $'new\nline' $'\xff\xfe' 'größe' $'e\xcc\x81' 'a b' "$(printf '%0255d' 0)" \
		'back\slash'; do
		echo "$name" >"d/$name"
	done
	mkdir -p "d/$(printf '%0200d/%0200d/%0200d' 1 2 3)"
	echo deep >"d/$(printf '%0200d/%0200d/%0200d' 1 2 3)/deep"
	mlv add -q d
	commit_all "first"
	for format in tar tar.gz; do
		expect_ok mlv archive --format $format -o ../out
		unpack ../out ../$format
		expect_same_tree d ../$format/d
	done
CASE

test_case "a file of more than 8 GiB fits into a tar" <<'CASE'
	need_no_tsan "needs minutes for that"
	new_repo project
	truncate -s 8G huge
	echo end >>huge
	mlv add -q huge
	commit_all "first"
	mlv archive | tar -tvf - >../list
	grep -q ' 8589934596 ' ../list
CASE

test_case "a terminal gets no archive" <<'CASE'
	need_command script
	data_repo
	run script -qec "mlv archive" /dev/null
	[ "$STATUS" = 128 ]
	expect_out "terminal"
CASE

test_case "a format is chosen by the ending or by name" <<'CASE'
	data_repo
	expect_status 129 mlv archive -o ../out.rar
	expect_no_file ../out.rar
	expect_status 129 mlv archive --format rar
	expect_ok mlv archive --format zip -o ../out.rar
	python3 -m zipfile -t ../out.rar
	expect_status 129 mlv archive --prefix ../x
	expect_status 129 mlv archive --prefix /x
CASE

test_case "data that are not here are named with the way to get them" <<'CASE'
	data_repo
	git clone -q . ../other
	cd ../other
	expect_status 128 mlv archive -o ../out.tar
	expect_err "mlv fetch"
	expect_no_file ../out.tar
CASE

test_case "an existing file is replaced only by a whole archive" <<'CASE'
	data_repo
	echo precious >../out.tar
	expect_status 128 mlv archive nowhere -o ../out.tar
	expect_content ../out.tar precious
	expect_ok mlv archive -o ../out.tar
	tar -tf ../out.tar >../list
CASE

test_done
