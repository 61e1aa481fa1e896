# SPDX-License-Identifier: Apache-2.0
"""A private S3 server, what may stand before it, and other tools that talk to it."""
import os
import re
import shutil
import signal
import subprocess
import time

from common import execute, shell
from workloads import in_child

HERE = os.path.dirname(os.path.abspath(__file__))
TOOLS = os.path.join(os.path.dirname(HERE), "s3")
DELAY = 30  # milliseconds that each request is held back, so that those sent together are seen to be


class Proxy:
    """A program of tests/s3 between a client and the server; ended by close()."""

    def __init__(self, bench, program, target, *words):
        self.log = bench.path(program + ".log")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([os.path.join(TOOLS, program), "0", str(target), *words],
                                            stdout=subprocess.PIPE, stderr=log)
        self.port = int(self.process.stdout.readline().split()[1])
        self.endpoint = "http://127.0.0.1:%d" % self.port

    def close(self):
        """What it has to say at its end."""
        self.process.send_signal(signal.SIGTERM)
        said = self.process.communicate()[0].split()
        return [int(word) for word in said]


class Counted:
    """What went through a counting proxy: requests, how many had to wait for one another, bytes."""

    def __init__(self, lines):
        ends = []
        self.requests = self.sent = self.received = self.rounds = 0
        for line in lines:
            found = re.search(r" ([\d.]+)-([\d.]+) \S+ .* (\d+) (\d+)$", line)
            if not found:
                continue
            self.requests += 1
            self.sent += int(found[3])
            self.received += int(found[4])
            ends.append((float(found[2]), float(found[1])))
        # The longest row of requests of which each began after the one before had ended.
        last = -1.0
        for end, begin in sorted(ends):
            if begin >= last:
                self.rounds += 1
                last = end


class Counter:
    """A proxy that counts. One address for all that is counted: what a client remembers of a remote
    it remembers of that address."""

    def __init__(self, bench, server):
        self.proxy = Proxy(bench, "faultproxy", server.port, "0:*:.:delay=%d" % DELAY)
        self.endpoint = self.proxy.endpoint

    def count(self, function, *arguments):
        """What `function` gives, and what it asked of the server."""
        with open(self.proxy.log, encoding="utf-8", errors="replace") as log:
            log.seek(0, os.SEEK_END)
            run = function(*arguments)
            time.sleep(0.2)  # the last line is written after the last answer
            return run, Counted(log.readlines())

    def close(self):
        self.proxy.close()


class Server:
    """radosgw in memory. None of its numbers are ours: all that is compared goes to it."""

    def __init__(self, bench):
        self.bench, self.folder = bench, bench.path("s3")
        self.number = 0
        self.start()

    @staticmethod
    def missing():
        return [name for name in ("radosgw", "ceph-mon", "ceph-osd") if not shutil.which(name)]

    def start(self):
        env = dict(os.environ, RGW_SIZE="1" if self.bench.args.quick else "5", RGW_OWNER=str(os.getpid()))
        text = subprocess.run([os.path.join(TOOLS, "rgw"), "start", self.folder], check=True, env=env,
                              stdout=subprocess.PIPE, text=True).stdout
        found = dict(re.findall(r"export (\w+)='?([^'\n]*)'?", text))
        self.endpoint, self.bucket = found["S3_ENDPOINT"], found["S3_BUCKET"]
        self.port = int(self.endpoint.rsplit(":", 1)[1])
        self.bench.env.update({name: value for name, value in found.items() if name.startswith("AWS_")})
        self.bench.env.update(
            AWS_EC2_METADATA_DISABLED="true", RCLONE_CONFIG="/dev/null", RCLONE_CONFIG_S_TYPE="s3",
            RCLONE_CONFIG_S_PROVIDER="Ceph", RCLONE_CONFIG_S_ENV_AUTH="true",
            RCLONE_CONFIG_S_REGION=found.get("AWS_REGION", "default"))
        # The first request of all waits for pools to be made.
        small = self.bench.path("small")
        with open(small, "wb") as out:
            out.write(b"small")
        put = [os.path.join(TOOLS, "client"), "PUT", "/%s/small" % self.bucket, small]
        env = dict(self.bench.env, S3_ENDPOINT=self.endpoint)
        for _ in range(100):
            if subprocess.run(put, env=env, check=False, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode == 0:
                return
            time.sleep(0.1)
        raise SystemExit("the S3 server at %s does not answer" % self.endpoint)

    def wipe(self):
        subprocess.run([os.path.join(TOOLS, "rgw"), "wipe", self.folder], check=True)

    def fresh(self):
        """An empty one: what was deleted would take its memory for minutes yet."""
        self.wipe()
        self.start()

    def place(self):
        """Where nothing is yet."""
        self.number += 1
        return "s3://%s/p%d" % (self.bucket, self.number)


# --- other tools: one file up, one file down ------------------------------------------------------

def rclone(*options):
    def copy(bench, endpoint, source, target):
        words = [("s:" + word[5:]) if word.startswith("s3://") else word for word in (source, target)]
        env = dict(bench.env, RCLONE_CONFIG_S_ENDPOINT=endpoint)
        env.pop("AWS_CA_BUNDLE", None)
        return execute(["rclone", "copyto", "-q", "--retries", "1", *options, *words], env=env)
    return copy


def s5cmd(bench, endpoint, source, target):
    return execute(["s5cmd", "--endpoint-url", endpoint, "cp", source, target], env=bench.env)


def awscli(bench, endpoint, source, target):
    return execute(["aws", "--endpoint-url", endpoint, "s3", "cp", "--quiet", source, target],
                   env=bench.env)


def works(program):
    return shutil.which(program) and subprocess.run(
        [program, "--version" if program == "aws" else "version"], check=False,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def tools(bench):
    """Name -> a function that copies one file, of what is installed, with more than one setting where
    that matters."""
    found = {}
    if works("rclone"):
        found["rclone"] = rclone()
        found["rclone tuned"] = rclone("--s3-disable-checksum", "--s3-chunk-size=32M",
                                       "--s3-upload-concurrency=8", "--multi-thread-streams=8")
    if works("s5cmd"):
        found["s5cmd"] = s5cmd
    if works("aws"):
        found["awscli"] = awscli
    return {name: tool for name, tool in found.items() if name.split()[0] not in bench.args.without}


def make_pieces(source, folder, size):
    """A file cut into pieces."""
    os.makedirs(folder)

    def cut():
        with open(source, "rb") as data:
            for number in range(10 ** 6):
                piece = data.read(size)
                if not piece:
                    return
                with open(os.path.join(folder, "%06d" % number), "wb") as out:
                    out.write(piece)

    in_child(cut)
    shell("sync")
