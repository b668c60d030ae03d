"""Tests by several workers, `pytest -n 2`: a file is one worker's, so that what its tests share is made once."""

from pathlib import PurePath

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

TOGETHER = ("test_classicmodels.py", "test_parity.py", "test_s3_lake.py")
"""Files of one worker, because they share a run of thirty months."""


class Scheduling(LoadFileScheduling):  # pyright: ignore[reportUntypedBaseClass]
    """Files in the order in which they were collected."""

    def __init__(self, config: pytest.Config, log: Producer | None) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False  # else those with the most tests go first, which are short ones

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return TOGETHER[0] if PurePath(file).name in TOGETHER else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """Whatever --dist says: tests of one file at once would make its fixtures twice."""
    return Scheduling(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The long files go first, or a worker would be left alone with one in the end."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: (item.path.name not in TOGETHER, "integration" not in item.path.parts))
