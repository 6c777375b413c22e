"""Random sequences of calls against a bridge and against a simple model, for each client.

The same sequences each time; the environment variable MODEL_SEED takes others. A failure prints the shortest
sequence that shows it, and the line that repeats it.
"""

from __future__ import annotations

import functools
import itertools
import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from session_model import RefusedError, SessionModel, Variable, same
from shells import Shell

from snakepit_bridge import BatchError, BridgeError, InvalidInputError
from snakepit_bridge._results import UNSET

SEED = os.environ.get("MODEL_SEED")
SETTINGS = settings(
    max_examples=100,
    stateful_step_count=30,
    deadline=None,
    database=None,
    derandomize=SEED is None,
    print_blob=True,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
NOT_APPLIED = "not applied: the batch was refused"

NAMES = st.sampled_from(["a", "b", "c", "ż d"])
BAD_NAMES = st.sampled_from(["", " x", "a\nb", "__proto__", "x" * 257, 5, "\ud800"])
NUMBERS = st.sampled_from(
    [
        0,
        1,
        -1,
        5,
        10,
        2**53,
        2**53 + 1,
        2**63 - 1,
        0.0,
        -0.0,
        0.5,
        -2.5,
        7.0,
        1e308,
        float("inf"),
        float("nan"),
    ]
)
VALUES = NUMBERS | st.booleans() | st.sampled_from(["", "a", "ab", "abcd", "ż🐍\0"])
JSON_VALUES = st.sampled_from(
    [None, [], [1], {"a": 1}, {"b": [1.0, None, {"": True}], "a": "ż🐍\0"}, (1, (-0.0,)), [2**53 - 1, 1e308]]
)
ANY_VALUES = VALUES | VALUES | JSON_VALUES
TOO_DEEP = functools.reduce(lambda inside, _: [inside], range(64), [])
BAD_JSON = st.sampled_from([[2**53], [float("nan")], {1: 2}, {"\ud800": 1}, {"a": b"x"}, ({1},), TOO_DEEP])
BAD_VALUES = st.sampled_from([b"x", {1}, 2**63, -(2**63) - 1, "\ud800"]) | BAD_JSON
ITEMS = st.dictionaries(NAMES, ANY_VALUES | BAD_VALUES, min_size=1, max_size=4)
VERSIONS = st.integers(0, 4)
UNSAID = st.just(UNSET)
DEFINITIONS = st.sampled_from(
    [
        ("float", {}),
        ("float", {"min": 0.0, "max": 10.0}),
        ("integer", {}),
        ("integer", {"min": 0, "max": 10}),
        ("integer", {"step": 5}),
        ("string", {}),
        ("string", {"min_length": 1, "max_length": 3}),
        ("string", {"pattern": "^a"}),
        ("boolean", {}),
        ("choice", {"choices": ["a", "ab"]}),
        ("choice", {"choices": ["ab", "a"]}),
        ("choice", {"choices": ["ab", "", "ż🐍\0"]}),
        ("choice", {}),
        ("json", {}),
        ("json", {}),
    ]
)
FIRST: dict[str, Any] = {
    "float": 0.0,
    "integer": 0,
    "string": "",
    "boolean": False,
    "choice": "ab",
    "json": {"a": [0]},
}
"""A value of each type."""
COUNT = itertools.count()


class Machine(RuleBasedStateMachine):
    """One session, and one context that is the only one to use it, so that its cache has to be right."""

    def __init__(self, make: Callable[[str], Any], run: Callable[..., Any]) -> None:
        super().__init__()
        self.run = run
        self.model = SessionModel()
        self.context = make(f"model {next(COUNT)}")
        run(self.context.create_session)

    def teardown(self) -> None:
        self.run(self.context.delete_session)
        self.run(self.context.close)

    # ---- writing

    @rule(name=NAMES, value=ANY_VALUES, expected_version=st.none() | VERSIONS)
    def set(self, name: str, value: Any, expected_version: int | None) -> None:
        self.do_set(name, value, expected_version)

    def do_set(self, name: str, value: Any, expected_version: int | None) -> None:
        self.both(
            lambda: self.run(self.context.set_variable, name, value, expected_version=expected_version),
            lambda: self.model.set(name, value, expected_version),
            self.same_write,
        )

    @rule(name=NAMES, value=ANY_VALUES)
    def compare_and_set(self, name: str, value: Any) -> None:
        """With the version that stands, which is not often met by chance."""
        standing = self.model.variables.get(name)
        self.do_set(name, value, standing.version if standing else 0)

    @rule(name=NAMES, by=NUMBERS)
    def increment(self, name: str, by: Any) -> None:
        self.both(
            lambda: self.run(self.context.increment, name, by),
            lambda: self.model.increment(name, by).value,
            lambda found, wanted: same(found, wanted),
        )

    @rule(name=NAMES, value=ANY_VALUES)
    def update(self, name: str, value: Any) -> None:
        seen: list[Any] = []

        def compute(old: Any) -> Any:
            seen.append(old)
            return value

        def expect() -> Variable:
            old = self.model.get(name)
            assert same(seen[0], old.value)
            return self.model.set(name, value, old.version)

        self.both(lambda: self.run(self.context.update_variable, name, compute), expect, self.same_write)

    @rule(updates=ITEMS)
    def set_many(self, updates: dict[str, Any]) -> None:
        def same_commit(found: Any, wanted: dict[str, Variable]) -> bool:
            versions = {name: variable.version for name, variable in wanted.items()}
            return (found.revision, found.versions) == (self.model.revision, versions)

        self.both(
            lambda: self.run(self.context.set_variables, updates),
            lambda: self.model.set_many(updates, atomic=True),
            same_commit,
        )

    @rule(updates=ITEMS, atomic=st.booleans())
    def update_many(self, updates: dict[str, Any], atomic: bool) -> None:
        verdicts = self.run(self.context.update_variables, updates, atomic=atomic)
        assert list(verdicts) == list(updates)
        judged, refused = outcome(lambda: self.model.set_many(updates, atomic=atomic), RefusedError)
        if refused is not None:
            innocent = {name for name, verdict in verdicts.items() if verdict == NOT_APPLIED}
            assert innocent == updates.keys() - refused.items.keys()
            assert True not in verdicts.values()
            return
        good = {name for name, each in judged.items() if isinstance(each, Variable)}
        assert {name for name, verdict in verdicts.items() if verdict is True} == good
        assert all(isinstance(verdicts[name], str) for name in judged.keys() - good)

    @rule(name=NAMES, definition=DEFINITIONS, initial=UNSAID | ANY_VALUES)
    def register(self, name: str, definition: tuple[str, dict[str, Any]], initial: Any) -> None:
        self.define(self.context.register_variable, self.model.register, name, definition, initial)

    @rule(name=NAMES, definition=DEFINITIONS, initial=UNSAID | ANY_VALUES)
    def ensure(self, name: str, definition: tuple[str, dict[str, Any]], initial: Any) -> None:
        self.define(self.context.ensure_variable, self.model.ensure, name, definition, initial)

    def define(self, ours: Any, models: Any, name: str, definition: Any, initial: Any) -> None:
        kind, constraints = definition
        first = FIRST[kind] if initial is UNSET else initial
        self.both(
            lambda: self.run(ours, name, kind, first, constraints),
            lambda: models(name, kind, first, constraints).id,
            lambda found, wanted: found == wanted,
        )

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        self.both(
            lambda: self.run(self.context.delete_variable, name),
            lambda: self.model.delete(name),
            lambda found, wanted: found is wanted is None,
        )

    # ---- what cannot be

    @rule(name=NAMES, value=BAD_VALUES)
    def set_what_is_no_value(self, name: str, value: Any) -> None:
        self.refuses(lambda: self.run(self.context.set_variable, name, value))
        self.refuses(lambda: self.run(self.context.increment, name, value))

    @rule(name=BAD_NAMES, value=VALUES)
    def set_what_has_no_name(self, name: Any, value: Any) -> None:
        self.refuses(lambda: self.run(self.context.set_variable, name, value))

    # ---- reading

    @rule(name=NAMES, bypass_cache=st.booleans())
    def get(self, name: str, bypass_cache: bool) -> None:
        self.both(
            lambda: self.run(self.context.get_variable, name, bypass_cache=bypass_cache),
            lambda: self.model.get(name).value,
            same,
        )

    @rule(name=NAMES)
    def get_by_id(self, name: str) -> None:
        if name in self.model.variables:
            variable = self.model.variables[name]
            assert same(self.run(self.context.get_variable, variable.id), variable.value)

    @rule(names=st.lists(NAMES))
    def get_many(self, names: list[str]) -> None:
        found = self.run(self.context.get_variables, names, {"a": "none"})
        wanted = {
            name: self.model.variables[name].value if name in self.model.variables else "none"
            for name in dict.fromkeys(names)
            if name in self.model.variables or name == "a"
        }
        assert list(found) == list(wanted)
        assert all(same(found[name], wanted[name]) for name in wanted)

    @rule(name=NAMES)
    def read(self, name: str) -> None:
        def same_reading(found: Any, wanted: Variable) -> bool:
            assert found.revision <= self.model.revision
            assert found.source == "cache" or found.revision == self.model.revision
            return same(found.value, wanted.value) and (found.type, found.version) == (
                wanted.type,
                wanted.version,
            )

        self.both(lambda: self.run(self.context.read, name), lambda: self.model.get(name), same_reading)

    @rule(kind=st.none() | st.sampled_from(sorted(FIRST)))
    def list(self, kind: str | None) -> None:
        found = self.run(self.context.list_variables, type=kind)
        wanted = {
            name: variable
            for name, variable in sorted(self.model.variables.items())
            if kind in (None, variable.type)
        }
        assert list(found) == list(wanted)
        for name, variable in wanted.items():
            info = found[name]
            assert same(info["value"], variable.value)
            assert (info["id"], info["type"], info["version"], info["constraints"], info["source"]) == (
                variable.id,
                variable.type,
                variable.version,
                variable.constraints,
                "python",
            )

    @rule(name=st.none() | NAMES)
    def forget(self, name: str | None) -> None:
        self.context.invalidate_cache(name)

    @invariant()
    def the_counts_make_sense(self) -> None:
        stats = self.context.get_cache_stats()
        assert stats["size"] <= len(self.model.variables)
        assert 0.0 <= stats["hit_rate"] <= 1.0

    # ---- within

    def both(
        self, ours: Callable[[], Any], models: Callable[[], Any], agree: Callable[[Any, Any], Any]
    ) -> None:
        """Has the client and the model do the same: both succeed alike, or both refuse alike."""
        found, error = outcome(ours, BridgeError)
        wanted, refused = outcome(models, RefusedError)
        assert type(error) is (type(None) if refused is None else refused.cls), (error, refused)
        if isinstance(error, BatchError):
            assert {name: type(each) for name, each in error.errors.items()} == refused.items
        assert error is not None or agree(found, wanted), (found, wanted)

    def same_write(self, found: Any, wanted: Variable) -> bool:
        return (found.version, found.revision) == (wanted.version, self.model.revision) and same(
            found.value, wanted.value
        )

    def refuses(self, call: Callable[[], Any]) -> None:
        _, error = outcome(call, BridgeError)
        assert type(error) is InvalidInputError


def outcome(call: Callable[[], Any], kind: type[Exception]) -> tuple[Any, Any]:
    """Returns what a call returned, or the error of that kind that it raised."""
    try:
        return call(), None
    except kind as error:
        return None, error


def test_a_client_does_as_the_model_says(shell: Shell, bridge: str) -> None:
    check(shell, lambda name: shell.cls(f"{name} {shell.name}", address=bridge, ttl=600.0, timeout=30.0))


def test_a_fake_session_does_as_the_model_says(shell: Shell) -> None:
    check(shell, lambda name: shell.fake(name, ttl=600.0))


def check(shell: Shell, make: Callable[[str], Any]) -> None:
    with shell.driven() as run:

        def machine() -> Machine:
            return Machine(make, run)

        chosen = machine if SEED is None else seed(int(SEED))(machine)
        run_state_machine_as_test(chosen, settings=SETTINGS)
