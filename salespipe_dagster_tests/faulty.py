"""A proxy before an S3 server that spoils requests: errors, resets, bodies cut short, answers lost on the way."""

import socket
import struct
import threading
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

KINDS = ("500", "503", "reset", "truncated", "lost")
HOPS = ("transfer-encoding", "connection", "content-length", "expect")
"""Headers between two neighbours."""

GONE = "gone"
"""From the spoilt request on, the server answers nobody."""


class Proxy:
    """Counts requests and spoils the one whose number is `spoilt`, from nought."""

    def __init__(self, upstream: str) -> None:
        self.upstream = urlsplit(upstream).netloc
        self.lock = threading.Lock()
        self.url = ""
        self.reset()

    def reset(self, kind: str = "", spoilt: int = -1) -> None:
        """Count from nought, and spoil this request."""
        self.requests, self.kind, self.spoilt = 0, kind, spoilt
        self.happened = False

    def fault(self) -> str:
        """What befalls the request that has just come."""
        with self.lock:
            number, self.requests = self.requests, self.requests + 1
            if number == self.spoilt or (self.kind == GONE and number > self.spoilt >= 0):
                self.happened = True
                return self.kind
        return ""


class Handler(BaseHTTPRequestHandler):
    """Passes a request on, or spoils it."""

    protocol_version = "HTTP/1.1"
    server: "Server"  # pyright: ignore[reportIncompatibleVariableOverride]

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        kind = self.server.proxy.fault()
        if kind in ("500", "503"):
            self._answer(kind)
        elif kind in ("reset", GONE):
            self._cut()
        else:
            self._pass_on(body, kind)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_any

    def _answer(self, kind: str) -> None:
        code = {"500": "InternalError", "503": "SlowDown"}[kind]
        text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message></Error>".encode()
        self.send_response(int(kind))
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    def _cut(self) -> None:
        with suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def _pass_on(self, body: bytes, kind: str) -> None:
        with closing(HTTPConnection(self.server.proxy.upstream, timeout=30)) as connection:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in HOPS}
            connection.request(self.command, self.path, body=body, headers=headers)
            response = connection.getresponse()
            content = response.read()
        if kind == "lost":
            self._cut()
            return
        self.send_response_only(response.status)
        for name, value in response.headers.items():
            if name.lower() not in HOPS:
                self.send_header(name, value)
        is_head = self.command == "HEAD"
        self.send_header("Content-Length", response.headers["Content-Length"] or "0" if is_head else str(len(content)))
        self.end_headers()
        if kind == "truncated":
            self.wfile.write(content[: len(content) // 2])
            self.wfile.flush()
            self._cut()
        elif not is_head:
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """The proxy's server."""

    daemon_threads = True

    def __init__(self, proxy: Proxy) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.proxy = proxy
        proxy.url = f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """What is cut off is meant to be."""


@contextmanager
def proxy(upstream: str) -> Generator[Proxy]:
    """A running proxy before the server of this URL."""
    own = Proxy(upstream)
    server = Server(own)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield own
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
