# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/http/lib.sh"

project()
{
	new_repo project
	gen_tree data 20 1
	gen_random 700000 2 model.pt
	mlv remote add origin ../store
	mlv add -q data model.pt
	commit_all one
	mlv push -q
}

# The largest pack, writable.
big_pack()
{
	PACK=$(find ../store/packs -name '*.pack' -size +100k | head -n 1)
	chmod u+w "$PACK"
}

test_case "a remote that is whole has no fault, by its listing and by its bytes" <<'CASE'
	project
	expect_ok mlv fsck --remote
	expect_out "no fault"
	expect_ok mlv fsck --remote --deep origin
	expect_out "every byte"
	expect_ok mlv fsck --remote --deep --json
	expect_json .faults '[]'
	expect_json .found 0
	expect_json .deep true
	expect_json .remote '"origin"'
	expect_json '.packs > 0 and .indexes > 0 and .objects > 30 and .roots == 1' true
	expect_ok mlv fsck --remote -q
	expect_silence
CASE

test_case "a pack that is gone, or has another length, is told" <<'CASE'
	project
	big_pack
	cp -p "$PACK" "$CASE/pack"
	truncate -s -1 "$PACK"
	expect_status 1 mlv fsck --remote
	expect_out "bytes where its index says"
	expect_status 1 mlv fsck --remote --json
	expect_json '.faults[0].kind' '"size"'
	rm -f "$PACK"
	expect_status 1 mlv fsck --remote --json
	expect_json '[.faults[].kind] | unique' '["gone","missing"]'
	expect_json '.faults[0].file' "\"${PACK#../store/}\""
	cp -p "$CASE/pack" "$PACK"
	expect_ok mlv fsck --remote
CASE

test_case "a flipped byte in a pack is found by --deep" <<'CASE'
	project
	big_pack
	printf 'XXXX' | dd of="$PACK" bs=1 seek=5000 conv=notrunc status=none
	expect_ok mlv fsck --remote
	expect_status 1 mlv fsck --remote --deep --json
	expect_json '.faults[0].kind' '"object"'
	expect_json '.faults[0].object_kind' '"blob"'
	expect_json '.faults[0].object | startswith("sha256:")' true
CASE

test_case "a damaged index is found though the clone has a good copy of it" <<'CASE'
	project
	index=$(ls ../store/live/i-* | head -n 1)
	chmod u+w "$index"
	printf 'XXXX' | dd of="$index" bs=1 seek=200 conv=notrunc status=none
	expect_ok mlv pull
	expect_status 1 mlv fsck --remote --json
	expect_json '.faults[0].kind' '"index"'
CASE

test_case "a pack that no index names is counted, and no fault" <<'CASE'
	project
	mkdir -p ../store/packs/00
	big_pack
	cp "$PACK" "../store/packs/00/$(printf '0%.0s' {1..64}).pack"
	expect_ok mlv fsck --remote --json
	expect_json .unnamed_packs 1
	expect_ok mlv fsck --remote
	expect_out "1 pack that no index names"
CASE

test_case "what is gone comes back by push --recheck" <<'CASE'
	project
	big_pack
	rm -f "$PACK"
	expect_status 1 mlv fsck --remote
	expect_ok mlv push --recheck
	expect_ok mlv fsck --remote --deep
CASE

test_case "a remote on a web server is checked too" <<'CASE'
	project
	mlv remote publish -q
	serve ../store
	mlv remote add --local web "$URL"
	expect_ok mlv fsck --remote web
	expect_ok mlv fsck --remote --deep web
	big_pack
	cp -p "$PACK" "$CASE/pack"
	truncate -s -1 "$PACK"
	expect_status 1 mlv fsck --remote web --json
	expect_json '.faults[0].kind' '"size"'
	rm -f "$PACK"
	expect_status 1 mlv fsck --remote web --json
	expect_json '.faults[0].kind' '"gone"'
	cp -p "$CASE/pack" "$PACK"
CASE

test_case "words that do not fit are refused" <<'CASE'
	project
	expect_status 129 mlv fsck origin
	expect_status 129 mlv fsck --deep
	expect_status 129 mlv fsck --remote --repair
	expect_status 128 mlv fsck --remote nowhere
	expect_err "there is no remote 'nowhere'"
CASE

test_done
