# SPDX-License-Identifier: Apache-2.0
"""Rows of a remote in a bucket. What is compared with goes to the same server, in turns."""
import os
import shutil

from common import Run, execute, shell
from s3_server import Counter, Proxy, Server, make_pieces, tools
from workloads import KIB, MIB

LATENCY = 50  # milliseconds each way
TRANSFERS = 64


class S3Rows:
    """Mixed into Bench."""

    # --- what several rows use ---

    def s3_repo(self, *names):
        path = self.repo(*names)
        self.call("remote", "add", "origin", "s3://x/y", cwd=path)
        for name in names:
            self.call("add", "-q", name, cwd=path)
            self.call("commit", "-q", "-m", name, cwd=path)
        return path

    def s3_clone(self, path):
        clone = self.path("clone")
        shutil.rmtree(clone, ignore_errors=True)
        shell('git clone -q "$1" "$2"', path, clone, env=self.env)
        return clone

    def s3_point(self, path, url, endpoint):
        """Only in the clone's own configuration, so that nothing is to be committed."""
        for key, value in (("url", url), ("endpoint", endpoint)):
            execute(["git", "config", "mlv-remote.origin." + key, value], cwd=path, env=self.env)

    def s3_push(self, path, url, endpoint, *words):
        self.s3_point(path, url, endpoint)
        return self.call("push", "-q", *words, cwd=path)

    def s3_pull(self, path, url, endpoint, *words):
        self.s3_point(path, url, endpoint)
        return self.call("pull", "-q", *words, cwd=path)

    def s3_best(self, what, limit, ours, others):
        """One row against the best of the other tools, and one that only tells for each of the rest."""
        medians = self.in_turns(ours, *others.values())
        best = min(medians[1:])
        for name, seconds in zip(others, medians[1:]):
            self.row(what, medians[0], name, seconds, limit if seconds == best else None)
        return medians[0]

    # --- S, whole ---

    def s3_one_file(self):
        """One file of the size of S: what the other tools copy. Made before S is moved away."""
        archive = self.path("S.tar")
        if not os.path.exists(archive):
            shell('tar cf "$1" -C "$2" .', archive, self.data("S"))
        return archive

    def s3_whole_push(self, what, limit, server, path, endpoint):
        archive = self.s3_one_file()

        def ours():
            server.fresh()
            shutil.rmtree(os.path.join(path, ".git/mlv/remotes"), ignore_errors=True)
            return self.s3_push(path, server.place(), endpoint(server))

        def theirs(tool):
            def copy():
                server.fresh()
                return tool(self, endpoint(server), archive, server.place() + "/one")
            return copy

        return self.s3_best(what, limit, ours,
                            {name: theirs(tool) for name, tool in tools(self).items()})

    def s3_whole_pull(self, what, limit, server, path, url, endpoint):
        archive = self.s3_one_file()
        rclone_url = server.place() + "/one"
        for tool in list(tools(self).values())[:1]:
            tool(self, server.endpoint, archive, rclone_url)
        got, unpacked = self.path("got.tar"), self.path("unpacked")

        def ours():
            return self.s3_pull(self.s3_clone(path), url, endpoint(server))

        def theirs(tool):
            def copy():
                shutil.rmtree(unpacked, ignore_errors=True)
                os.mkdir(unpacked)
                if os.path.exists(got):
                    os.unlink(got)
                first = tool(self, endpoint(server), rclone_url, got)
                then = shell('sync "$1"; tar xf "$1" -C "$2"', got, unpacked)
                return Run(first.seconds + then.seconds, 0, b"")
            return copy

        self.s3_best(what, limit, ours,
                     {name + ", tar xf": theirs(tool) for name, tool in tools(self).items()})
        shutil.rmtree(unpacked, ignore_errors=True)
        for leftover in (got, self.path("clone")):
            shutil.rmtree(leftover, ignore_errors=True) if os.path.isdir(leftover) \
                else os.path.exists(leftover) and os.unlink(leftover)

    def row_s3_whole(self, server):
        self.s3_one_file()
        path = self.s3_repo("S")
        self.s3_whole_push("push S", 1.2, server, path, lambda at: at.endpoint)
        server.fresh()
        url = server.place()
        shutil.rmtree(os.path.join(path, ".git/mlv/remotes"), ignore_errors=True)
        counter = Counter(self, server)
        run, counted = counter.count(self.s3_push, path, url, counter.endpoint)
        counter.close()
        self.row("push S, requests", counted.requests, "40", 40, 1.0)
        self.row("push S, MiB of memory", run.rss / MIB, "200 MiB", 200, 1.0)
        self.s3_whole_pull("pull S with checkout", 1.3, server, path, url, lambda at: at.endpoint)
        self.give_back(path, "S")

    def row_s3_latency(self, server):
        self.s3_one_file()
        path = self.s3_repo("S")
        proxies = []

        def slow(at):
            """The server's port changes when it is made anew."""
            if not proxies or proxies[0][0] != at.port:
                while proxies:
                    proxies.pop()[1].close()
                proxies.append((at.port, Proxy(self, "latencyproxy", at.port, str(LATENCY))))
            return proxies[0][1].endpoint

        what = "S, %d ms each way" % LATENCY
        self.s3_whole_push("push " + what, 1.5, server, path, slow)
        server.fresh()
        url = server.place()
        shutil.rmtree(os.path.join(path, ".git/mlv/remotes"), ignore_errors=True)
        self.s3_push(path, url, server.endpoint)
        self.s3_whole_pull("pull " + what, 1.5, server, path, url, slow)
        proxies.pop()[1].close()
        self.give_back(path, "S")

    # --- little, and nothing ---

    def s3_count(self, what, limits, counter, function, *arguments):
        """Rows of requests, rounds, bytes sent and received, for the limits that are given."""
        _, counted = counter.count(function, *arguments)
        for name, unit, value in (
                ("requests", 1, counted.requests), ("round trips", 1, counted.rounds),
                ("KiB sent", KIB, counted.sent), ("KiB received", KIB, counted.received)):
            limit = limits.get(name)
            if limit is not None:
                self.row("%s, %s" % (what, name), value / unit, "", limit / unit, 1.0)

    def s3_change(self, path, name):
        """One file of S."""
        with open(os.path.join(path, "S/0007/000007.bin"), "wb") as out:
            out.write(b"changed " + name.encode())
        self.call("add", "-q", "S", cwd=path)
        self.call("commit", "-q", "-m", name, cwd=path)

    def row_s3_little(self, server):
        server.fresh()
        self.data("B2")
        path, url, counter = self.s3_repo("S", "B"), server.place(), Counter(self, server)
        at = counter.endpoint
        self.s3_push(path, url, at)
        self.s3_count("push, nothing to do", {"requests": 3}, counter, self.s3_push, path, url, at)
        self.s3_count("pull, nothing to do", {"requests": 3}, counter, self.s3_pull, path, url, at)
        self.s3_count("pull one file of S",
                      {"requests": 16, "round trips": 8, "KiB received": 1500000},
                      counter, self.s3_pull, self.s3_clone(path), url, at, "--", "S/0042/000021.bin")
        few = {"requests": 10, "KiB sent": 300000}
        self.s3_change(path, "warm")
        self.s3_count("push one file", few, counter, self.s3_push, path, url, at)
        self.s3_change(path, "cold")
        shutil.rmtree(os.path.join(path, ".git/mlv/remotes"))
        self.s3_count("push one file, no cache", dict(few, **{"requests": 20, "KiB received": 1500000}),
                      counter, self.s3_push, path, url, at)
        os.rename(os.path.join(path, "B"), self.path("data", "B"))
        os.rename(self.data("B2"), os.path.join(path, "B"))
        self.call("add", "-q", "B", cwd=path)
        self.call("commit", "-q", "-m", "edited", cwd=path)
        _, counted = counter.count(self.s3_push, path, url, at)
        self.row("push B' after B, MiB sent", counted.sent / MIB, "8 MiB", 8, 1.0)
        counter.close()
        os.rename(os.path.join(path, "B"), self.path("data", "B2"))
        shutil.rmtree(path)  # S was changed: it is made anew for those who want it

    # --- many at once ---

    def s3_many(self, server, what, function):
        """A line whose every connection is slow: as many as allowed are used."""
        proxy = Proxy(self, "latencyproxy", server.port, str(LATENCY), str(4 * MIB))
        try:
            run = function(proxy.endpoint)
        finally:
            _, most, _, _ = proxy.close()
        self.row("%s, transfers" % what, most, "", TRANSFERS, None)
        self.row("%s, MiB of memory" % what, run.rss / MIB, "200 MiB", 200, 1.0)

    def row_s3_memory(self, server):
        """Local packs of 22 MiB go as they are, so that there are more of them than transfers."""
        path = self.s3_repo()
        make_pieces(self.data("B"), os.path.join(path, "pieces"),
                    22 * MIB if not self.args.quick else 2 * MIB)
        for name in sorted(os.listdir(os.path.join(path, "pieces"))):
            self.call("add", "-q", "pieces/" + name, cwd=path)
        os.rename(self.data("S"), os.path.join(path, "S"))
        self.call("add", "-q", "S", cwd=path)
        self.call("commit", "-q", "-m", "pieces", cwd=path)
        server.fresh()
        url = server.place()
        self.s3_many(server, "push, packs", lambda endpoint: self.s3_push(path, url, endpoint))
        clone = self.s3_clone(path)
        self.s3_many(server, "pull, packs",
                     lambda endpoint: self.s3_pull(clone, url, endpoint, "--", "pieces"))
        self.s3_many(server, "pull, ranges",
                     lambda endpoint: self.s3_pull(clone, url, endpoint, "--", "S/*/*[02468].bin"))
        shutil.rmtree(clone)
        self.give_back(path, "S")

    # --- the files one by one ---

    def row_s3_files(self, server):
        """How the 100,000 files themselves fare with others: once, it takes minutes."""
        if "rclone" not in tools(self):
            return
        path = self.s3_repo("S")
        server.fresh()
        pushed = self.s3_push(path, server.place(), server.endpoint)
        self.give_back(path, "S")
        env = dict(self.env, RCLONE_CONFIG_S_ENDPOINT=server.endpoint)
        env.pop("AWS_CA_BUNDLE", None)
        copied = execute(["rclone", "copy", "-q", "--transfers", "32", "--checkers", "32",
                          self.data("S"), "s:" + server.place()[5:]], env=env)
        self.row("push S", pushed.seconds, "rclone copy of its files", copied.seconds, None)
        self.s3_dvc(pushed.seconds, server, env)

    def s3_dvc(self, pushed, server, env):
        if not shutil.which("dvc") or "dvc" in self.args.without:
            return
        path = self.path("dvc")
        os.mkdir(path)
        os.rename(self.data("S"), os.path.join(path, "S"))
        shell('git init -q .; dvc init -q; dvc add -q S; dvc remote add -d -q r "$1";'
              'dvc remote modify -q r endpointurl "$2"', server.place() + "/dvc", server.endpoint,
              cwd=path, env=env)
        run = execute(["dvc", "push", "-q"], cwd=path, env=env)
        self.row("push S", pushed, "dvc push", run.seconds, 1 / 30)
        os.rename(os.path.join(path, "S"), self.path("data", "S"))
        shutil.rmtree(path)

    def run_s3(self):
        rows = (("s3-whole", self.row_s3_whole), ("s3-little", self.row_s3_little),
                ("s3-latency", self.row_s3_latency), ("s3-memory", self.row_s3_memory),
                ("s3-files", self.row_s3_files))
        rows = [function for name, function in rows if self.wanted(name)]
        if not rows:
            return
        if Server.missing():
            print("# rows of S3 need %s" % ", ".join(Server.missing()))
            return
        if not tools(self):
            print("# no other tool is installed that speaks S3: rclone, s5cmd or awscli")
            return
        server = Server(self)
        try:
            for function in rows:
                function(server)
        finally:
            server.wipe()
