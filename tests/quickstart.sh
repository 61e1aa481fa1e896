#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The main job, from nothing, on a real dataset (8x8 scans of handwritten digits, which scikit-learn brings) and a real
# model trained on it: versions, a pipeline, a sweep, and proof elsewhere that it reproduces.
# tests/quickstart.sh PROGRAM [FOLDER]. Without FOLDER all is removed at the end.
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
	(cd "$1" && find data features model.pkl metrics.json -type f -exec sha256sum {} + | LC_ALL=C sort -k2)
}

say "A project: a dataset, as somebody delivered it"
run git init -q -b main "$top/project"
cd "$top/project"
cat >"$top/deliver.py" <<'PY'
"""Writes the digits of scikit-learn as images in a folder a label: deliver.py FROM TO"""
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
run "$python" "$top/deliver.py" 0 1000

say "Version it beside the code"
run mlv init
run mlv add data/digits
run mlv status | head -12
run mlv commit -m "first thousand digits"
cat data/digits.mlv

say "A second version: more images"
run "$python" "$top/deliver.py" 1000 1797
run mlv status | head -12
run mlv commit -a -m "all digits"
run mlv diff --stat HEAD~1 HEAD
run mlv log

say "A pipeline: prepare, train, evaluate"
cat >prepare.py <<'PY'
"""Reads data/digits, writes features/: what the model learns from, and what it is tried on."""
import pathlib
import numpy, yaml
from sklearn.model_selection import train_test_split

params = yaml.safe_load(open("params.yaml"))
files = sorted(pathlib.Path("data/digits").glob("*/*.pgm"))
images = numpy.array([numpy.frombuffer(file.read_bytes()[-64:], dtype=numpy.uint8) for file in files]) / 255
labels = numpy.array([int(file.parent.name) for file in files])
parts = train_test_split(images, labels, test_size=params["test"], random_state=params["seed"], stratify=labels)
pathlib.Path("features").mkdir(exist_ok=True)
for name, part in zip(("known", "unseen", "answers", "truth"), parts):
    numpy.save(f"features/{name}.npy", part)
PY
cat >train.py <<'PY'
"""Trains on features/, writes model.pkl."""
import pathlib, pickle
import numpy, yaml
from sklearn.svm import SVC

params = yaml.safe_load(open("params.yaml"))["train"]
model = SVC(gamma=params["gamma"], C=params["C"])
model.fit(numpy.load("features/known.npy"), numpy.load("features/answers.npy"))
pathlib.Path("model.pkl").write_bytes(pickle.dumps(model))
PY
cat >evaluate.py <<'PY'
"""Tries model.pkl on what it has not seen, writes metrics.json."""
import json, pickle
import numpy

model = pickle.load(open("model.pkl", "rb"))
unseen, truth = numpy.load("features/unseen.npy"), numpy.load("features/truth.npy")
metrics = {"acc": round(model.score(unseen, truth), 6), "vectors": len(model.support_)}
json.dump(metrics, open("metrics.json", "w"))
PY
cat >params.yaml <<'YAML'
seed: 0
test: 0.25
train:
  gamma: 0.001 # how far one image reaches
  C: 10
YAML
cat >mlv.yaml <<YAML
stages:
  prepare:
    cmd: $python prepare.py
    deps: [prepare.py, data/digits]
    params: [seed, test]
    outs: [features]
  train:
    cmd: $python train.py
    deps: [train.py, features]
    params: [train]
    outs: [model.pkl]
  evaluate:
    cmd: $python evaluate.py
    deps: [evaluate.py, features, model.pkl]
    metrics: [metrics.json]
YAML
run mlv dag
run mlv repro
run mlv repro
run git add mlv.yaml params.yaml prepare.py train.py evaluate.py
run mlv commit -a -m "a model"

say "A sweep over a parameter: three runs, two at once, each in a work tree of its own"
run mlv run --queue -n sweep -S train.gamma=0.005,0.02,0.08
run mlv run --all -j 2
run mlv runs list --sort=-acc

say "The best of them comes into the work tree, and is committed"
best=$(mlv runs list --sort=-acc -n 1 | awk 'NR == 2 { print $1 }')
run mlv runs apply "$best"
run mlv metrics diff HEAD
run mlv params diff HEAD
run mlv repro
run mlv commit -a -m "a better model"

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
run mlv repro
run "$python" -c 'import pickle; print("the model loads:", pickle.load(open("model.pkl", "rb")))'

say "Go back to the first version, data and code together"
run mlv fetch --all
run mlv checkout -q HEAD~4
printf '%s images\n' "$(find data/digits -name '*.pgm' | wc -l)"
run mlv checkout -q main
same "$top/elsewhere" >"$top/there"
cmp "$top/here" "$top/there"
run mlv fsck

say "A fresh clone proves that it reproduces: everything runs again, from nothing, and gives the same bytes"
run git clone -q "$top/code.git" "$top/proof"
cd "$top/proof"
run mlv repro --verify --junit "$top/proof.xml"

say "Done: $(wc -l <"$top/here") files, byte for byte the same in all places"
