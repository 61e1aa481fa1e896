# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/lib.sh"

# Whether the process whose id a file holds is gone.
is_gone()
{
	! kill -0 "$(cat "$1")" 2>/dev/null
}

test_case "ctrl-C ends the stages that run, takes nothing of them, and ends with 130" <<'CASE'
	new_repo project
	{
		echo stages:
		echo '  first: {cmd: echo 1 > first.txt, outs: [first.txt]}'
		for i in 1 2 3 4 5 6 7 8; do
			echo "  s$i: {cmd: 'echo part > o$i; echo \$\$ > ../pid$i; exec sleep 100', outs: [o$i]}"
		done
		echo '  last: {cmd: cp o1 last.txt, deps: [o1], outs: [last.txt]}'
	} >mlv.yaml
	mlv repro -q first
	cp mlv.lock ../before
	env --default-signal=INT mlv repro -j 8 >../out 2>../err &
	pid=$!
	for i in 1 2 3 4 5 6 7 8; do
		poll 20 test -s ../pid$i
	done
	kill -INT "$pid"
	status=0
	wait "$pid" || status=$?
	[ $status = 130 ] || fail "it ended with $status"
	for i in 1 2 3 4 5 6 7 8; do
		is_gone ../pid$i
	done
	grep -q 's3: interrupted' ../err
	expect_same mlv.lock ../before
	expect_no_file last.txt
	sed -i 's/exec sleep 100/true/' mlv.yaml
	expect_ok mlv repro -j 8
	expect_err "stages: 9 ran, 1 unchanged"
CASE

test_case "a stage that ignores signals does not hang it, nor does a daemon" <<'CASE'
	new_repo project
	cat >mlv.yaml <<-'YAML'
		stages:
		  deaf: {cmd: "trap '' INT TERM; echo $$ > ../pid; while :; do sleep 0.1; done", outs: [o]}
	YAML
	env --default-signal=INT mlv repro >../out 2>../err &
	pid=$!
	poll 20 test -s ../pid
	kill -INT "$pid"
	# A second ctrl-C does not wait for the grace.
	kill -INT "$pid"
	status=0
	wait "$pid" || status=$?
	[ $status = 130 ] || fail "it ended with $status"
	is_gone ../pid
	cat >mlv.yaml <<-'YAML'
		stages:
		  daemon: {cmd: 'sleep 100 & echo $! > ../pid; echo started > o', outs: [o]}
	YAML
	expect_ok timeout 20 mlv repro
	expect_content o started
	kill "$(cat ../pid)"
CASE

test_case "what a stage made of inputs that changed while it ran is not taken" <<'CASE'
	new_repo project
	echo 1 >in.txt
	printf 'n: 1\n' >params.yaml
	cat >mlv.yaml <<-'YAML'
		stages:
		  s: {cmd: 'cp in.txt out.txt; echo 2 > in.txt', deps: [in.txt], params: [n], outs: [out.txt]}
	YAML
	expect_status 1 mlv repro
	expect_err "'in.txt' changed while it ran, so what it made is not taken"
	expect_no_file mlv.lock
	sed -i 's/echo 2 > in.txt/rm in.txt/' mlv.yaml
	expect_status 1 mlv repro
	expect_err "'in.txt' changed while it ran"
	echo 1 >in.txt
	sed -i 's/rm in.txt/sed -i s,1,2, params.yaml/' mlv.yaml
	expect_status 1 mlv repro
	expect_err "'params.yaml:n' changed while it ran"
	sed -i 's/; sed -i s,1,2, params.yaml//' mlv.yaml
	expect_ok mlv repro
CASE

test_case "a stage that prints 100 MB is shown whole and its log keeps both ends" <<'CASE'
	new_repo project
	git config mlv.maxLog 2m
	cat >mlv.yaml <<-'YAML'
		stages:
		  loud: {cmd: 'echo first; seq 13000000; echo last; echo x > o', outs: [o]}
	YAML
	mlv repro 2>/dev/null | tail -n 1 >../tail
	expect_content ../tail last
	[ "$(du -sk .git/mlv/logs | cut -f 1)" -lt 2048 ]
	expect_ok mlv stage log loud
	[ "$(head -n 1 "$CASE/out")" = first ]
	[ "$(tail -n 1 "$CASE/out")" = last ]
	grep -q 'bytes are left out' "$CASE/out"
	[ "$(wc -c <"$CASE/out")" -lt 2200000 ]
	expect_ok mlv repro -q
	expect_silence
CASE

test_case "after kill -9 at any moment the same can be run again" <<'CASE'
	new_repo project
	{
		echo stages:
		for i in 1 2 3 4 5 6; do
			echo "  s$i: {cmd: 'mkdir d$i; seq 1000 > d$i/a; sleep 0.02; seq 2000 > d$i/b', outs: [d$i]}"
		done
		echo '  sum: {cmd: cat d?/b > sum.txt, deps: [d1, d2, d3, d4, d5, d6], outs: [sum.txt]}'
	} >mlv.yaml
	for delay in 0.01 0.05 0.1 0.15 0.2 0.3; do
		mlv repro -q -j 2 &
		pid=$!
		sleep $delay
		kill -KILL $pid 2>/dev/null || true
		wait $pid || true
		mlv fsck -q
		expect_ok mlv repro -n
	done
	expect_ok timeout 60 mlv repro
	[ "$(wc -l <sum.txt)" = 12000 ]
	expect_ok mlv repro
	expect_err "nothing to do"
	git add -A
	mlv commit -q -m "all"
	mlv status -q --exit-code
