# SPDX-License-Identifier: Apache-2.0
# mlv ls: tracked data of any version.
. "$(dirname "$0")/lib.sh"

make_data()
{
	new_repo project
	mkdir -p data/images/cats data/images/empty
	gen_random 1000 1 data/images/cats/1.png
	gen_random 2000 2 data/images/cats/2.png
	echo x >data/images/note
	chmod +x data/images/note
	ln -s cats data/images/link
	echo 'a,b' >data/labels.csv
	gen_random 400000 3 model.bin
	mlv add -q data/images data/labels.csv model.bin
	git commit -q -m "first"
	git tag v1.0
}

test_case "a folder lists what is tracked below it" <<'CASE'
	make_data
	expect_ok mlv ls
	expect_out_is 'data/images/
data/labels.csv
model.bin'
	expect_ok mlv ls data
	expect_out_is 'images/
labels.csv'
	cd data
	expect_ok mlv ls
	expect_out_is 'images/
labels.csv'
CASE

test_case "a tracked directory lists its entries, a file itself" <<'CASE'
	make_data
	expect_ok mlv ls data/images
	expect_out_is 'cats/
empty/
link
note'
	expect_ok mlv ls data/images/cats
	expect_out_is '1.png
2.png'
	expect_ok mlv ls data/images/cats/1.png
	expect_out_is 'data/images/cats/1.png'
CASE

test_case "-R lists everything below" <<'CASE'
	make_data
	expect_ok mlv ls -R data
	expect_out_is 'images/cats/1.png
images/cats/2.png
images/empty/
images/link
images/note
labels.csv'
CASE

test_case "-l shows kind, size, files and id" <<'CASE'
	make_data
	expect_ok mlv ls -l data/images
	expect_out "link -> cats"
	id=$(sha256sum data/images/note | cut -c 1-12)
	grep -Eq "^exec +2 B +$id  note$" "$CASE/out"
	grep -Eq "^dir +2.9 KiB +2 files  [0-9a-f]{12}  cats/$" "$CASE/out"
CASE

test_case "another revision and the index can be looked at" <<'CASE'
	make_data
	echo new >data/new.txt
	mlv add -q data/new.txt
	expect_ok mlv ls v1.0:data
	expect_no_out "new.txt"
	expect_ok mlv ls :data
	expect_out "new.txt"
	expect_ok mlv ls HEAD:
	expect_out "data/images/"
	cd data
	expect_ok mlv ls HEAD:./images
	expect_out "cats/"
CASE

test_case "data need not be checked out" <<'CASE'
	make_data
	rm -rf data/images model.bin
	expect_ok mlv ls -R data/images
	expect_out "cats/1.png"
	expect_ok mlv ls model.bin
CASE

test_case "several words have headings" <<'CASE'
	make_data
	expect_ok mlv ls data/images/cats model.bin
	expect_out_is 'data/images/cats:
1.png
2.png

model.bin:
model.bin'
CASE

test_case "-z ends names with NUL, as they are" <<'CASE'
	new_repo project
	mkdir d
	touch $'d/two\nlines' $'d/\xff'
	mlv add -q d
	expect_ok mlv ls -z d
	printf 'two\nlines\0\xff\0' | cmp - "$CASE/out"
	expect_ok mlv ls d
	expect_out '"two\nlines"'
	expect_ok mlv ls --json d
	expect_json '.entries[1].name_b64' '"/w=="'
	expect_status 129 mlv ls -lz d
CASE

test_case "--json has every entry with its path" <<'CASE'
	make_data
	expect_ok mlv ls --json -R v1.0:data/images
	expect_json '[.entries[] | .path]' \
		'["data/images/cats/1.png","data/images/cats/2.png","data/images/empty","data/images/link","data/images/note"]'
	expect_json '.entries[0] | [.name, .kind, .bytes, .rev, .here]' \
		'["cats/1.png","file",1000,"v1.0",true]'
	expect_json '.entries[4].kind' '"executable"'
CASE

test_case "what is not in the store is marked" <<'CASE'
	make_data
	rm -rf .git/mlv/store
	leave_damaged
	expect_ok mlv ls -l
	grep -q 'model.bin  (not here)$' "$CASE/out"
	grep -q 'data/images/  (not here)$' "$CASE/out"
	expect_ok mlv ls
	expect_no_out "(not here)"
	expect_status 128 mlv ls data/images
	expect_err "'data/images' is not here: object sha256:"
	expect_err "'mlv fetch' or 'mlv pull -- data/images' brings it"
CASE

test_case "an unknown path or revision is an error" <<'CASE'
	make_data
	expect_status 128 mlv ls nothing
	expect_err "no tracked data at 'nothing'"
	expect_status 128 mlv ls v1.0:data/nothing
	expect_err "no tracked data at 'data/nothing' in 'v1.0'"
	expect_status 128 mlv ls data/images/cats/1.png/x
	expect_status 128 mlv ls ../..
CASE

test_case "a pointer's name stands for its data" <<'CASE'
	make_data
	expect_ok mlv ls data/images.mlv
	expect_out "cats/"
CASE

test_case "nothing tracked lists nothing" <<'CASE'
	new_repo project
	expect_ok mlv ls
	expect_silence
	expect_ok mlv ls --json
	expect_json .entries '[]'
CASE

test_case "what is not here is read from the remote" <<'CASE'
	mlv help | grep -q '^ *push ' || skip_case "needs push"
	make_data
	mlv remote add origin "$PWD/../remote"
	mlv push -q origin HEAD
	rm -rf .git/mlv/store
	leave_damaged
	expect_ok mlv ls -R HEAD:data
	expect_out "images/cats/1.png"
CASE

test_done
