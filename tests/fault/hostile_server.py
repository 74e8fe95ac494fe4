#!/usr/bin/env python3
"""A server that misbehaves on cue, and keeps count of what reaches it.

    with HostileServer() as server:
        server.play("status 503 Retry-After=1 ; ok body='{}'")
        ...                         # point MLFLOW_TRACKING_URI at server.uri
        assert server.requests[0].target == "/version"

From another language, run it as a program. It prints its port and its control port and ends with
its standard input. The control port takes one line a connection and answers with text:

    play SCENARIO           forget everything, then answer requests so
    route PATH SCENARIO     requests whose path ends with PATH have a script of their own
    count                   connects=2 open=1 requests=3
    request N               the N-th request as it came, from 0

A scenario is a list of steps separated by `;`. Each request takes the next step, and the last
step stays. A step is a verb and options, quoted as in a shell; an option that begins with a
capital is a header of the answer.

    ok                      the answer: status 200, application/json
    status 503              the same with another status
    html                    a login page, status 200
    echo 401                repeats the Authorization header in the error message
    cut 120 end=reset       the first 120 bytes of the answer, then end=close, reset or stall
    drip every=0.3 bytes=1  the answer in slices
    delay 2                 the answer after 2 seconds
    endless                 a body without end
    bomb coding=transfer    1 GiB of zeros as gzip, in coding=content or coding=transfer
    headers                 headers without end
    line header             one header line without end, or with `line status` a status line, with
                            `line trailer` one behind the last chunk
    interim                 interim answers (100) without end
    garbage                 bytes that are not HTTP
    on-accept reset         end=… before the request is read: close, reset or stall
    refuse                  the port is closed until the next `play`
    search 46 tied=1        a page of a search over 46 traces, t000 the oldest, a millisecond apart,
                            or several in one: within the bounds of time and among the ids that the
                            filter names, in the order and from the token on that are asked for

The answer: body=TEXT or file=PATH, type=MIME, framing=length, chunked or close, version=1.1,
trailer='NAME: VALUE' after the last chunk, and more=TEXT to send bytes after its end.
"""

import argparse
import contextlib
import dataclasses
import datetime
import json
import re
import shlex
import socket
import ssl
import struct
import sys
import threading
import time
import zlib

LOGIN_PAGE = b"<!DOCTYPE html>\n<html><title>Sign in</title><body>Please sign in.</body></html>\n"
STALL_SECONDS = 600
OLDEST_MS = 1_795_392_000_000  # of a search


@dataclasses.dataclass
class Request:
    connection: int
    at: float  # time.monotonic()
    raw: bytes

    @property
    def target(self):
        return self.raw.split(b" ", 2)[1].decode("latin-1")

    @property
    def body(self):
        return self.raw.partition(b"\r\n\r\n")[2]

    def header(self, name):
        for line in self.raw.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]:
            key, _, value = line.decode("latin-1").partition(":")
            if key.lower() == name.lower():
                return value.strip()
        return None


class Step:
    """One step of a scenario, read from its words."""

    def __init__(self, words):
        self.verb = words[0]
        self.argument = ""
        self.options = {}
        self.headers = []
        for word in words[1:]:
            name, sign, value = word.partition("=")
            if not sign:
                self.argument = word
            elif name[:1].isupper():
                self.headers.append((name, value))
            else:
                self.options[name] = value

    def answer(self, status=200, mime="application/json", body=b"{}"):
        """The whole answer as bytes."""
        option = self.options
        if "file" in option:
            with open(option["file"], "rb") as source:
                body = source.read()
        elif "body" in option:
            body = option["body"].encode()
        lines = [f"HTTP/{option.get('version', '1.1')} {status} Scripted"]
        lines.append(f"Content-Type: {option.get('type', mime)}")
        lines += [f"{name}: {value}" for name, value in self.headers]
        framing = option.get("framing", "length")
        if framing == "length":
            if not any(name == "Content-Length" for name, _ in self.headers):
                lines.append(f"Content-Length: {len(body)}")
        elif framing == "chunked":
            lines.append("Transfer-Encoding: chunked")
            trailer = option.get("trailer", "")
            body = chunk(body) + head(["0", trailer] if trailer else ["0"])
        else:
            lines.append("Connection: close")
        return head(lines) + body + option.get("more", "").encode()


def head(lines):
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


