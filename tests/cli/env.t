# SPDX-License-Identifier: Apache-2.0
# mlv env: what runs depend on besides code, data and parameters.
. "$(dirname "$0")/lib.sh"

test_case "env show tells system, interpreters and packages" <<'CASE'
	new_repo project
	expect_ok mlv env show
	expect_out 'kernel: Linux '
	expect_out 'architecture: '
	expect_out 'libc: glibc '
	expect_out 'variables.LC_ALL: C.UTF-8'
	mlv env >again
	mlv env show >third
	cmp again third
	mlv env show --json >json
	grep -q '"environment": {' json
CASE

test_case "packages are read from what their managers keep" <<'CASE'
	new_repo project
	mkdir -p venv/bin venv/lib/python3.11/site-packages/{Foo_Bar-1.2.dist-info,six-1.16.0-py3.11.egg-info}
	printf '#!/bin/sh\necho Python 3.11.2\n' >venv/bin/python3
	chmod +x venv/bin/python3
	echo 'home = /usr/bin' >venv/pyvenv.cfg
	mkdir -p conda/conda-meta
	touch conda/conda-meta/numpy-base-1.26.4-py311_0.json
	export PATH=$PWD/venv/bin:$PATH CONDA_PREFIX=$PWD/conda
	expect_ok mlv env
	expect_out "interpreters.python3.path: $PWD/venv/bin/python3"
	expect_out 'interpreters.python3.version: 3.11.2'
	expect_out 'packages.pip.foo-bar: 1.2'
	expect_out 'packages.pip.six: 1.16.0'
	expect_out 'packages.conda.numpy-base: 1.26.4 py311_0'
	! mlv env | grep -q '^packages.pip.pip:'
CASE

test_case "variables are recorded if mlv.env names them, and secrets never" <<'CASE'
	new_repo project
	export MY_FLAG=1 MY_TOKEN=verysecret OTHER=2 HF_TOKEN=verysecret
	! mlv env | grep -q MY_FLAG
	git config mlv.env 'MY_* HF_TOKEN'
	expect_ok mlv env
	expect_out 'variables.MY_FLAG: 1'
	expect_err "'HF_TOKEN' may hold a secret"
	! mlv env show --json | grep -E 'verysecret|OTHER'
	mlv run -q -n one -- true
	! git show refs/mlv/runs/one | grep -E 'verysecret'
CASE

test_case "env diff tells in what runs and now differ" <<'CASE'
	new_repo project
	mlv run -q -n one -- true
	OMP_NUM_THREADS=4 mlv run -q -n two -- true
	expect_ok mlv env diff --exit-code one
	expect_out_is ''
	expect_status 1 mlv env diff --exit-code one two
	expect_out_is 'variables.OMP_NUM_THREADS: (none) -> 4'
	expect_ok mlv env diff
	expect_out_is 'variables.OMP_NUM_THREADS: 4 -> (none)'
	mlv env diff --json one two >json
	grep -q '"what": "variables.OMP_NUM_THREADS"' json
	expect_status 128 mlv env show nobody
CASE

test_case "a program that hangs holds nothing up" <<'CASE'
	new_repo project
	mkdir slow
	printf '#!/bin/sh\nexec sleep 100\n' >slow/julia
	chmod +x slow/julia
	export PATH=$PWD/slow:$PATH
	expect_ok mlv env
	expect_out 'interpreters.julia.path: '
	! mlv env | grep -q 'julia.version'
CASE

test_done
