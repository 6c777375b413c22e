"""A way to a bridge on which things happen: `tests/faults/proxy-process.ts`, steered from here."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from processes import ROOT, TIMEOUT

_PROGRAM = ROOT / "tests" / "faults" / "proxy-process.ts"


class ToxicProxy:
    """See the module. Toxics are as in `tests/faults/toxics.ts`.

    Attributes:
        address: Where it listens.
        connections: How many connections were made, as of the last order.
        cuts: How many of them it ended.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._lock = threading.Lock()
        self.address = self._line().removeprefix("listening on ").strip()
        self.connections = 0
        self.cuts = 0

    def lay(self, name: str, direction: str, **toxic: Any) -> None:
        """Lays a toxic under a name, in place of one that had it."""
        self._order(do="lay", name=name, direction=direction, toxic=toxic)

    def lift(self, name: str) -> None:
        """Takes one away."""
        self._order(do="lift", name=name)

    def cut(self) -> None:
        """Resets all connections, and takes new ones."""
        self._order(do="cut")

    def count(self) -> int:
        """Asks for the numbers; returns the cuts."""
        self._order(do="count")
        return self.cuts

    def _order(self, **order: Any) -> None:
        with self._lock:
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            counted = json.loads(self._line())
        self.connections, self.cuts = counted["connections"], counted["cuts"]

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


@contextmanager
def toxic_proxy(address: str) -> Iterator[ToxicProxy]:
    """A proxy before a bridge, in a process of its own."""
    port = address.rpartition(":")[2]
    with subprocess.Popen(
        ["node", "--import", "tsx", str(_PROGRAM), port],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield ToxicProxy(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(TIMEOUT)
