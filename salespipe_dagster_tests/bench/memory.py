"""The most memory that a process, and what it started, held at once."""

import threading
from types import TracebackType

import psutil

MEGABYTE = 1_000_000


class PeakMemory:
    """Samples resident memory while the block runs; `idle` is what it was at the block's start."""

    def __init__(self, pid: int | None = None, *, tree: bool = False, every: float = 0.01) -> None:
        self._process = psutil.Process(pid)
        self._tree = tree
        self._every = every
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self.idle = self.peak = self._now()

    @property
    def growth(self) -> int:
        """How far the peak lies above the beginning."""
        return self.peak - self.idle

    def __enter__(self) -> "PeakMemory":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()
        self.peak = max(self.peak, self._now())

    def _sample(self) -> None:
        while not self._done.wait(self._every):
            self.peak = max(self.peak, self._now())

    def _now(self) -> int:
        total = 0
        try:
            processes = [self._process, *(self._process.children(recursive=True) if self._tree else [])]
            for process in processes:
                total += process.memory_info().rss
        except psutil.Error:  # it ended in between
            pass
        return total
