"""An S3 server on loopback, and a proxy in front of it that loses answers."""

from __future__ import annotations

import http.client
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BUCKET = "lakes"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_REGION": "us-east-1",
    "AWS_ALLOW_HTTP": "true",
}


@contextmanager
def s3_server() -> Iterator[int]:
    """A server with one empty bucket; its port."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("PUT", f"/{BUCKET}")
    assert connection.getresponse().status == 200
    connection.close()
    yield port
    server.stop()


@contextmanager
def running_server() -> Iterator[dict[str, str]]:
    """A server with one empty bucket; the storage options that reach it."""
    with s3_server() as port:
        yield {"aws_endpoint": f"http://127.0.0.1:{port}"} | {
            key.lower(): value for key, value in CREDENTIALS.items()
        }


class LossyProxy(ThreadingHTTPServer):
    """Passes requests on; loses the answer to the PUTs whose numbers are in `lost`.

    Only PUTs of paths that contain `pattern` are counted, from 0.
    """

    daemon_threads = True

    def __init__(self, upstream: int, pattern: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = upstream
        self.pattern = pattern
        self.lost: set[int] = set()
        self.count = 0
        self._lock = threading.Lock()

    def loses(self, method: str, path: str) -> bool:
        """Whether the answer to this request gets lost."""
        if method != "PUT" or self.pattern not in path:
            return False
        with self._lock:
            self.count += 1
            return self.count - 1 in self.lost


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: LossyProxy

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        connection = http.client.HTTPConnection("127.0.0.1", self.server.upstream)
        connection.request(self.command, self.path, body, dict(self.headers))
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if self.server.loses(self.command, self.path):
            self.close_connection = True
            return
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "transfer-encoding"):
                self.send_header(name, value)
        if answer.getheader("Content-Length") is None:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _pass_on  # noqa: N815

    def log_message(self, *arguments: object) -> None:
        pass


@contextmanager
def lossy_proxy(upstream: int, pattern: str) -> Iterator[LossyProxy]:
    """A proxy that runs until the block ends."""
    with LossyProxy(upstream, pattern) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, daemon=True)
        thread.start()
        yield proxy
        proxy.shutdown()
        thread.join()