CASE

test_case "two processes make a stage once" <<'CASE'
	new_repo project
	cat >mlv.yaml <<-'YAML'
		stages:
		  slow: {cmd: 'echo $MLV_RUN >> ../../runs; sleep 0.5; echo made > o', deps: [in], outs: [o]}
		  next: {cmd: 'cp o p', deps: [o], outs: [p]}
	YAML
	mkdir ../../unused 2>/dev/null || true
	echo 1 >in
	git add -A
	git commit -q -m "pipeline"
	git worktree add -q ../second
	: >../runs
	mkdir ../in
	sed -i 's,\.\./\.\./runs,../runs,' mlv.yaml ../second/mlv.yaml
	mlv repro >../out1 2>../err1 &
	one=$!
	poll 20 test -s ../runs
	(cd ../second && mlv repro) >../out2 2>../err2 &
	two=$!
	mlv repro >../out3 2>../err3 &
	three=$!
	wait $one
	wait $two
	wait $three
	[ "$(wc -l <../runs)" = 1 ]
	grep -q 'waiting for another process' ../err2
	grep -q 'restored' ../err2
	expect_content p made
	expect_content ../second/p made
	(cd ../second && expect_ok mlv repro && expect_err "nothing to do")
CASE

test_case "a lock with conflict markers is read, and only what differs runs" <<'CASE'
	new_repo project
	cat >mlv.yaml <<-'YAML'
		stages:
		  a: {cmd: echo a >> ../log; cp in.a a, deps: [in.a], outs: [a]}
		  b: {cmd: echo b >> ../log; cp in.b b, deps: [in.b], outs: [b]}
		  c: {cmd: echo c >> ../log; cp in.c c, deps: [in.c], outs: [c]}
	YAML
	for f in a b c; do echo 1 >in.$f; done
	mlv repro -q
	commit_all "begin"
	git checkout -q -b other
	echo 2 >in.a
	echo 2 >in.b
	mlv repro -q
	commit_all "theirs"
	git checkout -q main
	mlv checkout -q
	echo 3 >in.a
	mlv repro -q
	commit_all "ours"
	! git merge -q other
	grep -q '<<<<<<<' mlv.lock
	# Nothing that either side names is lost.
	mlv gc -q --grace 0
	expect_ok mlv status
	echo 4 >in.a
	git add in.a
	: >../log
	expect_ok mlv repro
	sort ../log >../sorted
	expect_content ../sorted a
	! grep -q '<<<<<<<' mlv.lock
	expect_content b 2
	git add -A
	git commit -q -m "merged"
	mlv status -q --exit-code
CASE

test_case "a folder of 10,000 outputs is stored, restored and left alone" <<'CASE'
	new_repo project
	cat >mlv.yaml <<-'YAML'
		stages:
		  many: {cmd: 'mkdir many; cd many; seq 10000 | split -l 1 -a 4 -d', outs: [many]}
		  count: {cmd: 'ls many | wc -l > n', deps: [many], outs: [n]}
	YAML
	mlv repro -q
	expect_content n 10000
	sum=$(tree_sum many)
	expect_ok mlv repro
	expect_err "nothing to do"
	rm -r many mlv.lock
	expect_ok mlv repro
	expect_err "stages: 2 restored"
	[ "$(tree_sum many)" = "$sum" ]
	echo more >>many/x0001
	rm many/x0002
	touch many/stranger
	expect_ok mlv repro
	expect_err "many: restored"
	[ "$(tree_sum many)" = "$sum" ]
CASE

test_case "the run cache outlives gc for the grace period" <<'CASE'
	new_repo project
	printf 'n: 1\n' >params.yaml
	echo 'stages: {s: {cmd: "echo $MLV_RUN > o", params: [n], outs: [o]}}' >mlv.yaml
	mlv repro -q
	cp o ../one
	printf 'n: 2\n' >params.yaml
	mlv repro -q
	commit_all "two"
	mlv gc -q
	printf 'n: 1\n' >params.yaml
	expect_ok mlv repro
	expect_err "s: restored"
	expect_same o ../one
	git checkout -q -f
	mlv checkout -q -f
	# Without grace it keeps nothing that no commit needs.
	mlv gc -q --grace 0
	printf 'n: 1\n' >params.yaml
	expect_ok mlv repro
	expect_err "stages: 1 ran"
CASE

test_case "an output that cannot be kept is an error, and nothing of it is recorded" <<'CASE'
	new_repo project
	cat >mlv.yaml <<-'YAML'
		stages:
		  link: {cmd: ln -s mlv.yaml o, outs: [o]}
		  fifo: {cmd: mkfifo p, outs: [p]}
		  up: {cmd: echo x > q, wdir: gone, outs: [../q]}
	YAML
	expect_status 1 mlv repro link
	expect_err "its output 'o' cannot be taken: it is a symlink"
	expect_status 1 timeout 20 mlv repro fifo
	expect_err "its output 'p' cannot be taken"
	expect_status 1 mlv repro up
	expect_err "gone"
	expect_no_file mlv.lock
	echo 'stages: {s: {cmd: echo x > ../o, outs: [../o]}}' >mlv.yaml
	expect_status 128 mlv repro
	expect_no_file ../o
CASE

test_done
