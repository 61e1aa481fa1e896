# SPDX-License-Identifier: Apache-2.0
# mlv import: an archive becomes a tracked dataset.
. "$(dirname "$0")/lib.sh"

# make_tar FILE: members from Python on standard input, as calls of f(name, bytes), d(name), s(name, target),
# h(name, target) and o(name, type).
make_tar()
{
	{
		cat <<-'PYTHON'
			import io, sys, tarfile
			t = tarfile.open(sys.argv[1], "w", format=tarfile.PAX_FORMAT)
			def put(name, kind, target="", data=b"", mode=0o644):
			    i = tarfile.TarInfo(name)
			    i.type, i.linkname, i.size, i.mode = kind, target, len(data), mode
			    t.addfile(i, io.BytesIO(data))
			def f(name, data=b"x", mode=0o644): put(name, tarfile.REGTYPE, data=data, mode=mode)
			def d(name): put(name, tarfile.DIRTYPE, mode=0o755)
			def s(name, target): put(name, tarfile.SYMTYPE, target)
			def h(name, target): put(name, tarfile.LNKTYPE, target)
			def o(name, kind): put(name, kind)
		PYTHON
		cat
		echo "t.close()"
	} | python3 - "$1"
}

# The dataset at a path, taken out of the store, in a new folder.
take_out()
{
	mkdir "$2"
	git commit -q -m "import"
	mlv archive HEAD "$1" | tar -xf - -C "$2"
}

test_case "a tar becomes the dataset that adding its files would make" <<'CASE'
	new_repo project
	gen_tree ../set 20 1
	gen_random 900000 4 ../set/large
	tar -cf ../set.tar -C .. set
	expect_ok mlv import --strip-components 1 ../set.tar data/imported
	cp -a ../set added
	mlv add -q added
	grep ^id data/imported.mlv >../one
	grep ^id added.mlv >../two
	expect_same ../one ../two
	git diff --cached --name-only >../staged
	grep -qx 'data/imported.mlv' ../staged
	grep -qx 'data/.gitignore' ../staged
	expect_no_file data/imported
CASE

test_case "every format gives the same dataset" <<'CASE'
	new_repo project
	gen_tree ../set 20 1
	(
		cd ../set
		tar -cf ../a.tar .
		tar -czf ../a.tar.gz .
		tar -cJf ../a.tar.xz .
		tar -c . | zstd -q >../a.tar.zst
		zip -qry ../a.zip .
		if command -v cpio; then find . -depth | cpio -oH newc --quiet >../a.cpio; fi
		if command -v 7z; then 7z a -snl ../a.7z . >/dev/null; fi
	)
	for file in ../a.*; do
		expect_ok mlv import "$file" "${file##*/}"
		grep ^id "${file##*/}.mlv" >../id
		[ -e ../first ] || cp ../id ../first
		expect_same ../first ../id
	done
CASE

test_case "an archive can come through a pipe" <<'CASE'
	new_repo project
	gen_tree ../set 20 1
	(cd ../set && tar -czf ../a.tgz . && zip -qry ../a.zip .)
	expect_status 129 mlv import - <../a.tgz
	cat ../a.tgz | mlv import - data/one
	cat ../a.zip | mlv import - data/two
	mlv import - data/three <../a.zip
	grep ^id data/one.mlv >../one
	for name in two three; do
		grep ^id data/$name.mlv >../two
		expect_same ../one ../two
	done
CASE

test_case "the dataset is called as the archive" <<'CASE'
	new_repo project
	make_tar ../images.tar <<<'f("a")'
	gzip -k ../images.tar
	mkdir sub
	cd sub
	expect_ok mlv import ../../images.tar.gz
	expect_file images.mlv
	expect_status 128 mlv import ../../images.tar
	expect_err "tracked already"
CASE

test_case "status does not call it deleted, and checkout brings it" <<'CASE'
	new_repo project
	gen_tree ../set 20 1
	tar -cf ../set.tar -C ../set .
	expect_ok mlv import ../set.tar
	git commit -q -m "import"
	expect_ok mlv status --short
	expect_no_out " D"
	mlv help | grep -q '^ *checkout ' || skip_case "there is no checkout yet"
	expect_ok mlv checkout
	expect_same_tree ../set set
	expect_ok mlv status --exit-code
CASE

