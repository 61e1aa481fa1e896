# SPDX-License-Identifier: Apache-2.0
"""Rows of what needs no network: storing, status, checkout, a remote that is a folder."""
import json
import os
import shutil
import statistics
import subprocess

from common import CORES, execute, shell
from workloads import GIB, MIB

PEERS = ("restic", "borg", "git-lfs", "git-annex", "dvc")


class LocalRows:
    """Mixed into Bench."""

    # --- commands that several rows use ---

    def add(self, name):
        path = self.repo(name)
        run = self.call("add", "-q", name, cwd=path)
        self.give_back(path, name)
        return run

    def write_floor(self, text, *words):
        """A shell command that writes "$1", which is synced and then removed."""
        out = self.path("floor.out")
        run = shell(text + '; sync "$1"', out, *words)
        shutil.rmtree(out) if os.path.isdir(out) else os.unlink(out)
        return run

    def hashing(self, name):
        return execute(["openssl", "dgst", "-sha256", self.data(name)]).seconds / CORES

    def find(self, path):
        return execute(["find", path, "-type", "f", "-printf", "%s %T@\n"])

    def peer(self, tool, name):
        """Seconds in which a peer stores the workload, or None where it is not installed."""
        if not shutil.which(tool) or tool in self.args.without:
            return None
        path = self.path("peer")
        os.mkdir(path)
        if tool in ("restic", "borg"):
            data = self.data(name)
            shell({"restic": "restic -q init -r repo", "borg": "borg init -e none repo"}[tool],
                  cwd=path, env=self.env)
            run = shell({"restic": 'restic -q -r repo backup "$1"',
                         "borg": 'borg create repo::one "$1"'}[tool], data, cwd=path, env=self.env)
        else:
            os.rename(self.data(name), os.path.join(path, name))
            shell({"git-lfs": 'git init -q .; git lfs install --local; git lfs track "*.bin" B',
                   "git-annex": "git init -q .; git annex init",
                   "dvc": "git init -q .; dvc init -q"}[tool], cwd=path, env=self.env)
            run = shell({"git-lfs": 'git add "$1"', "git-annex": 'git annex add -q "$1"',
                         "dvc": 'dvc add -q "$1"'}[tool], name, cwd=path, env=self.env)
            if tool == "git-lfs" and name == "S":
                self.git_status = shell("git status --porcelain", cwd=path, env=self.env).seconds
            # git-annex and dvc may have put links in the place of the files.
            shutil.rmtree(os.path.join(path, name)) if os.path.isdir(os.path.join(path, name)) \
                else os.unlink(os.path.join(path, name))
        shell('chmod -R u+w "$1"; rm -rf "$1"', path)
        return run.seconds

    def peers(self, what, name, mlv, limits):
        for tool in PEERS:
            seconds = self.peer(tool, name)
            if seconds is not None:
                self.row(what, mlv, tool, seconds, limits.get(tool))

    # --- rows ---

    def row_add_s(self):
        mlv, tar = self.in_turns(lambda: self.add("S"), lambda: self.write_floor(
            'tar cf "$1" -C "$2" .', self.data("S")))
        self.row("add S", mlv, "tar cf, sync", tar, 1.0)
        self.peers("add S", "S", mlv, {"restic": 0.2, "git-lfs": 0.05})

    def row_add_b(self):
        mlv, copy, hashing = self.in_turns(
            lambda: self.add("B"),
            lambda: self.write_floor('cp --reflink=never "$2" "$1"', self.data("B")),
            lambda: self.hashing("B"))
        self.row("add B", mlv, "cp, sync", copy, 1.0)
        self.row("add B", mlv, "openssl sha256 / %d cores" % CORES, hashing, None)
        self.peers("add B", "B", mlv, {})

    def again(self, first, second):
        """Stored bytes and time of a second version of a file, in one repository."""
        path = self.repo(first)
        self.call("add", "-q", first, cwd=path)
        os.rename(os.path.join(path, first), self.path("data", first))
        os.rename(self.data(second), os.path.join(path, first))
        run = self.call("add", "--json", first, cwd=path)
        os.rename(os.path.join(path, first), self.path("data", second))
        shutil.rmtree(path)
        return run

    def row_again(self):
        self.data("B2")
        hashing = self.hashing("B2")
        run = self.again("B", "B2")
        self.row("add B' after B", run.seconds, "openssl sha256 / %d cores" % CORES, hashing, 1.8)
        self.row("add B' after B, MiB", json.loads(run.output)["stored"] / MIB, "6 MiB", 6.0, 1.0)

    def row_again_csv(self):
        self.data("C2")
        run = self.again("C", "C2")
        self.row("add C' after C, MiB", json.loads(run.output)["stored"] / MIB, "2 % of C'",
                 self.size("C2") / MIB / 50, 1.0)

    def row_status(self):
        path = self.repo("S")
        self.call("add", "-q", "S", cwd=path)
        # What was written in the same tick as it was read is read once more.
        self.call("status", "--short", cwd=path)
        mlv, find = self.in_turns(lambda: self.call("status", "--short", cwd=path),
                                  lambda: self.find(os.path.join(path, "S")))
        self.row("status S", mlv, "find -printf", find, 1.5)
        if getattr(self, "git_status", None):
            self.row("status S", mlv, "git status", self.git_status, None)
        number = iter(range(10 ** 6))

        def change():
            with open(os.path.join(path, "S/0001/000001.bin"), "wb") as out:
                out.write(b"changed %d\n" % next(number))
            return self.call("add", "-q", "S", cwd=path)

        mlv, find = self.in_turns(change, lambda: self.find(os.path.join(path, "S")))
        self.row("add S, one file changed", mlv, "find -printf", find, 2.0)
        self.give_back(path, "S")
        shutil.rmtree(self.path("data", "S"))  # it was changed

    def checkout(self, path, name):
        target = os.path.join(path, name)
        shutil.rmtree(target) if os.path.isdir(target) else os.unlink(target)
        return self.call("checkout", "-q", cwd=path)

    def row_checkout(self):
        archive = self.path("S.tar")
        shell('tar cf "$1" -C "$2" .', archive, self.data("S"))
        path = self.repo("S")
        self.call("add", "-q", "S", cwd=path)

        def unpack():
            os.mkdir(self.path("unpacked"))
            run = shell('tar xf "$1" -C "$2"', archive, self.path("unpacked"))
            shutil.rmtree(self.path("unpacked"))
            return run

        mlv, tar = self.in_turns(lambda: self.checkout(path, "S"), unpack)
        self.row("checkout S", mlv, "tar xf", tar, 1.0)
        os.unlink(archive)
        self.give_back(path, "S")
        path = self.repo("B")
        self.call("add", "-q", "B", cwd=path)

        def copy():
            run = shell('cp --reflink=never "$1" "$2"', os.path.join(path, "B"), self.path("copy"))
            os.unlink(self.path("copy"))
            return run

        mlv, copied = self.in_turns(lambda: self.checkout(path, "B"), copy)
        self.row("checkout B", mlv, "cp", copied, 1.0)
        self.give_back(path, "B")

    def row_push(self):
        path = self.repo("S")
        remote, clone, one = self.path("remote"), self.path("clone"), self.path("one")
        self.call("remote", "add", "origin", remote, cwd=path)
        self.call("add", "-q", "S", cwd=path)
        self.call("commit", "-q", "-m", "one", cwd=path)
        shell('find "$1" -type f -exec cat {} + >"$2"', os.path.join(path, "S"), one)

        def push():
            shutil.rmtree(remote, ignore_errors=True)
            shutil.rmtree(os.path.join(path, ".git/mlv/remotes"), ignore_errors=True)
            return self.call("push", "-q", cwd=path)

        def pull():
            shutil.rmtree(clone, ignore_errors=True)
            shell('git clone -q "$1" "$2"', path, clone, env=self.env)
            return self.call("pull", "-q", cwd=clone)

        def copy():
            return self.write_floor('cp --reflink=never "$2" "$1"', one)

        pushed, copied = self.in_turns(push, copy)
        self.row("push S", pushed, "cp of one file, sync", copied, 1.0)
        pulled, copied = self.in_turns(pull, copy)
        self.row("pull S (with checkout)", pulled, "cp of one file, sync", copied, None)
        fetched, copied = self.in_turns(lambda: self.fetch(path, clone), copy)
        self.row("fetch S", fetched, "cp of one file, sync", copied, 1.0)
        shutil.rmtree(clone)
        shutil.rmtree(remote)
        os.unlink(one)
        self.give_back(path, "S")

    def fetch(self, path, clone):
        shutil.rmtree(clone, ignore_errors=True)
        shell('git clone -q "$1" "$2"', path, clone, env=self.env)
        return self.call("fetch", "-q", cwd=clone)

    def row_version(self):
        times = [self.call("version").seconds for _ in range(21)]
        self.row("version", statistics.median(times), "15 ms", 0.015, 1.0)

    def row_growth(self):
        small = self.add("S")
        path = self.repo("M")
        large = self.call("add", "-q", "M", cwd=path)
        self.row("add M, us a file", large.seconds / (1e6 * self.scale) * 1e6, "add S, us a file",
                 small.seconds / (1e5 * self.scale) * 1e6, 1.3)
        self.row("add M, MiB", large.rss / MIB, "256 MiB", 256, 1.0)
        self.row("add S, MiB", small.rss / MIB, "256 MiB", 256, 1.0)
        self.call("status", "--short", cwd=path)
        status = self.call("status", "--short", cwd=path)
        self.row("status M, MiB", status.rss / MIB, "250 MiB", 250, 1.0)
        find = self.find(os.path.join(path, "M"))
        self.row("status M", status.seconds, "find -printf", find.seconds, 1.5)
        self.give_back(path, "M")

    def row_xfs(self):
        if os.geteuid() != 0 or not shutil.which("mkfs.xfs"):
            print("# rows on XFS need root and mkfs.xfs")
            return
        image, disk = self.path("xfs.img"), self.path("xfs")
        os.mkdir(disk)
        shell('truncate -s "$1" "$2"; mkfs.xfs -q -m reflink=1 "$2"', str(10 * GIB), image)
        if subprocess.run(["mount", "-o", "loop", image, disk], check=False).returncode != 0:
            print("# a loop device cannot be mounted here: no rows on XFS")
            return
        self.disk = disk
        source = os.path.join(disk, "B")
        shutil.copyfile(self.data("B"), source)
        os.sync()

        def add():
            path = self.repo(where=disk)
            os.rename(source, os.path.join(path, "B"))
            run = self.call("add", "-q", "B", cwd=path)
            os.rename(os.path.join(path, "B"), source)
            return run

        def hashing():
            return execute(["openssl", "dgst", "-sha256", source]).seconds / CORES

        mlv, hashed = self.in_turns(add, hashing)
        self.row("add B, XFS", mlv, "openssl sha256 / %d cores" % CORES, hashed, 1.8)
        path = os.path.join(disk, "repo")
        shutil.copyfile(source, os.path.join(path, "B"))

        def copy():
            run = shell('cp --reflink=never "$1" "$2"', source, os.path.join(disk, "copy"))
            os.unlink(os.path.join(disk, "copy"))
            return run

        mlv, copied = self.in_turns(lambda: self.checkout(path, "B"), copy)
        self.row("checkout B, XFS", mlv, "cp", copied, 0.1)
        subprocess.run(["umount", disk], check=False)
        self.disk = None
        os.unlink(image)

    def run_local(self):
        for name, function in (
                ("version", self.row_version), ("add-S", self.row_add_s), ("add-B", self.row_add_b),
                ("again-B", self.row_again), ("again-C", self.row_again_csv),
                ("status", self.row_status), ("checkout", self.row_checkout),
                ("push", self.row_push), ("growth", self.row_growth), ("xfs", self.row_xfs)):
            if self.wanted(name):
                function()
