# SPDX-License-Identifier: Apache-2.0
# mlv repro --trace: what stages read and write without saying so.
. "$(dirname "$0")/lib.sh"

# stage CMD [LINE...]: a pipeline of one stage s with the output out; each LINE stands in its block.
stage()
{
	local cmd=$1
	shift
	{
		printf 'stages:\n  s:\n    cmd: |\n'
		printf '%s\n' "$cmd" | sed 's/^/      /'
		printf '    outs: [out]\n'
		[ $# = 0 ] || printf '    %s\n' "$@"
	} >mlv.yaml
}

# A container may forbid it.
need_trace()
{
	echo 'stages: {s: {cmd: touch out, outs: [out]}}' >mlv.yaml
	mlv repro -q --trace 2>"$CASE/err" && rm -f mlv.yaml mlv.lock out && return
	grep -q 'needs ptrace' "$CASE/err" || fail "$(cat "$CASE/err")"
	skip_case "nothing can be traced here"
}

new_project()
{
	new_repo project
	need_trace
	echo in >in
	echo other >other
	mkdir -p data/sub
	echo 1 >data/1
	echo 2 >data/sub/2
}

need_cc()
{
	command -v cc >/dev/null || skip_case "there is no C compiler"
}

# build NAME [OPTION...]: a program of the C on standard input.
build()
{
	local name=$1
	shift
	cc -O1 -w -o "$name" -x c - "$@"
}

reads()
{
	jq -c '[.stages[0].trace.reads[].path]' "$CASE/out"
}

writes()
{
	jq -c '[.stages[0].trace.writes[].path]' "$CASE/out"
}

expect_reads()
{
	[ "$(reads)" = "$1" ] || {
		cat "$CASE/out"
		fail "undeclared reads are $(reads), not $1"
	}
}

expect_writes()
{
	[ "$(writes)" = "$1" ] || {
		cat "$CASE/out"
		fail "undeclared writes are $(writes), not $1"
	}
}

test_case "what a stage reads and writes undeclared is told, and nothing else" <<'CASE'
	new_project
	stage 'cat in other data/1 > out; echo log > debug.log; echo t > tmp; rm tmp' 'deps: [in]'
	expect_ok mlv repro -q --trace
	expect_out_is 's: read, and no dependency:
    data/1
    other
s: written, and no output:
    debug.log'
	expect_content out "$(printf 'in\nother\n1')"
	# It runs whether anything has changed or not, and is recorded as ever.
	expect_ok mlv repro -q
	expect_silence
	expect_ok mlv repro -q --trace
	expect_out 'debug.log'
	expect_status 1 mlv repro -q --trace --strict
	stage 'cat in other data/1 > out' 'deps: [in, other, data]'
	expect_ok mlv repro -q --trace --strict
	expect_silence
CASE

test_case "a dependency that is not read is told" <<'CASE'
	new_project
	stage 'cat in > out' 'deps: [in, other, data]'
	expect_ok mlv repro --trace
	expect_err "s: the dependency 'data' was not read"
	expect_err "s: the dependency 'other' was not read"
	expect_no_err "dependency 'in'"
	expect_ok mlv repro --trace --json
	expect_json '[.stages[0].trace.unread[].path]' '["data","other"]'
CASE

test_case "what is not there is looked for, which --json tells" <<'CASE'
	new_project
	stage 'cat in ./data/../nothing data/none > out || true' 'deps: [in]'
	expect_ok mlv repro -q --trace
	expect_no_out 'nothing'
	expect_ok mlv repro -q --trace --json
	expect_json '[.stages[0].trace.missing[].path]' '["data/none","nothing"]'
	expect_json '.stages[0].result' '"ran"'
	expect_json '.stages[0].trace.complete' true
CASE

test_case "the exit status of a stage stays what it is" <<'CASE'
	new_project
	stage 'cat other; exit 7' 'deps: [in]'
	expect_status 1 mlv repro --trace
	expect_err 'status 7'
	expect_out 's: read, and no dependency:'
	expect_status 1 mlv repro -q --trace --json
	expect_reads '["other"]'
	expect_json '.stages[0].result' '"failed"'
	stage 'kill -SEGV $$' 'deps: [in]'
	expect_status 1 mlv repro -q --trace --json
	expect_json '.stages[0].status' 139
	expect_err 'signal 11'
	stage 'no-such-program-here' 'deps: [in]'
	expect_status 1 mlv repro -q --trace --json
	expect_json '.stages[0].status' 127
CASE

test_case "links are told by what they lead to, and a dependency may be one" <<'CASE'
	new_project
	ln -s other link
	ln -s data folder
	stage 'cat link folder/1 in > out' 'deps: [in]'
	expect_ok mlv repro -q --trace --json
	expect_reads '["data/1","other"]'
	stage 'cat link in > out' 'deps: [in, link]'
	expect_ok mlv repro -q --trace --json
	expect_reads '[]'
	expect_json '.stages[0].trace.unread' '[]'
CASE

test_case "programs, scripts and what they import are read" <<'CASE'
	new_project
	printf '#!/bin/sh\ncat other\n' >tool.sh
	chmod +x tool.sh
	echo 'echo sourced' >lib.sh
	stage './tool.sh > out; . ./lib.sh; bash -c "cat in" >> out' 'deps: [in]'
	expect_ok mlv repro -q --trace --json
	expect_reads '["lib.sh","other","tool.sh"]'
	python3 -c 'import sys' || skip_case "there is no python3"
	echo 'x = 1' >helper.py
	echo 'import helper, threading
t = threading.Thread(target=lambda: open("out", "w").write(open("other").read()))
t.start(); t.join()' >train.py
	stage 'python3 train.py' 'deps: [in]'
	expect_ok mlv repro -q --trace --json
	expect_reads '["helper.py","other","train.py"]'
	expect_writes '[]'
	# And from what was compiled the first time.
	expect_ok mlv repro -q --trace --json
	jq -e '[.stages[0].trace.reads[].path] | contains(["other","train.py"])' "$CASE/out"
CASE

test_case "renames, links and removals count where they end" <<'CASE'
	new_project
	echo old >victim
	stage 'cp other tmp; mv tmp out; mkdir new.d; cp in new.d/a; mv new.d results; cat results/a >/dev/null; ln other hard; rm victim' \
		'deps: [in]'
	expect_ok mlv repro -q --trace --json
	expect_reads '["other"]'
	expect_writes '["hard","results","victim"]'
CASE

test_case "a static program is traced, and all ways to open a file" <<'CASE'
	need_cc
	new_project
	build prog -static <<-'C' || skip_case "no static programs here"
		#define _GNU_SOURCE
		#include <fcntl.h>
		#include <pthread.h>
		#include <spawn.h>
		#include <stdio.h>
		#include <string.h>
		#include <sys/syscall.h>
		#include <sys/wait.h>
		#include <unistd.h>
		extern char **environ;
		struct how { unsigned long long flags, mode, resolve; };
		static void *thread(void *arg) { open("by-thread", O_RDONLY); return 0; }
		int main(void)
		{
			pthread_t t;
			struct how how = { O_RDONLY };
			char *argv[] = { "cat", "by-spawn", 0 };
			int dir = open("data", O_RDONLY | O_DIRECTORY), pid;
			openat(dir, "sub/2", O_RDONLY);
			syscall(437, AT_FDCWD, "by-openat2", &how, sizeof how);
			open("by-path", O_PATH);
			access("by-access", R_OK);
			pthread_create(&t, 0, thread, 0);
			pthread_join(t, 0);
			posix_spawnp(&pid, "cat", 0, 0, argv, environ);
			waitpid(pid, 0, 0);
			if ((pid = vfork()) == 0) { execlp("cat", "cat", "by-vfork", NULL); _exit(1); }
			waitpid(pid, 0, 0);
			if ((pid = fork()) == 0) {
				chdir("data");
				openat(AT_FDCWD, "1", O_RDONLY);
				_exit(0);
			}
			waitpid(pid, 0, 0);
			close(open("appended", O_WRONLY | O_APPEND));
			open("updated", O_RDWR);
			open("made", O_RDWR | O_CREAT, 0600);
			open("made", O_RDONLY);
			truncate("cut", 0);
			close(creat("out", 0644));
			return 0;
		}
	C
	touch by-thread by-spawn by-openat2 by-path by-access by-vfork appended updated cut
	stage './prog' 'deps: [in, prog]'
	expect_ok mlv repro -q --trace --json
	expect_reads '["by-openat2","by-spawn","by-thread","by-vfork","data/1","data/sub/2","updated"]'
	expect_writes '["appended","cut","made","updated"]'
CASE

test_case "a 32-bit program is traced" <<'CASE'
	need_cc
	[ "$(uname -m)" = x86_64 ] || skip_case "32-bit programs of x86 alone are known here"
	new_project
	build prog -m32 -static -nostdlib -fno-pie -no-pie <<-'C' || skip_case "no 32-bit programs here"
		static int call(int number, const char *a, int b, int c)
		{
			int result;
			__asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory");
			return result;
		}
		void _start(void)
		{
			call(5, "other", 0, 0);
			call(8, "out", 0644, 0);
			call(1, 0, 0, 0);
			for (;;)
				;
		}
	C
	./prog || skip_case "this kernel runs no 32-bit programs"
	stage './prog' 'deps: [prog]'
	expect_ok mlv repro -q --trace --json
	expect_reads '["other"]'
	expect_writes '[]'
CASE

test_case "what lies outside is told apart, and of the system only with --trace-all" <<'CASE'
	new_project
	mkdir "$CASE/elsewhere"
	# Below /tmp nothing is told, where tests mostly are.
	echo x >"$HOME/x"
	stage "cat '$HOME/x' in /etc/hostname > out; echo y > '$HOME/y'" 'deps: [in]'
	case $HOME in
	/tmp/* | /var/*)
		expect_ok mlv repro -q --trace
		expect_silence
		;;
	*)
		expect_ok mlv repro -q --trace
		expect_out 'read outside of the repository, and no dependency:'
		expect_no_out '/etc/hostname'
		;;
	esac
	expect_ok mlv repro -q --trace --trace-all --json
	jq -e '[.stages[0].trace.outside_reads[].path] | index("/etc/hostname")' "$CASE/out"
	jq -e --arg x "$HOME/x" '[.stages[0].trace.outside_reads[].path] | index($x)' "$CASE/out"
	jq -e --arg y "$HOME/y" '[.stages[0].trace.outside_writes[].path] | index($y)' "$CASE/out"
	stage "cat '$HOME/x' in > out" "deps: [in, '$HOME/x']"
	expect_ok mlv repro -q --trace --json
	expect_json '.stages[0].trace.outside_reads' '[]'
	expect_json '.stages[0].trace.unread' '[]'
CASE

test_case "files of git and mlv, and a virtual environment, are nobody's dependency" <<'CASE'
	new_project
	mkdir -p venv/lib
	echo 'home = /usr' >venv/pyvenv.cfg
	echo lib >venv/lib/a
	stage 'git status >/dev/null; cat mlv.yaml .gitignore .mlvconfig venv/pyvenv.cfg venv/lib/a in > out 2>/dev/null || true' 'deps: [in]'
	expect_ok mlv repro -q --trace --json
	expect_reads '[]'
	expect_writes '[]'
CASE

test_case "each stage is told of for itself, also when several run at once" <<'CASE'
	new_project
	for i in 1 2 3 4; do echo $i >in$i; done
	{
		echo 'stages:'
		for i in 1 2 3 4; do
			echo "  s$i: {cmd: 'cat in$i > out$i; cat in$i > log$i', outs: [out$i]}"
		done
	} >mlv.yaml
	expect_ok mlv repro -q -j 4 --trace --json
	expect_json '[.stages | sort_by(.stage)[] | .trace.reads[0].path]' '["in1","in2","in3","in4"]'
	expect_json '[.stages | sort_by(.stage)[] | .trace.writes[0].path]' '["log1","log2","log3","log4"]'
CASE

test_case "a daemon that a stage leaves behind lives on" <<'CASE'
	new_project
	stage '(setsid sh -c "echo \$\$ >daemon.pid; while [ ! -e stop ]; do cat in >/dev/null; sleep 0.05; done; echo ended >daemon.end" >/dev/null 2>&1 </dev/null &) ; while [ ! -s daemon.pid ]; do :; done; cat in > out' \
		'deps: [in]'
	expect_ok mlv repro -q --trace --json
	expect_writes '["daemon.pid"]'
	kill -0 "$(cat daemon.pid)"
	touch stop
	poll 20 test -s daemon.end
CASE

test_case "a program that is stopped stays so until it is continued" <<'CASE'
	need_cc
	new_project
	build prog <<-'C'
		#include <fcntl.h>
		#include <signal.h>
		#include <sys/wait.h>
		#include <unistd.h>
		int main(void)
		{
			int status, pid = fork();
			if (pid == 0) {
				raise(SIGSTOP);
				_exit(open("other", O_RDONLY) < 0);
			}
			if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status))
				return 1;
			usleep(1000);
			if (waitpid(pid, &status, WUNTRACED | WNOHANG) != 0)
				return 2;
			kill(pid, SIGCONT);
			if (waitpid(pid, &status, 0) != pid || status != 0)
				return 3;
			return close(creat("out", 0644));
		}
	C
	stage './prog' 'deps: [prog]'
	expect_ok timeout 60 mlv repro -q --trace --json
	expect_reads '["other"]'
CASE

test_case "an interrupted stage ends, and its report with it" <<'CASE'
	new_project
	stage 'echo started > started; sleep 1000' 'deps: [in]'
	env --default-signal=INT mlv repro -q --trace >../log 2>&1 &
	pid=$!
	poll 20 test -s started
	kill -INT $pid
	status=0
	wait $pid || status=$?
	[ $status = 130 ]
CASE

test_case "where nothing can be traced that is said before anything runs" <<'CASE'
	new_project
	git init -q ../inner
	printf 'stages:\n  t: {cmd: touch ran, outs: [ran]}\n' >../inner/mlv.yaml
	(cd ../inner && mlv init -q)
	# What is traced cannot be traced by another.
	stage '(cd ../inner && mlv repro --trace) 2>out || echo "status $?" >>out' 'deps: [in]'
	expect_ok mlv repro -q --trace --json
	grep -q 'needs ptrace and seccomp filters' out
	grep -q 'status 128' out
	expect_no_file ../inner/ran
CASE

test_case "--trace goes with a run, not with a dry one" <<'CASE'
	new_project
	stage 'cat in > out' 'deps: [in]'
	expect_status 129 mlv repro -n --trace
	expect_status 129 mlv repro --strict
	expect_status 129 mlv repro --trace-all
CASE

test_done
