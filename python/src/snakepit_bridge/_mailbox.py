"""What callers leave for a link, and how those who have to look there are woken.

Callers may be interrupted anywhere, and garbage collection may be one of them: what is done here for one of
them takes one instruction after the other, each of which leaves all of it whole, and no lock of ours.

It keeps no more than there are errands and subscriptions that live, however often they ask: nobody may come
to look for a long time.
"""

from __future__ import annotations

from collections.abc import Iterator
from queue import Empty, SimpleQueue

from ._link import Carried

__all__ = ["Bell", "Mailbox"]


class Mailbox:
    """What is wished for errands and subscriptions and was not looked at, in order; the last wish counts."""

    def __init__(self) -> None:
        # Whether each is to be carried; if not, to be let go of.
        self._wishes: dict[Carried, bool] = {}

    def __len__(self) -> int:
        return len(self._wishes)

    def submit(self, errand: Carried) -> None:
        """Wishes that it is carried."""
        self._wishes[errand] = True

    def let_go(self, errand: Carried) -> None:
        """Wishes that it is let go of."""
        self._wishes[errand] = False

    def take(self) -> Iterator[tuple[Carried, bool]]:
        """Takes out what is in it. One takes at a time."""
        for errand in list(self._wishes):
            yield errand, self._wishes.pop(errand)


class Bell:
    """Wakes one thread, which looks then for what there is: rung twice before it comes, it wakes it once.

    Attributes:
        is_over: Whether the one who waits has been told that nothing more comes.
    """

    def __init__(self) -> None:
        self.is_over = False
        # True: there is something to look at. False: it is over.
        self._rings: SimpleQueue[bool] = SimpleQueue()

    def ring(self) -> None:
        """Says that there is something to look at."""
        if self._rings.empty():
            self._rings.put(True)

    def end(self) -> None:
        """Says that nothing more comes. It is one instruction."""
        self._rings.put(False)

    def wait(self, seconds: float | None) -> bool:
        """Waits for it to be rung; returns whether it was. None: as long as it takes."""
        try:
            self.is_over = not self._rings.get(timeout=seconds) or self.is_over
        except Empty:
            return False
        return True
