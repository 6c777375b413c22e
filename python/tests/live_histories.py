"""Random histories of live reads, and what has to be true of each (ORD-1, 2, 4, 6, 8 and 10)."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

from live_world import LONGEST_DELAY, LONGEST_TURN, Client, Line, ModelBridge, Time, shown

from snakepit_bridge import (
    BridgeError,
    SessionNotFoundError,
    UnavailableError,
    VariableNotFoundError,
)
from snakepit_bridge._link import LATE, SILENCE
from snakepit_bridge._pins import Snapshot
from snakepit_bridge._results import UNSET, Reading

NAMES = ("a", "b", "c", "d")
MAX_STALE = 4.0

LATEST = 2 * LONGEST_DELAY + LONGEST_TURN
"""How far behind a replica may be on a line that is well, in seconds."""


class BrokenPromiseError(AssertionError):
    """A history in which something is seen that must not be."""


class History:
    """One history: everything in it follows from its seed.

    Args:
        seed: Of all choices.
        make_bridge: Makes the bridge; another one for a fault in it.
    """

    def __init__(self, seed: int, make_bridge: Callable[[Time, random.Random], ModelBridge]) -> None:
        self.draw = random.Random(seed)
        self.time = Time()
        self.bridge = make_bridge(self.time, random.Random(seed + 1))
        self.client = Client(
            self.time, self.bridge, random.Random(seed + 2), max_stale=self.draw.choice([0.0, MAX_STALE])
        )
        self.max_stale = self.client.methods._options.max_stale
        # The latest moment that this context is known to have seen.
        self.seen = 0
        self.reads = 0
        self.marked = 0
        self._value = 0
        self._begun = 0

    def run(self, steps: int) -> None:
        """Takes so many steps, then heals everything and looks whether all comes to the present."""
        if self.draw.random() < 0.7:
            self.bridge.create()
        for _ in range(steps):
            self.draw.choice(ACTS)(self)
            self.pass_time(self.draw.choice([0.0, 0.01, 0.1, 0.1, 0.5, 2.0, 7.0]))
        self.heal()
        self.begin(self.client.methods.ready(timeout=150.0), lambda *_: None)
        # Longer than a silence, and the rest of a subscription after it.
        self.pass_time(120.0)
        replica = self.client.methods.replica
        if not replica.is_current or replica.revision != self.bridge.present.point:
            raise BrokenPromiseError(f"it never came to the present: {replica.state}, {replica.reason}")

    # ---- acts

    def write_elsewhere(self) -> None:
        if self.bridge.present.held is not None:
            names = self.draw.sample(NAMES, self.draw.randint(1, len(NAMES)))
            self.bridge.commit({name: self.value(may_delete=True) for name in names})

    def write_all_elsewhere(self) -> None:
        if self.bridge.present.held is not None:
            value = self.value()
            self.bridge.commit(dict.fromkeys(NAMES, value))

    def value(self, *, may_delete: bool = False) -> Any:
        if may_delete and self.draw.random() < 0.2:
            return None
        self._value += 1
        return self._value

    def create(self) -> None:
        self.bridge.create()

    def end(self) -> None:
        self.bridge.end()

    def restart(self) -> None:
        self.bridge.restart(forgets=self.draw.random() < 0.5)

    def go_down(self) -> None:
        self.bridge.is_up = False
        self.bridge.restart(forgets=False)

    def heal(self) -> None:
        self.bridge.is_up = True

    def cut(self) -> None:
        for line in list(self.bridge.lines):
            line.cut()

    def silence(self) -> None:
        for line in self.bridge.lines:
            line.silence()

    def write(self) -> None:
        name, value = self.draw.choice(NAMES), self.value()
        self.begin(self.client.methods.set_variable(name, value, timeout=3.0), self.wrote)

    def write_and_read(self) -> None:
        name = self.draw.choice(NAMES)

        def read(written: Any, began: float, floor: int) -> None:
            self.wrote(written, began, floor)
            self.read_one(name)

        self.begin(self.client.methods.set_variable(name, self.value(), timeout=3.0), read)

    def update(self) -> None:
        value = self.value()
        flow = self.client.methods.update_variable(self.draw.choice(NAMES), lambda _: value, timeout=3.0)
        self.begin(flow, self.wrote)

    def read_one(self, name: str | None = None) -> None:
        name = name or self.draw.choice(NAMES)
        # What a shell does first.
        held = self.client.methods.replica.hits.get(name)
        if held is not None:
            self.judge({name: held}, (name,), self.time.now, self.seen)
        self.begin(
            self.client.methods.read(name, timeout=3.0),
            lambda found, began, floor: self.judge_reading(name, found, began, floor),
        )

    def read_many(self) -> None:
        names = tuple(self.draw.sample(NAMES, self.draw.randint(2, len(NAMES))))
        self.begin(
            self.client.methods.get_variables(names, timeout=3.0),
            # Nothing found may also be that there is no session.
            lambda found, began, floor: self.judge(found, names, began, floor, or_none=not found),
        )

    def read_all(self) -> None:
        def judge(found: Snapshot, began: float, floor: int) -> None:
            self.judge(dict(found.values), NAMES, began, floor, answer=found)

        self.begin(self.client.methods.snapshot(timeout=3.0), judge)

    def read_exactly(self) -> None:
        name = self.draw.choice(NAMES)
        self.begin(
            self.client.methods.read(name, bypass_cache=True, timeout=3.0),
            lambda found, began, floor: self.judge_reading(name, found, began, floor),
        )

    # ---- what has to be true

    def begin(self, flow: Any, judge: Callable[[Any, float, int], None]) -> None:
        began, floor = self.time.now, self.seen

        def done(found: Any, error: BaseException | None) -> None:
            if isinstance(error, SessionNotFoundError):
                self.judge(None, NAMES, began, floor, or_any_end=True)
            elif isinstance(error, VariableNotFoundError) and error.identifier is not None:
                self.judge({}, (error.identifier,), began, floor)
            elif isinstance(error, UnavailableError):
                self.check_unavailable(error)
            elif error is not None and not isinstance(error, BridgeError):
                raise error
            elif error is None:
                judge(found, began, floor)

        self.client.run(flow, done)
        self.check_replica()

    def wrote(self, written: Any, _began: float, floor: int) -> None:
        """An own write is not read older from here on."""
        place = next(
            place for place, each in enumerate(self.bridge.moments) if str(each.point) == written.point
        )
        self.saw(max(floor, place))

    def judge_reading(self, name: str, found: Reading, began: float, floor: int) -> None:
        self.judge({name: found.value}, (name,), began, floor, answer=found)

    def judge(
        self,
        found: Mapping[str, Any] | None,
        names: tuple[str, ...],
        began: float,
        floor: int,
        *,
        answer: Reading | Snapshot | None = None,
        or_none: bool = False,
        or_any_end: bool = False,
    ) -> None:
        """Looks for a moment at which this was so, and which may have been seen."""
        self.reads += 1
        moments = self.bridge.moments
        places = [
            place
            for place in range(floor, len(moments))
            if shown(moments[place].held, names) == found or (or_none and moments[place].held is None)
        ]
        if not places:
            raise BrokenPromiseError(f"{found} at {self.time.now}: never so since moment {floor}")
        oldest = self.oldest(began, answer)
        fresh = [place for place in places if self.until(place) >= oldest]
        if not fresh and not or_any_end:
            raise BrokenPromiseError(f"{found} at {self.time.now}: not so since {oldest} ({answer})")
        self.saw((fresh or places)[0])

    def oldest(self, began: float, answer: Reading | Snapshot | None) -> float:
        """How long ago what was read may have been so."""
        if answer is not None and answer.source == "server":
            return began
        if answer is not None and answer.stale:
            self.marked += 1
            if self.max_stale == 0 or answer.age > self.max_stale:
                raise BrokenPromiseError(f"stale for {answer.age} s, which is too long")
            return self.time.now - answer.age - LATEST
        if answer is None and self.client.methods.replica.state == "STALE" and self.max_stale > 0:
            # Who asks for values alone is not told.
            return self.time.now - self.max_stale - LATEST
        # Without a mark it is as the line allows.
        line = self.line()
        behind = LATEST if line is None or line.silent_since is None else SILENCE + LATE + LATEST
        return min(began, self.time.now - behind)

    def line(self) -> Line | None:
        return next(iter(self.client.lines.values()), None)

    def until(self, place: int) -> float:
        moments = self.bridge.moments
        return moments[place + 1].since if place + 1 < len(moments) else self.time.now

    def saw(self, place: int) -> None:
        self.seen = max(self.seen, place)

    def check_unavailable(self, error: UnavailableError) -> None:
        if "max_stale" in str(error):
            age = self.client.methods.replica.age(self.time.now)
            if age is None or (self.max_stale > 0 and age <= self.max_stale):
                raise BrokenPromiseError(f"unavailable after {age} s")

    def check_replica(self) -> None:
        """What the replica holds is what the session was at one revision, and nothing else."""
        replica = self.client.methods.replica
        if replica.revision is None:
            return
        moment = next((each for each in self.bridge.moments if each.point == replica.revision), None)
        if moment is None:
            raise BrokenPromiseError("it stands where the session never was")
        found = {entry.name: (entry.id, entry.version) for entry in replica.entries()}
        if found != {name: item[:2] for name, item in (moment.held or {}).items()}:
            raise BrokenPromiseError(f"at {replica.revision} it has {found}")
        for entry in replica.entries():
            if entry.held not in (None, (moment.held or {})[entry.name][2]):
                raise BrokenPromiseError(f"at {replica.revision} it has {entry}")
            if replica.hits.get(entry.name, UNSET) is not UNSET and replica.hits[entry.name] != entry.held:
                raise BrokenPromiseError(f"a hit is not what is held: {entry}")
        if replica.hits and not replica.is_current:
            raise BrokenPromiseError("there are hits, and it is not current")
        if replica.is_current and replica.revision.incarnation:
            reached = self.bridge.moments[self.seen].point
            if reached.incarnation == replica.revision.incarnation and not replica.reaches(reached):
                raise BrokenPromiseError(f"it is read from at {replica.revision}, before {reached}")

    def pass_time(self, seconds: float) -> None:
        limit = self.time.now + seconds
        while self.time.next(limit):
            self.check_replica()


ACTS: list[Callable[[History], None]] = [
    History.write_elsewhere,
    History.write_elsewhere,
    History.write_all_elsewhere,
    History.create,
    History.end,
    History.restart,
    History.go_down,
    History.heal,
    History.heal,
    History.cut,
    History.silence,
    History.write,
    History.write_and_read,
    History.write_and_read,
    History.update,
    History.read_one,
    History.read_one,
    History.read_one,
    History.read_many,
    History.read_many,
    History.read_all,
    History.read_exactly,
]
