# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"

test_case "outside of a repository it says what there is and exits 0" <<'CASE'
	expect_ok mlv doctor
	expect_out "libgit2"
	expect_ok mlv doctor --json
	expect_json .repository null
	expect_json '.versions | [.mlv, .git, .libgit2, .zstd] | map(type) | unique' '["string"]'
	expect_json '.machine.cores > 0' true
CASE

test_case "in a repository it names the file system and writes nothing" <<'CASE'
	new_repo project
	expect_ok mlv doctor --json
	expect_json '.workspace.path' "\"$PWD\""
	expect_json '.workspace.fileSystem | type' '"string"'
	expect_json '.workspace.reflink | type' '"boolean"'
	expect_json '.remotes' '[]'
	[ -z "$(git status --porcelain)" ]
	[ "$(find . -name 'tmp-*')" = "" ]
CASE

test_case "a remote that is not there yet is no trouble" <<'CASE'
	new_repo project
	git config mlv-remote.origin.url ../store
	expect_ok mlv doctor --json
	expect_json '.remotes[0].name' '"origin"'
	expect_json '.remotes[0].state | startswith("not there yet")' true
CASE

test_case "a remote that cannot be is trouble and exits 1" <<'CASE'
	new_repo project
	git config mlv-remote.origin.url ../no/such/folder
	expect_status 1 mlv doctor
	expect_out "origin"
	mkdir ../other
	echo nonsense >../other/format
	git config mlv-remote.origin.url ../other
	expect_status 1 mlv doctor
	mv ../other/format ../other/notes
	expect_status 1 mlv doctor
	expect_out "holds something else ('notes')"
CASE

test_case "a repository that mlv cannot work in is told of, with all the rest" <<'CASE'
	git init -q --bare bare.git
	git init -q --object-format=sha256 long
	git init -q table
	git -C table config core.repositoryFormatVersion 1
	git -C table config extensions.refStorage reftable
	for dir in bare.git long table; do
		expect_status 1 mlv -C $dir doctor
		expect_out "libgit2"
		expect_out "problem"
		expect_status 1 mlv -C $dir doctor --json
		expect_json '.repository.problem | type' '"string"'
	done
	expect_out "refStorage"
	new_repo odd
	git config mlv-remote.origin.url ""
	git config mlv-remote.origin.connections many
	run mlv doctor --json
	[ "$STATUS" -le 1 ] || fail "it ended with $STATUS"
	expect_json '.versions.mlv | type' '"string"'
CASE

test_done
