"""Opening the store below the lake by its URL: a local folder, or a bucket of S3."""

from dataclasses import dataclass
from pathlib import Path

from salespipe_spark.lake.local import LocalStore
from salespipe_spark.lake.objects import Store


@dataclass(frozen=True)
class S3Server:
    """Which server speaks S3: Amazon's own where no endpoint is named."""

    endpoint_url: str | None = None
    region: str | None = None


def open_store(url: str, scratch: Path, server: S3Server) -> Store:
    """The store of a URL: s3://bucket/prefix, or the path of a folder.

    Args:
        url: where it lies.
        scratch: a folder of this machine, for what is staged before it is uploaded.
        server: who serves s3://.
    """
    if not url.startswith("s3://"):
        return LocalStore(Path(url))
    from salespipe_spark.lake.s3 import S3Store  # whose client takes a while to import

    return S3Store(url, scratch, server)


def environment(server: S3Server) -> dict[str, str]:
    """The environment by which an engine finds the server and its credentials."""
    from salespipe_spark.lake import s3_client

    return s3_client.environment(server)
