#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A static web server for tests, on loopback: server.py DIR PORT_FILE [OPTION...]

Writes its port to PORT_FILE once it listens, and a line for each request to PORT_FILE.log: method, path, status, range
and login ("-" where there is none). Ends with SIGTERM.

  --no-ranges          the whole is sent whatever is asked for
  --no-validators      neither ETag nor Last-Modified
  --chunked            no Content-Length
  --basic USER:PASS    wants that login
  --bearer TOKEN       wants that token; with --basic either
  --redirect FROM=TO   answers paths that begin with FROM with a redirect to TO and the rest
  --cut COUNT:BYTES    the first COUNT bodies end, with their connection, after BYTES
  --fail COUNT:STATUS  the first COUNT requests get that status
  --status STATUS      every request gets that status
  --tls CERT:KEY       speaks https
"""
import argparse
import base64
import hashlib
import http.server
import os
import signal
import ssl
import sys
import threading
import urllib.parse


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def note(self, status):
        login = self.headers.get("Authorization", "-").split(" ")[0]
        with self.server.lock, open(self.server.log, "a") as log:
            log.write("%s %s %d %s %s\n" % (self.command, self.path, status, self.headers.get("Range", "-"), login))

    def answer(self, status, fields=(), body=b""):
        self.note(status)
        self.send_response(status)
        for name, value in fields:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def logged_in(self):
        options = self.server.options
        wanted = []
        if options.basic:
            wanted.append("Basic " + base64.b64encode(options.basic.encode()).decode())
        if options.bearer:
            wanted.append("Bearer " + options.bearer)
        if not wanted or self.headers.get("Authorization") in wanted:
            return True
        fields = []
        if options.bearer:
            fields.append(("WWW-Authenticate", 'Bearer realm="a, test", error="invalid_token"'))
        if options.basic:
            fields.append(("WWW-Authenticate", 'Basic realm="a, test", charset="UTF-8"'))
        self.answer(401, fields, b"who are you?\n")
        return False

    def planned(self):
        """Answers that have nothing to do with files."""
        options = self.server.options
        if options.status:
            self.answer(options.status)
            return True
        with self.server.lock:
            failing = self.server.failures > 0
            self.server.failures -= 1
        if failing:
            self.answer(int(options.fail.split(":")[1]))
            return True
        for rule in options.redirect:
            start, to = rule.split("=", 1)
            if self.path.startswith(start):
                self.answer(302, [("Location", to + self.path[len(start):])])
                return True
        return False

    def file_path(self):
        path = urllib.parse.unquote(self.path.split("?")[0])
        parts = [part for part in path.split("/") if part]
        if ".." in parts:
            return None
        return os.path.join(self.server.options.dir, *parts)

    def parse_range(self, size):
        """(first, last, status) of what is to be sent."""
        text = self.headers.get("Range", "")
        condition = self.headers.get("If-Range")
        if self.server.options.no_ranges or not text.startswith("bytes="):
            return 0, size - 1, 200
        if condition and condition != self.tag and condition != self.modified:
            return 0, size - 1, 200
        first, last = text[6:].split("-")
        first, last = (int(first), min(int(last or size), size - 1)) if first else (max(0, size - int(last)), size - 1)
        return first, last, 206 if first < size else 416

    def send_body(self, data):
        with self.server.lock:
            cut = self.server.cuts > 0
            self.server.cuts -= 1
        if cut:
            self.wfile.write(data[:int(self.server.options.cut.split(":")[1])])
            self.wfile.flush()
            self.connection.close()
            self.close_connection = True
            return
        self.wfile.write(data)

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        options = self.server.options
        if self.planned() or not self.logged_in():
            return
        path = self.file_path()
        if not path or not os.path.isfile(path):
            self.answer(404, [], b"not here\n")
            return
        size = os.stat(path).st_size
        self.modified = self.date_time_string(int(os.stat(path).st_mtime))
        self.tag = self.make_tag(path)
        if not options.no_validators and self.headers.get("If-None-Match") == self.tag:
            self.answer(304, [("ETag", self.tag)])
            return
        if (not options.no_validators and not self.headers.get("If-None-Match") and
                self.headers.get("If-Modified-Since") == self.modified):
            self.answer(304)
            return
        first, last, status = self.parse_range(size)
        if status == 416:
            self.answer(416, [("Content-Range", "bytes */%d" % size)])
            return
        self.note(status)
        self.send_response(status)
        if status == 206:
            self.send_header("Content-Range", "bytes %d-%d/%d" % (first, last, size))
        if not options.no_validators:
            self.send_header("ETag", self.tag)
            self.send_header("Last-Modified", self.modified)
        if options.chunked:
            self.close_connection = True
            self.send_header("Connection", "close")
        else:
            self.send_header("Content-Length", str(last + 1 - first))
        self.end_headers()
        if self.command != "HEAD":
            with open(path, "rb") as file:
                file.seek(first)
                self.send_body(file.read(last + 1 - first))

    def make_tag(self, path):
        """Of the content, where that is soon read."""
        if os.stat(path).st_size > 1 << 20:
            return '"%x-%x"' % (os.stat(path).st_size, os.stat(path).st_mtime_ns)
        with open(path, "rb") as file:
            return '"%s"' % hashlib.sha1(file.read()).hexdigest()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dir")
    parser.add_argument("port_file")
    for name in ("no-ranges", "no-validators", "chunked"):
        parser.add_argument("--" + name, action="store_true")
    for name in ("basic", "bearer", "tls"):
        parser.add_argument("--" + name)
    parser.add_argument("--redirect", action="append", default=[])
    parser.add_argument("--cut", default="0:0")
    parser.add_argument("--fail", default="0:0")
    parser.add_argument("--status", type=int, default=0)
    options = parser.parse_args()
    server = Server(("127.0.0.1", 0), Handler)
    server.options = options
    server.lock = threading.Lock()
    server.cuts = int(options.cut.split(":")[0])
    server.failures = int(options.fail.split(":")[0])
    server.log = options.port_file + ".log"
    open(server.log, "w").close()
    if options.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*options.tls.split(":"))
        server.socket = context.wrap_socket(server.socket, server_side=True)
    signal.signal(signal.SIGTERM, lambda *args: os._exit(0))
    with open(options.port_file + ".new", "w") as file:
        file.write("%d\n" % server.server_address[1])
    os.rename(options.port_file + ".new", options.port_file)
    server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
