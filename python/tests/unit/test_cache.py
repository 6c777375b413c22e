"""What the vectors in ttl-cache.json leave: what Python alone counts, and a model of random steps."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snakepit_bridge._cache import Entry, Fetch, TtlCache


def entry(name: str = "x", value: int = 1, revision: int = 1, born: int = 1, version: int = 1) -> Entry:
    return Entry(f"var_{name}_{born}", value, "integer", version, revision)


def test_fetches_and_the_rate_of_hits_are_counted() -> None:
    cache = TtlCache(1.0)
    assert cache.stats(0.0)["hit_rate"] == 0.0
    for now in (0.0, 0.5, 0.5):
        if cache.look_up("x", now) is None:
            cache.count_fetch()
            cache.store(entry(), cache.begin(now), now)
    stats = cache.stats(0.5)
    assert (stats["fetches"], stats["hit_rate"]) == (1, pytest.approx(2 / 3))


def test_a_cache_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="max_entries"):
        TtlCache(1.0, max_entries=0)


# ---- against a model: what the cache answers must be true, not older than the TTL, and must not go back

NAMES = ["a", "b", "c"]


@dataclass
class World:
    """A server with three variables and a client with a cache, in a time that only steps move."""

    cache: TtlCache
    now: float = 0.0
    revision: int = 1
    life: int = 0
    # Per name: (revision, time, life) at which each value became true; the value is the place in the list.
    history: dict[str, list[tuple[int, float, int]]] = field(
        default_factory=lambda: {name: [(1, 0.0, 0)] for name in NAMES}
    )
    under_way: list[tuple[str, Fetch, Entry, int, bool]] = field(default_factory=list)
    own: dict[str, int] = field(default_factory=dict)
    forgotten: dict[str, float] = field(default_factory=dict)

    def answer(self, name: str) -> Entry:
        return entry(name, len(self.history[name]) - 1, self.revision)

    def change(self, name: str) -> None:
        self.revision += 1
        self.history[name].append((self.revision, self.now, self.life))

    def ask(self, name: str) -> None:
        fetch = self.cache.begin(self.now)
        self.under_way.append((name, fetch, self.answer(name), self.life, False))

    def write(self, name: str) -> None:
        fetch = self.cache.begin(self.now)
        self.change(name)
        self.under_way.append((name, fetch, self.answer(name), self.life, True))

    def land(self, which: int) -> None:
        if not self.under_way:
            return
        name, fetch, answer, life, is_write = self.under_way.pop(which % len(self.under_way))
        self.cache.observe(str(life).encode())
        self.cache.store(answer, fetch, self.now)
        if is_write:
            self.cache.note_write(name)
            if life == self.life:
                self.own[name] = max(self.own.get(name, 0), int(answer.value))

    def begin_another_life(self) -> None:
        self.life += 1
        self.revision = 1
        self.own.clear()
        for values in self.history.values():
            values.append((1, self.now, self.life))

    def forget(self, name: str | None) -> None:
        self.cache.invalidate(name)
        for forgotten in NAMES if name is None else [name]:
            self.forgotten[forgotten] = self.now

    def check(self, name: str) -> None:
        hit = self.cache.look_up(name, self.now)
        if hit is None:
            return
        found, age = hit
        place = int(found.value)
        values = self.history[name]
        replaced = values[place + 1][1] if place + 1 < len(values) else math.inf
        # Still true at some moment within the last TTL.
        assert replaced >= self.now - self.cache.ttl
        assert replaced >= self.now - age
        assert age < self.cache.ttl
        # Own acknowledged writes are visible.
        assert place >= self.own.get(name, 0)
        # What was forgotten does not come back from before.
        assert self.now - age >= self.forgotten.get(name, -math.inf)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["change", "ask", "write", "check", "forget"]), st.sampled_from(NAMES)),
        st.tuples(st.just("land"), st.integers(0, 5)),
        st.tuples(st.just("wait"), st.sampled_from([0.25, 0.5, 1.0])),
        st.tuples(st.sampled_from(["forget", "another life"]), st.none()),
    ),
    max_size=40,
)


@settings(max_examples=500, deadline=None)
@given(STEPS, st.sampled_from([1, 2, 10]), st.sampled_from([0.0, 1.0, 2.0]))
def test_what_the_cache_answers_is_true_fresh_and_never_goes_back(
    steps: list[tuple[str, object]], max_entries: int, ttl: float
) -> None:
    world = World(TtlCache(ttl, max_entries))
    for step, argument in steps:
        if step == "wait":
            assert isinstance(argument, float)
            world.now += argument
        elif step == "another life":
            world.begin_another_life()
        elif step == "land":
            assert isinstance(argument, int)
            world.land(argument)
        else:
            getattr(world, step)(argument)
        assert len(world.cache._entries) <= max_entries
        for name in NAMES:
            world.check(name)
    stats = world.cache.stats(world.now)
    assert stats["size"] <= max_entries
    assert stats["hits"] + stats["misses"] == len(steps) * len(NAMES) + sum(s == "check" for s, _ in steps)
