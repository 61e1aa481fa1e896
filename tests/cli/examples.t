# SPDX-License-Identifier: Apache-2.0
# Runs the section EXAMPLES of every page of section 1.
#
# Lines that begin with "$ " are run one after the other, in the folder `project` that make_project makes; each must
# succeed. What a page needs beyond that it prepares in comments of the same section: .\" $ COMMAND
. "$(dirname "$0")/lib.sh"

# A repository with two versions, tagged v1 and v2, both pushed: to ../origin.git what is git's, to ../store the data.
# Tracked: data/images (a folder), data/train.csv, model.pt; git's own: train.py.
make_project()
{
	git init -q --bare origin.git
	new_repo project
	git remote add origin ../origin.git
	mlv remote add origin ../store
	gen_tree data/images 30 1
	gen_csv 2000 1 data/train.csv
	gen_random 100000 2 model.pt
	echo 'print("training")' >train.py
	mlv add -q data/images data/train.csv model.pt
	git add -A
	mlv commit -q -m "first version"
	git tag v1
	gen_csv 2100 1 data/train.csv
	gen_random 5000 3 data/images/part0/new.png
	rm data/images/part1/f000000
	mlv add -q data/images data/train.csv
	mlv commit -q -m "second version"
	git tag v2
	git push -q origin main v1 v2
	mlv push -q --all
}

# The commands of a page's examples, one a line; mdoc's escapes undone.
examples()
{
	awk '/^\.Sh /{ inside = /EXAMPLES/ } inside' "$1" |
		sed -n -e 's/^\.\\" \$ //p' -e 's/^\$ //p' |
		sed -e 's/\\e/\\/g' -e 's/\\-/-/g' -e 's/\\&//g' -e 's/\\(aq/'\''/g' -e 's/\\(dq/"/g' \
			-e 's/\\(ha/^/g' -e 's/\\(ti/~/g'
}

run_examples()
{
	local page=$1 line
	if grep -qE 'mlv (version|help|completion)' <(examples "$page") && ! mlv help | grep -q '^ *push '; then
		mkdir project
		cd project
	else
		make_project
	fi
	examples "$page" >"$CASE/examples"
	[ -s "$CASE/examples" ] || fail "$page has no example that could be run"
	# In this very shell: an example may change the folder.
	eval "$(cat "$CASE/examples")"
}

for page in "$TOP"/man/mlv-*.1; do
	name=$(basename "$page" .1)
	test_case "the examples of $name work" "run_examples '$page'"
done

test_done
