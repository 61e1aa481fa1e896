# SPDX-License-Identifier: Apache-2.0
# import-url and update, with every system call failing in turn.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../fault/lib.sh"

prepare()
{
	new_repo project
	gen_random 600000 1 ../raw/model.bin
	gen_csv 50 1 ../raw/labels.csv
	mlv import-url -q ../raw/labels.csv
	gen_random 5000 2 other
	mlv add -q other
	commit_all "one"
	mlv archive HEAD | sha256sum >"$SCENE/notes/archive"
	gen_csv 70 2 ../raw/labels.csv
}

act()
{
	cd project
	mlv import-url -f ../raw/model.bin && mlv update
}

old()
{
	cd project
	mlv archive HEAD | sha256sum | cmp - "$SCENE/notes/archive"
	git ls-files --error-unmatch labels.csv.mlv labels.csv.mlv-import other.mlv
	# Nothing is tracked whose data are not stored.
	! git ls-files --error-unmatch model.bin.mlv || mlv cat model.bin | cmp - ../raw/model.bin
}

done_()
{
	cd project
	cmp labels.csv ../raw/labels.csv
	cmp model.bin ../raw/model.bin
	[ -z "$(git diff --name-only)" ]
	mlv update -n --exit-code
}

fault_cases "import-url and update"
test_done
