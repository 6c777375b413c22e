from __future__ import annotations

import math
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snakepit_bridge._cache import Entry, Fetch, TtlCache, name_of


def entry(name: str = "x", value: int = 1, revision: int = 1, born: int = 1, version: int = 1) -> Entry:
    return Entry(f"var_{name}_{born}", value, "integer", version, revision)


def value_of(cache: TtlCache, identifier: str, now: float) -> object:
    hit = cache.look_up(identifier, now)
    return None if hit is None else hit[0].value


@pytest.mark.parametrize(
    ("identifier", "name"),
    [
        ("x", "x"),
        ("", ""),
        ("var_x_1", "x"),
        ("var_a_b_12", "a_b"),
        ("var_a_1_2", "a_1"),
        ("var__1", "var__1"),
        ("var_x_", "var_x_"),
        ("var_x_1a", "var_x_1a"),
        ("var_x_\u0661", "var_x_\u0661"),
        ("xvar_x_1", "xvar_x_1"),
    ],
)
def test_an_id_tells_its_name(identifier: str, name: str) -> None:
    assert name_of(identifier) == name


def test_an_entry_is_used_until_one_tick_before_the_ttl() -> None:
    cache = TtlCache(1.0)
    cache.store(entry(), cache.begin(10.0), 10.5)
    assert cache.look_up("x", 10.999) == (entry(), pytest.approx(0.999))
    assert cache.look_up("x", 11.0) is None
    assert cache.stats(11.0) == {
        "hits": 1,
        "misses": 1,
        "evictions": 1,
        "fetches": 0,
        "size": 0,
        "hit_rate": 0.5,
    }


def test_an_entry_is_as_old_as_the_beginning_of_its_call() -> None:
    cache = TtlCache(1.0)
    cache.store(entry(), cache.begin(0.0), 1.0)
    assert cache.stats(1.0)["size"] == 0
    assert cache.stats(1.0)["evictions"] == 0


def test_name_and_id_share_one_entry() -> None:
    cache = TtlCache(1.0)
    cache.store(entry("x", 5), cache.begin(0.0), 0.0)
    assert value_of(cache, "x", 0.1) == value_of(cache, "var_x_1", 0.1) == 5
    assert value_of(cache, "var_x_2", 0.1) is None
    cache.invalidate("var_x_1")
    assert value_of(cache, "x", 0.1) is None


def test_an_older_revision_never_replaces_a_newer_one() -> None:
    cache = TtlCache(1.0)
    slow = cache.begin(0.0)
    cache.store(entry(value=2, revision=5), cache.begin(0.1), 0.2)
    cache.store(entry(value=1, revision=4), slow, 0.3)
    assert value_of(cache, "x", 0.4) == 2


def test_a_newer_answer_of_an_older_call_is_not_older_than_what_it_replaces() -> None:
    cache = TtlCache(1.0)
    slow = cache.begin(0.0)
    cache.store(entry(value=1, revision=4), cache.begin(0.5), 0.6)
    cache.store(entry(value=2, revision=5), slow, 0.7)
    assert cache.look_up("x", 1.4) is not None
    assert cache.look_up("x", 1.5) is None


@pytest.mark.parametrize("identifier", ["x", "var_x_1", None])
def test_a_fetch_that_began_before_an_invalidation_is_not_stored(identifier: str | None) -> None:
    cache = TtlCache(1.0)
    fetch = cache.begin(0.0)
    cache.invalidate(identifier)
    assert not cache.is_current("x", fetch)
    cache.store(entry(), fetch, 0.1)
    assert value_of(cache, "x", 0.1) is None
    cache.store(entry(), cache.begin(0.1), 0.1)
    assert value_of(cache, "x", 0.1) == 1


def test_a_fetch_that_began_before_an_own_write_is_not_stored_even_if_the_entry_has_left() -> None:
    cache = TtlCache(1.0, max_entries=1)
    slow = cache.begin(0.0)
    cache.store(entry(value=2, revision=2), cache.begin(0.0), 0.1)
    cache.note_write("x")
    cache.store(entry("y"), cache.begin(0.1), 0.1)
    cache.store(entry(value=1, revision=1), slow, 0.2)
    assert value_of(cache, "x", 0.2) is None