class Script:
    """The steps that requests take, one after the other; the last one stays."""

    def __init__(self, scenario):
        self.steps = []
        words = []
        lexer = shlex.shlex(scenario, posix=True, punctuation_chars=";")
        lexer.whitespace_split = True
        lexer.commenters = ""
        for word in [*lexer, ";"]:
            if word != ";":
                words.append(word)
            elif words:
                self.steps.append(Step(words))
                words = []

    @property
    def next(self):
        return self.steps[0]

    def take(self):
        return self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]


class HostileServer:
    def __init__(self, scenario="ok", certificate=None, key=None):
        self.lock = threading.Lock()
        self.tls = None
        if certificate:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(certificate, key)
        self.listener = None
        self.port = 0
        self.live = {}  # key -> socket of each open connection
        self.play(scenario)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def uri(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def play(self, scenario):
        """Ends all connections, forgets all counts, and answers as the scenario says from now."""
        self.stop()
        with self.lock:
            self.script = Script(scenario)
            self.routes = {}
            self.requests = []
            self.connects = 0
        if self.script.next.verb == "refuse" and self.port:
            return
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.listen, args=(self.listener,), daemon=True).start()
        if self.script.next.verb == "refuse":
            self.stop()

    def route(self, path, scenario):
        with self.lock:
            self.routes[path] = Script(scenario)

    def answer_first_questions(self):
        """Routes what a connection asks first: this is the newest MLflow, with one experiment."""
        self.route("/version", "ok body=3.17.2 type=text/plain")
        self.route("/experiments/search",
                   'ok body=\'{"experiments":[{"experiment_id":"1","name":"a"}]}\'')

    def stop(self):
        if self.listener:
            with contextlib.suppress(OSError):
                self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
            self.listener = None
        with self.lock:
            for connection in self.live.values():
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def listen(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                if listener is not self.listener:
                    connection.close()
                    return
                key = object()
                number = self.connects
                self.connects += 1
                self.live[key] = connection
            threading.Thread(target=self.serve, args=(connection, key, number), daemon=True).start()

    def serve(self, connection, key, number):
        try:
            if self.script.next.verb == "on-accept":
                finish(connection, self.script.take().argument)
                return
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
                with self.lock:
                    self.live[key] = connection
            while request := self.read_request(connection, number):
                if not perform(connection, self.take_step(request), request):
                    return
        except OSError:
            pass
        finally:
            with self.lock:
                self.live.pop(key)
            connection.close()

    def read_request(self, connection, number):
        raw = b""
        while b"\r\n\r\n" not in raw:
            data = connection.recv(65536)
            if not data:
                return None
            raw += data
        request = Request(number, time.monotonic(), raw)
        length = len(raw) - len(request.body) + int(request.header("Content-Length") or 0)
        while len(request.raw) < length:
            data = connection.recv(65536)
            if not data:
                return None
            request.raw += data
        with self.lock:
            self.requests.append(request)
        return request

    def take_step(self, request):
        path = request.target.partition("?")[0]
        with self.lock:
            for suffix, script in self.routes.items():
                if path.endswith(suffix):
                    return script.take()
            return self.script.take()


def end_connection(connection, how):
    """Ends a connection: `close` as usual, `reset` with a TCP reset."""
    with contextlib.suppress(OSError):
        if how == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            connection.shutdown(socket.SHUT_WR)
    connection.close()


def finish(connection, how):
    """Ends a connection, or with `stall` keeps silent until the client goes away."""
    if how == "stall":
        connection.settimeout(STALL_SECONDS)
        while connection.recv(65536):
            pass
    else:
        end_connection(connection, how)
    return False


def search(step, asked):
    """The page that a search asks for, as MLflow would answer it."""
    condition = asked.get("filter", "")
    bounds = re.findall(r"timestamp_ms (<?>?=) (-?\d+)", condition)
    ids = re.findall(r"'(.*?)'", condition.partition("request_id IN (")[2])
    tied = int(step.options.get("tied", 1))
    found = []
    for number in range(int(step.argument)):
        ms = OLDEST_MS + number // tied
        at = datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone.utc)
        at = at.isoformat(timespec="milliseconds")
        inside = all(ms <= int(bound) if sign == "<=" else ms >= int(bound) if sign == ">="
                     else ms == int(bound) for sign, bound in bounds)
        if inside and (not ids or f"t{number:03d}" in ids):
            found.append({"trace_id": f"t{number:03d}", "request_time": at,
                          "trace_location": {"mlflow_experiment": {"experiment_id": "7"}},
                          "trace_metadata": {"mlflow.trace.session": f"s{number % 7}"}})
    if asked["order_by"] == ["timestamp_ms DESC"]:
        found.reverse()
    begin = int(asked.get("page_token", 0))
    end = begin + asked["max_results"]
    page = {"traces": found[begin:end], "next_page_token": str(end) if end < len(found) else ""}
    return json.dumps(page, separators=(",", ":")).encode()


