"""An S3 server on loopback for the tests."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def running_server() -> Iterator[dict[str, str]]:
    """Storage options of an empty server that runs until the block ends."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield {
            "aws_endpoint": f"http://{host}:{port}",
            "aws_allow_http": "true",
            "aws_region": "us-east-1",
            "aws_access_key_id": "test",
            "aws_secret_access_key": "test",
        }
    finally:
        server.stop()