def test_an_invalidation_of_one_variable_leaves_the_fetches_of_others_alone() -> None:
    cache = TtlCache(1.0)
    fetch = cache.begin(0.0)
    cache.invalidate("y")
    cache.store(entry("x"), fetch, 0.1)
    assert value_of(cache, "x", 0.1) == 1


def test_an_outdated_answer_that_is_newer_than_the_entry_removes_it() -> None:
    cache = TtlCache(1.0)
    cache.store(entry(value=1, revision=1), cache.begin(0.0), 0.0)
    fetch = cache.begin(0.0)
    cache.note_write("x")
    cache.store(entry(value=3, revision=3), fetch, 0.1)
    assert value_of(cache, "x", 0.1) is None


def test_an_own_write_is_not_pushed_out_by_a_read_of_the_same_revision() -> None:
    cache = TtlCache(1.0)
    read = cache.begin(0.0)
    cache.store(entry(value=2, revision=2), cache.begin(0.0), 0.1)
    cache.note_write("x")
    cache.store(entry(value=2, revision=2), read, 0.2)
    assert value_of(cache, "x", 0.2) == 2


def test_the_empty_name_is_only_a_name() -> None:
    cache = TtlCache(1.0)
    cache.store(entry("x"), cache.begin(0.0), 0.0)
    cache.invalidate("")
    assert value_of(cache, "x", 0.0) == 1
    cache.invalidate()
    assert value_of(cache, "x", 0.0) is None


def test_the_oldest_entry_is_pushed_out() -> None:
    cache = TtlCache(10.0, max_entries=2)
    for name in ("a", "b"):
        cache.store(entry(name), cache.begin(0.0), 0.0)
    cache.store(entry("a", revision=2), cache.begin(1.0), 1.0)
    cache.store(entry("c"), cache.begin(2.0), 2.0)
    assert [value_of(cache, name, 2.0) is not None for name in ("a", "b", "c")] == [True, False, True]
    assert cache.stats(2.0)["evictions"] == 1


def test_marks_of_changes_are_bounded_and_forgetting_them_is_safe() -> None:
    cache = TtlCache(10.0, max_entries=3)
    fetch = cache.begin(0.0)
    for number in range(100):
        cache.invalidate(f"n{number}")
    assert len(cache._marks) == 3
    assert not any(cache.is_current(f"n{number}", fetch) for number in range(100))
    assert cache.is_current("n0", cache.begin(0.0))


def test_expired_entries_leave_when_others_come() -> None:
    cache = TtlCache(1.0)
    for number in range(5):
        cache.store(entry(f"n{number}"), cache.begin(0.0), 0.0)
    cache.store(entry("late"), cache.begin(2.0), 2.0)
    assert len(cache._entries) == 1


def test_another_life_of_the_session_empties_the_cache() -> None:
    cache = TtlCache(1.0)
    cache.observe(b"first")
    cache.store(entry(value=9, revision=90), cache.begin(0.0), 0.0)
    slow = cache.begin(0.0)
    cache.observe(b"second")
    cache.store(entry(value=1, revision=1), slow, 0.1)
    assert cache.stats(0.1)["size"] == 0
    cache.observe(b"second")
    cache.store(entry(value=2, revision=2), cache.begin(0.2), 0.2)
    assert value_of(cache, "x", 0.3) == 2


def test_a_ttl_of_zero_keeps_nothing_and_empties_the_cache() -> None:
    cache = TtlCache(1.0)
    cache.store(entry("a"), cache.begin(0.0), 0.0)
    cache.set_ttl(0)
    cache.store(entry("b"), cache.begin(0.0), 0.0)
    assert value_of(cache, "a", 0.0) is None
    assert value_of(cache, "b", 0.0) is None


def test_a_longer_ttl_holds_for_what_is_there_already() -> None:
    cache = TtlCache(1.0)
    cache.store(entry(), cache.begin(0.0), 0.0)
    cache.set_ttl(math.inf)
    assert value_of(cache, "x", 1e12) == 1


@pytest.mark.parametrize("ttl", [-1, -0.001, math.nan])
def test_a_ttl_that_is_no_time_is_refused(ttl: float) -> None:
    with pytest.raises(ValueError, match="0 or more seconds"):
        TtlCache(ttl)


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