test_case "modes, links and the last of several are kept" <<'CASE'
	new_repo project
	make_tar ../a.tar <<'PYTHON'
f("run", b"go", 0o755)
s("link", "../../outside")
f("twice", b"old")
h("hard", "twice")
f("twice", b"new")
f("Case", b"1")
f("case", b"2")
d("empty")
f("e\u0301", b"decomposed")
f("\u00e9", b"composed")
f("bad\udcff", b"bytes")
f("./b//c/./d", b"dots")
PYTHON
	expect_ok mlv import ../a.tar
	take_out a ../out
	cd ../out/a
	[ -x run ] && [ ! -x twice ]
	[ "$(readlink link)" = ../../outside ]
	expect_content twice new
	expect_content hard old
	expect_content Case 1
	expect_content case 2
	expect_content $'e\xcc\x81' decomposed
	expect_content é composed
	expect_content $'bad\xff' bytes
	expect_content b/c/d dots
	[ -d empty ]
CASE

test_case "hard links of a cpio get their data, which stand at the last" <<'CASE'
	need_command cpio
	new_repo project
	mkdir ../set
	echo content >../set/a
	ln ../set/a ../set/b
	(cd ../set && printf 'a\nb\n' | cpio -oH newc --quiet >../x.cpio)
	expect_ok mlv import ../x.cpio
	take_out x ../out
	expect_content ../out/x/a content
	expect_content ../out/x/b content
CASE

test_case "hostile names are refused and nothing is tracked" <<'CASE'
	new_repo project
	i=0
	while read -r line; do
		i=$((i + 1))
		make_tar "../h$i.tar" <<<"f('good'); $line"
		expect_status 128 mlv import "../h$i.tar"
		expect_no_file "h$i.mlv"
	done <<'LINES'
f("/etc/passwd")
f("../x")
f("a/../../x")
f("a/..")
f(".git/config")
f("a/.GiT/hooks/post-checkout")
d(".git")
f("n" * 256)
f("d/" * 3000 + "x")
s("a", "/tmp"); f("a/b")
s("a", "b"); d("a")
f("a"); f("a/b")
f("a/b"); f("a")
h("a", "/etc/passwd")
h("a", "../x")
h("a", "nowhere")
LINES
	[ $i = 16 ]
	[ -z "$(git status --porcelain)" ]
	expect_no_file /tmp/b
	expect_no_file ../x
CASE

test_case "devices and fifos are named and left out, the rest is tracked" <<'CASE'
	new_repo project
	make_tar ../a.tar <<<'f("one"); o("pipe", tarfile.FIFOTYPE); o("null", tarfile.CHRTYPE); f("two")'
	expect_status 1 mlv import --json ../a.tar
	expect_err "pipe: left out, it is a fifo"
	expect_err "null: left out, it is a device"
	expect_json .files 2
	expect_json '[.problems[].path]' '["pipe","null"]'
	expect_file a.mlv
CASE

test_case "a damaged, truncated or encrypted archive tracks nothing" <<'CASE'
	new_repo project
	gen_random 500000 1 ../set/a
	gen_random 500000 2 ../set/b
	(cd ../set && tar -cf ../t.tar . && tar -czf ../t.tgz . && zip -qr0 ../t.zip . && zip -qrP secret ../e.zip .)
	for kind in tar tgz zip; do
		head -c 600000 ../t.$kind >../cut.$kind
		expect_status 128 mlv import ../cut.$kind cut
		cp ../t.$kind ../bad.$kind
		printf 'XXXXXXXX' | dd of=../bad.$kind bs=1 seek=400000 conv=notrunc status=none
		[ $kind = tar ] || expect_status 128 mlv import ../bad.$kind bad
	done
	expect_status 128 mlv import ../e.zip enc
	expect_err encrypted
	expect_status 128 mlv import .gitignore z
	expect_status 128 mlv import . z
	: >../nothing
	expect_status 128 mlv import ../nothing z
	[ -z "$(git status --porcelain)" ]
CASE