def perform(connection, step, request):
    """Answers one request; False if the connection is over."""
    options = step.options
    if step.verb == "cut":
        connection.sendall(step.answer()[: int(step.argument)])
        return finish(connection, options.get("end", "close"))
    if step.verb in ENDLESS:
        for data in ENDLESS[step.verb](step):
            connection.sendall(data)
        return finish(connection, "stall")
    if step.verb == "garbage":
        connection.sendall(b"220 mail.example.com ESMTP\r\n")
        return finish(connection, "close")
    if step.verb == "delay":
        time.sleep(float(step.argument))
    if step.verb == "html":
        answer = step.answer(200, "text/html; charset=utf-8", LOGIN_PAGE)
    elif step.verb == "echo":
        secret = request.header("Authorization") or ""
        body = '{"error_code":"PERMISSION_DENIED","message":"bad credentials: %s"}' % secret
        answer = step.answer(int(step.argument), body=body.encode())
    elif step.verb == "search":
        answer = step.answer(body=search(step, json.loads(request.body)))
    else:
        answer = step.answer(int(step.argument) if step.verb == "status" else 200)
    size = int(options.get("bytes", 1)) if step.verb == "drip" else len(answer)
    for start in range(0, len(answer), size):
        if start:
            time.sleep(float(options.get("every", 0.3)))
        connection.sendall(answer[start : start + size])
    if options.get("framing") == "close" or options.get("version") == "1.0":
        return finish(connection, "close")
    return True


def endless_body(step):
    framing = step.options.get("framing", "chunked")
    lines = ["HTTP/1.1 200 OK", "Content-Type: application/json"]
    if framing == "chunked":
        lines.append("Transfer-Encoding: chunked")
    elif framing == "length":
        lines.append(f"Content-Length: {1 << 40}")
    yield head(lines)
    block = b" " * 65536
    while True:
        yield chunk(block) if framing == "chunked" else block


def gzip_bomb(step):
    lines = ["HTTP/1.1 200 OK", "Content-Type: application/json"]
    if step.options.get("coding", "content") == "content":
        lines += ["Content-Encoding: gzip", "Transfer-Encoding: chunked"]
    else:
        lines.append("Transfer-Encoding: gzip, chunked")
    yield head(lines)
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = b"0" * (1 << 20)
    for _ in range(1024):
        data = packer.compress(block)
        if data:
            yield chunk(data)
    yield chunk(packer.flush()) + chunk(b"")


def endless_headers(_):
    yield b"HTTP/1.1 200 OK\r\n"
    while True:
        yield b"X-Flood: " + b"a" * 1000 + b"\r\n"


def endless_line(step):
    yield b"HTTP/1.1 200 " + {
        "status": b"", "header": b"OK\r\nX-Flood: ",
        "trailer": b"OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX-Flood: ",
    }[step.argument]
    while True:
        yield b"a" * 1000


def endless_interim(_):
    while True:
        yield b"HTTP/1.1 100 Continue\r\nX-Wait: a little longer\r\n\r\n" * 16


ENDLESS = {
    "endless": endless_body,
    "bomb": gzip_bomb,
    "headers": endless_headers,
    "line": endless_line,
    "interim": endless_interim,
}


def control(server, line):
    """Carries out one line of the control port; gives its answer."""
    verb, _, rest = line.strip().partition(" ")
    if verb == "play":
        server.play(rest)
        return b"ok\n"
    if verb == "route":
        server.route(*rest.split(" ", 1))
        return b"ok\n"
    with server.lock:
        if verb == "count":
            return b"connects=%d open=%d requests=%d\n" % (
                server.connects, len(server.live), len(server.requests))
        if verb == "request":
            return server.requests[int(rest)].raw
    raise ValueError(line)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tls", nargs=2, metavar=("CERTIFICATE", "KEY"))
    parser.add_argument("scenario", nargs="?", default="ok")
    arguments = parser.parse_args()
    server = HostileServer(arguments.scenario, *(arguments.tls or ()))
    listener = socket.create_server(("127.0.0.1", 0))
    print(server.port, listener.getsockname()[1], flush=True)

    def obey():
        while True:
            connection, _ = listener.accept()
            with connection, connection.makefile("r", encoding="utf-8") as lines:
                connection.sendall(control(server, lines.readline()))

    threading.Thread(target=obey, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
