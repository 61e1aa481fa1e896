#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The main job, from nothing, on a real dataset (8x8 scans of handwritten digits, which scikit-learn brings) and a real
# model trained on it: tests/quickstart.sh PROGRAM [FOLDER]. Without FOLDER all is removed at the end.
set -eu

program=$(realpath "$1")
python=/usr/bin/python3
if [ $# -gt 1 ]; then
	top=$(realpath "$2")
	mkdir -p "$top"
else
	top=$(mktemp -d)
	trap 'rm -rf "$top"' EXIT
fi
mkdir -p "$top/bin" "$top/home"
ln -sf "$program" "$top/bin/mlv"
PATH=$top/bin:$PATH
# none of the user's own configuration, and an identity for the commits
HOME=$top/home GIT_CONFIG_NOSYSTEM=1
GIT_AUTHOR_NAME='A Newcomer' GIT_AUTHOR_EMAIL=newcomer@example.com
GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL
export PATH HOME GIT_CONFIG_NOSYSTEM GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE 2>/dev/null || true

say()
{
	printf '\n\033[1m# %s\033[0m\n' "$*"
}

run()
{
	printf '$ %s\n' "$*"
	"$@"
}

same()
{
	(cd "$1" && find data model.pkl -type f -exec sha256sum {} + | LC_ALL=C sort -k2)
}

say "A project: code that makes a dataset and trains a model"
run git init -q -b main "$top/project"
cd "$top/project"
cat >prepare.py <<'PY'
"""Writes the digits of scikit-learn as images in a folder a label: prepare.py FROM TO"""
import pathlib, sys
from sklearn.datasets import load_digits

first, last = int(sys.argv[1]), int(sys.argv[2])
digits = load_digits()
for number in range(first, min(last, len(digits.images))):
    folder = pathlib.Path("data/digits") / str(digits.target[number])
    folder.mkdir(parents=True, exist_ok=True)
    pixels = bytes(int(value * 15.9) for value in digits.images[number].flatten())
    (folder / f"{number:04}.pgm").write_bytes(b"P5 8 8 255\n" + pixels)
PY
cat >train.py <<'PY'
"""Trains on data/digits, writes model.pkl and says how good it is."""
import pathlib, pickle
import numpy
from sklearn.model_selection import train_test_split
from sklearn.svm import SVC

files = sorted(pathlib.Path("data/digits").glob("*/*.pgm"))
images = [numpy.frombuffer(file.read_bytes()[-64:], dtype=numpy.uint8) / 255 for file in files]
labels = [int(file.parent.name) for file in files]
known, unseen, answers, truth = train_test_split(images, labels, random_state=0, stratify=labels)
model = SVC(gamma=0.02, C=10).fit(known, answers)
pathlib.Path("model.pkl").write_bytes(pickle.dumps(model))
print(f"{len(files)} images, accuracy {model.score(unseen, truth):.3f}")
PY
run "$python" prepare.py 0 1000
run "$python" train.py

say "Version them beside the code"
run mlv init
run mlv add data/digits model.pkl
run git add prepare.py train.py
run mlv status | head -12
run mlv commit -m "first thousand digits"
cat data/digits.mlv

say "A second version: more images, a better model"
run "$python" prepare.py 1000 1797
run "$python" train.py
run mlv status | head -12
run mlv commit -a -m "all digits"
run mlv diff --stat HEAD~1 HEAD
run mlv log

say "Push data and code, each to its remote"
run git init -q --bare -b main "$top/code.git"
run git remote add origin "$top/code.git"
run mlv remote add origin "$top/shared-data"
run git commit -q -m "name the remote"
run mlv push --all
run git push -q origin main

say "Elsewhere: clone, and get the same bytes"
run mlv clone "$top/code.git" "$top/elsewhere"
same "$top/project" >"$top/here"
same "$top/elsewhere" >"$top/there"
cmp "$top/here" "$top/there"
cd "$top/elsewhere"
run mlv verify --remote
run "$python" -c 'import pickle; print("the model loads:", pickle.load(open("model.pkl", "rb")))'

say "Go back to the first version, data and code together"
run mlv fetch --all
run mlv checkout -q HEAD~2
printf '%s images\n' "$(find data/digits -name '*.pgm' | wc -l)"
run mlv checkout -q main
same "$top/elsewhere" >"$top/there"
cmp "$top/here" "$top/there"
run mlv fsck

say "Done: $(wc -l <"$top/here") files, byte for byte the same in both places"