test_case "a wrong bit in a compressed tar is found, wherever it is" <<'CASE'
	new_repo project
	gen_random 300000 1 ../set/a
	tar -cf ../t.tar -C .. set
	for packer in gzip xz bzip2 zstd; do
		need_command $packer
		$packer -c ../t.tar >../t.packed
		size=$(stat -c %s ../t.packed)
		for at in 40 150000 $((size - 3)); do
			cp ../t.packed ../bad
			printf '\x5a\xa5' | dd of=../bad bs=1 seek=$at conv=notrunc status=none
			expect_status 128 mlv import ../bad bad
			{ cat ../bad || true; } | expect_status 128 mlv import - bad
		done
		head -c $((size - 1)) ../t.packed >../bad
		expect_status 128 mlv import ../bad bad
	done
	gzip -c ../t.tar | cat - <(head -c 100 /dev/zero) >../padded.tgz
	expect_ok mlv import ../padded.tgz
	head -c 1000 ../t.tar | gzip -c >../two.tgz
	tail -c +1001 ../t.tar | gzip -c >>../two.tgz
	expect_ok mlv import ../two.tgz
	grep ^id padded.mlv >../one
	grep ^id two.mlv >../two
	expect_same ../one ../two
CASE

test_case "what is in the way is not overwritten" <<'CASE'
	new_repo project
	make_tar ../a.tar <<<'f("x")'
	mkdir -p here tracked/below
	echo data >tracked/below/file
	mlv add -q tracked/below
	echo git >here/file
	git add here/file
	git commit -q -m "things"
	expect_status 128 mlv import ../a.tar here
	expect_status 128 mlv import ../a.tar tracked
	expect_status 128 mlv import ../a.tar tracked/below
	expect_status 128 mlv import ../a.tar tracked/below/more
	echo more >>tracked/below/file
	expect_status 128 mlv import -f ../a.tar tracked/below
	git rm -q --cached tracked/below.mlv
	rm tracked/below.mlv
	expect_status 128 mlv import -f ../a.tar tracked/below
	echo loose >loose
	expect_status 128 mlv import ../a.tar loose
	expect_status 128 mlv import ../a.tar ../outside
	expect_status 129 mlv import ../a.tar name.mlv
	expect_content loose loose
CASE

test_case "-f puts an archive in the place of a tracked dataset" <<'CASE'
	new_repo project
	make_tar ../a.tar <<<'f("x", b"1")'
	make_tar ../b.tar <<<'f("x", b"2")'
	expect_ok mlv import ../a.tar set
	git commit -q -m "one"
	expect_status 128 mlv import ../b.tar set
	expect_ok mlv import -f ../b.tar set
	take_out set ../out
	expect_content ../out/set/x 2
CASE

test_case "-f goes over tracked data that is here and unchanged, and over nothing else" <<'CASE'
	new_repo project
	make_tar ../a.tar <<<'f("x", b"1"); f("old", b"o")'
	make_tar ../b.tar <<<'f("x", b"2"); f("new", b"n")'
	expect_ok mlv import ../a.tar set
	expect_ok mlv checkout
	git commit -q -m "one"
	echo changed >set/x
	expect_status 128 mlv import -f ../b.tar set
	expect_err "changes that were not added"
	expect_content set/x changed
	expect_ok mlv checkout --force
	echo extra >set/extra
	expect_status 128 mlv import -f ../b.tar set
	rm set/extra
	expect_status 128 mlv import ../b.tar set
	expect_ok mlv import -f ../b.tar set
	expect_content set/x 1
	expect_ok mlv checkout -- set
	expect_content set/x 2
	expect_file set/new
	expect_no_file set/old
	expect_ok mlv status
	expect_no_out "workspace"
	git commit -q -m "two"
	expect_ok mlv checkout HEAD~1
	expect_content set/old o
CASE

test_case "no file but the archive is opened, and no program is run" <<'CASE'
	new_repo project
	cat >../m.tar <<'MTREE'
#mtree
./x type=file contents=/etc/passwd
MTREE
	expect_status 128 mlv import ../m.tar
	printf 'LRZI\0\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0' >../l.tar
	printf '#!/bin/sh\ntouch "%s/ran"\n' "$CASE" >"$CASE/bin/lrzip"
	chmod +x "$CASE/bin/lrzip"
	expect_status 128 mlv import ../l.tar
	expect_no_file "$CASE/ran"
CASE

test_case "a format can be demanded" <<'CASE'
	new_repo project
	make_tar ../a.tar <<<'f("x")'
	expect_status 128 mlv import --format zip ../a.tar
	expect_status 129 mlv import --format nonsense ../a.tar
	expect_ok mlv import --format tar ../a.tar
CASE

test_done
