# SPDX-License-Identifier: Apache-2.0
"""Rows of pipelines and runs, beside make and, where it is installed, DVC."""
import os
import random
import shutil
import statistics
import subprocess

from common import execute, shell

STAGES = 300
SLEEPS = 64
RUNS = 10000
OUTS = 100000
STEPS = 100000


def median(times, function):
    return statistics.median(function().seconds for _ in range(times))


def write(path, text):
    with open(path, "w", encoding="ascii") as out:
        out.write(text)


class PipelineRows:
    """Mixed into Bench."""

    def pipeline(self, stages):
        """A repository with stages, of (name, command, dep or None, out or None)."""
        path = self.repo()
        lines, rules = ["stages:"], ["all: " + " ".join(out or name for name, _, _, out in stages)]
        for name, cmd, dep, out in stages:
            lines += ["  %s:" % name, "    cmd: " + cmd]
            if dep:
                write(os.path.join(path, dep), name + "\n")
                lines.append("    deps: [%s]" % dep)
            if out:
                lines.append("    outs: [%s]" % out)
            rules.append("%s: %s\n\t%s" % (out or name, dep or "", cmd))
        write(os.path.join(path, "mlv.yaml"), "\n".join(lines) + "\n")
        write(os.path.join(path, "Makefile"), "\n".join(rules) + "\n")
        return path

    def make(self, path, *words):
        return execute(["make", "-s", *words], cwd=path)

    def dvc_repro(self, path):
        """Seconds of `dvc repro` of the same stages from nothing, and of the next; or None."""
        if not shutil.which("dvc") or "dvc" in self.args.without:
            return None
        os.rename(os.path.join(path, "mlv.yaml"), os.path.join(path, "dvc.yaml"))
        shell("rm -f o*.txt mlv.lock; dvc init -q -f", cwd=path, env=self.env)
        return [execute(["dvc", "repro", "-q"], cwd=path, env=self.env).seconds for _ in range(2)]

    def row_repro(self):
        path = self.pipeline([("s%d" % n, "cp in%d.txt o%d.txt" % (n, n), "in%d.txt" % n,
                               "o%d.txt" % n) for n in range(STAGES)])

        def from_nothing():
            shell("rm -rf o*.txt mlv.lock .git/mlv", cwd=path)
            return self.call("repro", "-q", "-j", "1", cwd=path)

        def made():
            shell("rm -f o*.txt", cwd=path)
            return self.make(path, "-j1")

        made_in = median(self.args.repeat, made)
        self.row("repro, %d tiny stages" % STAGES, median(self.args.repeat, from_nothing),
                 "make", made_in, 2.0)
        idle = median(5 * self.args.repeat, lambda: self.call("repro", "-q", cwd=path))
        self.row("repro, nothing to do", idle, "28 ms", 0.028, 1.0)
        self.row("repro, nothing to do", idle, "make -n",
                 median(5 * self.args.repeat, lambda: self.make(path, "-n")), None)
        peer = self.dvc_repro(path)
        if peer:
            self.row("repro, nothing to do", idle, "dvc repro", peer[1], 0.01)
        shutil.rmtree(path)

    def row_repro_parallel(self):
        path = self.pipeline([("s%d" % n, "sleep 0.5", None, None) for n in range(SLEEPS)])
        ideal = SLEEPS / 16 * 0.5
        self.row("repro -j 16, %d sleeps" % SLEEPS, self.call("repro", "-q", "-j", "16",
                 cwd=path).seconds, "ideal", ideal, 1.15)
        self.row("make -j 16, %d sleeps" % SLEEPS, self.make(path, "-j16").seconds, "ideal", ideal,
                 None)
        shutil.rmtree(path)

    def row_repro_restore(self):
        path = self.repo()
        write(os.path.join(path, "make.py"), """import os, random
r = random.Random(1)
for d in range(100):
    os.makedirs("out/%%03d" %% d)
    for f in range(%d):
        open("out/%%03d/%%04d" %% (d, f), "wb").write(r.randbytes(1000))
""" % (OUTS * self.scale / 100))
        write(os.path.join(path, "mlv.yaml"),
              "stages:\n  make: {cmd: python3 make.py, deps: [make.py], outs: [out]}\n")
        self.call("repro", "-q", cwd=path)

        def restored():
            shell("rm -rf out mlv.lock; sync .", cwd=path)
            return self.call("repro", "-q", cwd=path)

        def checked_out():
            shell("rm -rf out; sync .", cwd=path)
            return self.call("checkout", "-q", cwd=path)

        mlv, checkout = self.in_turns(restored, checked_out)
        self.row("restore %d outputs" % (OUTS * self.scale), mlv, "mlv checkout", checkout, 1.2)
        shutil.rmtree(path)

    def project(self):
        """A repository with a stage, 100 files of code and two commits."""
        path = self.repo()
        os.mkdir(os.path.join(path, "src"))
        write(os.path.join(path, "params.yaml"), "lr: 0.1\n")
        write(os.path.join(path, "train.sh"), "cp params.yaml model; echo '{\"acc\": 0.5}' >m.json\n")
        write(os.path.join(path, "mlv.yaml"), "stages:\n  train:\n    cmd: sh train.sh\n"
              "    params: [lr]\n    outs: [model]\n    metrics: [{m.json: {cache: false}}]\n")
        self.change(path)
        self.call("repro", "-q", cwd=path)
        shell("git add -A; git commit -q -m one; sed -i s/0.5/0.6/ train.sh m.json;"
              "git commit -q -a -m two", cwd=path, env=self.env)
        return path

    def change(self, path):
        for number in range(100):
            write(os.path.join(path, "src", "%d.py" % number), "%r\n" % random.random())

    def row_run(self):
        path = self.project()

        def recorded():
            self.change(path)
            return self.call("run", "-q", "--", "true", cwd=path)

        self.row("mlv run -- true, 100 files", median(5 * self.args.repeat, recorded), "50 ms", 0.05,
                 1.0)
        compared = median(5 * self.args.repeat,
                          lambda: self.call("metrics", "diff", "HEAD~1", "HEAD", cwd=path))
        self.row("metrics diff", compared, "50 ms", 0.05, 1.0)
        self.many_runs(path)
        self.row("runs list, %d runs" % RUNS, median(self.args.repeat, lambda: self.call(
            "runs", "list", cwd=path)), "1 s", 1.0, 1.0)
        shutil.rmtree(path)

    def many_runs(self, path):
        """Records like the one that is there, under other names."""
        text = shell("git cat-file commit $(git for-each-ref --format='%(objectname)' --count=1 "
                     "refs/mlv/runs)", cwd=path).output.decode()
        head, message = text.split("\n\n", 1)
        parent = [line.split()[1] for line in head.split("\n") if line.startswith("parent ")][0]
        name = message.split()[1].rstrip(":")
        stream = []
        for number in range(RUNS):
            record = message.replace(name, "r%05d" % number).encode()
            stream.append(b"commit refs/mlv/runs/r%05d\ncommitter B <b@example.com> 1700000000 +0000\n"
                          b"data %d\n%s\nfrom %s\n\n" % (number, len(record), record,
                                                         parent.encode()))
        subprocess.run(["git", "fast-import", "--quiet"], input=b"".join(stream), cwd=path,
                       check=True)
        shell("git pack-refs --all", cwd=path)

    def row_log_metric(self):
        path = self.repo()
        write(os.path.join(path, "log.py"), """import json, os, time
begun = time.perf_counter()
with open(os.environ["MLV_METRICS"], "a", buffering=1) as out:
    for step in range(%d):
        out.write('{"step": %%d, "loss": %%.6f}\\n' %% (step, 1 / (step + 1)))
print((time.perf_counter() - begun) / %d)
""" % (STEPS, STEPS))
        run = self.call("run", "-n", "log", "--", "python3", "log.py", cwd=path)
        self.row("a step in $MLV_METRICS, us", float(run.output.split()[0]) * 1e6, "10 us", 10.0, 1.0)
        self.row("mlv run of %d steps" % STEPS, run.seconds, "1 s", 1.0, None)
        shutil.rmtree(path)

    def run_pipeline(self):
        for name, function in (
                ("repro", self.row_repro), ("repro-parallel", self.row_repro_parallel),
                ("repro-restore", self.row_repro_restore), ("run", self.row_run),
                ("log-metric", self.row_log_metric)):
            if self.wanted(name):
                function()
