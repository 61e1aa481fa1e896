# SPDX-License-Identifier: Apache-2.0
"""Commands and what they took, workloads on disk, rows: what all rows share."""
import os
import shutil
import statistics
import subprocess
import tempfile
import time

import workloads
from workloads import GIB, KIB, in_child, touch

CORES = os.cpu_count() or 1


class Run:
    """What one command took."""

    def __init__(self, seconds, rss, output):
        self.seconds, self.rss, self.output = seconds, rss, output


def execute(argv, cwd=None, env=None, quiet=True):
    """Runs a command; its output is kept, and a failure ends everything."""
    with tempfile.TemporaryFile() as output:
        begun = time.monotonic()
        process = subprocess.Popen(argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=output,
                                   stderr=subprocess.PIPE if quiet else None)
        errors = process.stderr.read() if quiet else b""
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read()
    if process.returncode != 0:
        raise SystemExit("%s ended with %d: %s" % (
            " ".join(argv), process.returncode, errors.decode("utf-8", "replace")[-2000:]))
    return Run(seconds, usage.ru_maxrss * KIB, text)


def shell(text, *words, cwd=None, env=None):
    return execute(["sh", "-ec", text, "sh", *words], cwd=cwd, env=env)


class Common:
    """One place to work in."""

    def __init__(self, args, where):
        self.args = args
        self.root = tempfile.mkdtemp(prefix="mlv-bench.", dir=where)
        self.scale = 0.1 if args.quick else 1.0
        self.rows = []
        self.disk = None
        self.mlv = os.path.abspath(args.mlv)
        home = os.path.join(self.root, "home")
        os.mkdir(home)
        self.env = {key: value for key, value in os.environ.items()
                    if not key.startswith(("GIT_", "AWS_", "XDG_", "RESTIC_", "BORG_"))}
        self.env.update(HOME=home, LC_ALL="C.UTF-8", RESTIC_PASSWORD="bench", BORG_BASE_DIR=home,
                        RESTIC_CACHE_DIR=home + "/restic", GIT_CONFIG_NOSYSTEM="1",
                        BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK="yes")
        with open(os.path.join(home, ".gitconfig"), "w", encoding="ascii") as out:
            out.write("[user]\n\tname = Bench\n\temail = bench@example.com\n")

    def close(self):
        if self.disk:
            subprocess.run(["umount", "-l", self.disk], check=False)
        shutil.rmtree(self.root, ignore_errors=True)

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def wanted(self, name):
        return not self.args.only or any(name.startswith(only) for only in self.args.only)

    def data(self, name):
        """The workload, made when it is asked for first, and read once."""
        path = self.path("data", name)
        if os.path.exists(path):
            return path
        os.makedirs(os.path.dirname(path), exist_ok=True)
        scale = self.scale
        if name == "S":
            in_child(workloads.make_files, path, int(100000 * scale), 100, 6 * KIB, 16 * KIB, 1)
        elif name == "M":
            in_child(workloads.make_files, path, int(1000000 * scale), 1000, 100, 100, 2)
        elif name == "B":
            in_child(workloads.make_random, path, int(2 * GIB * scale), 3)
        elif name == "B2":
            in_child(workloads.make_edited, self.data("B"), path, 40, 4)
        elif name == "C":
            in_child(workloads.make_csv, path, int(300e6 * scale), 5)
        elif name == "C2":
            in_child(workloads.make_csv_edited, self.data("C"), path, int(100 * scale),
                     int(1000 * scale), 6)
        shell('find "$1" -type f -exec cat {} + >/dev/null; sync', path)
        return path

    def size(self, name):
        return sum(os.lstat(os.path.join(folder, file)).st_size
                   for folder, _, files in os.walk(self.data(name)) for file in files) \
            if os.path.isdir(self.data(name)) else os.path.getsize(self.data(name))

    def call(self, *words, cwd=None):
        return execute([self.mlv, *words], cwd=cwd, env=self.env)

    def repo(self, *names, where=None):
        """A new repository into which workloads are moved; give_back() moves them out again."""
        path = os.path.join(where or self.root, "repo")
        shutil.rmtree(path, ignore_errors=True)
        os.mkdir(path)
        shell("git init -q .", cwd=path, env=self.env)
        self.call("init", "-q", cwd=path)
        for name in names:
            os.rename(self.data(name), os.path.join(path, name))
        return path

    def give_back(self, path, *names):
        for name in names:
            os.rename(os.path.join(path, name), self.path("data", name))
        shutil.rmtree(path)

    def in_turns(self, *functions):
        """The medians of each; a function gives a Run or seconds."""
        taken = [[] for _ in functions]
        for _ in range(self.args.repeat):
            for number, function in enumerate(functions):
                in_child(touch, int(3 * GIB * self.scale))
                got = function()
                taken[number].append(got.seconds if isinstance(got, Run) else got)
        return [statistics.median(times) for times in taken]

    def row(self, what, mlv, against, other, limit):
        """limit: the most that mlv / other may be; None: only told."""
        ratio = mlv / other if other else 0.0
        verdict = "" if limit is None else "ok" if ratio <= limit else "MISS"
        self.rows.append((what, mlv, against, other, ratio, limit, verdict))
        print("%-26s %9.3f  %-30s %9.3f %7.2f %8s  %s" % (
            what, mlv, against, other, ratio, "" if limit is None else "<= %g" % limit, verdict),
            flush=True)
