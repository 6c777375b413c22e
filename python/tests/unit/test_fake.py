"""A fake session is a session context in all but the server."""

from __future__ import annotations

import asyncio
import doctest
import inspect
import os
import pickle
import re
from collections.abc import Callable
from typing import Any

import pytest
from children import Child
from shells import Shell, until
from watch_records import Journal
from watches import Audited, Heard, short

from snakepit_bridge import (
    BatchError,
    ClosedError,
    ConflictError,
    ConstraintError,
    InvalidInputError,
    SessionNotFoundError,
    TypeMismatchError,
    VariableNotFoundError,
    WatchGapError,
)
from snakepit_bridge.testing import _sync as fake_module
from snakepit_bridge.testing._patterns import plain_pattern

JournalOf = Callable[..., Journal]


@pytest.fixture
def session(shell: Shell) -> Any:
    return shell.awaitable(shell.fake())


@pytest.mark.asyncio
async def test_it_defines_reads_and_writes(session: Any) -> None:
    variable = await session.register_variable("t", "float", 0.7, {"max": 2.0}, {"unit": "K"})
    written = await session.set_variable("t", 1, {"why": "test"})
    assert (written.version, written.revision, written.value) == (2, 2, 1.0)
    assert await session.get_variable(variable) == 1.0
    assert await session.get_variables(["t", "none"], {"none": 5}) == {"t": 1.0, "none": 5}
    info = (await session.list_variables())["t"]
    assert (info["type"], info["source"], info["constraints"]) == ("float", "python", {"max": 2.0})
    assert info["metadata"] == {"unit": "K", "why": "test"}
    assert await session.increment("t", 0.5) == 1.5
    await session.delete_variable("t")
    assert await session.get_variable("t", None) is None


@pytest.mark.asyncio
async def test_it_refuses_with_the_errors_of_a_bridge(session: Any) -> None:
    await session.register_variable("t", "float", 0.7, {"max": 2.0})
    with pytest.raises(ConstraintError, match="value 3 is above maximum 2") as caught:
        await session.set_variable("t", 3)
    assert (caught.value.session_id, caught.value.identifier, caught.value.constraint) == ("fake", "t", "max")
    with pytest.raises(ConflictError):
        await session.set_variable("t", 1, expected_version=7)
    with pytest.raises(BatchError) as refused:
        await session.set_variables({"t": 9, "other": 1})
    assert list(refused.value.errors) == ["t"]
    with pytest.raises(VariableNotFoundError):
        await session.get_variable("other")
    assert await session.update_variables({"t": 9, "other": 1}, atomic=False) == {
        "t": "value 9 is above maximum 2",
        "other": True,
    }


@pytest.mark.asyncio
async def test_it_creates_what_a_context_creates(shell: Shell) -> None:
    strict = shell.awaitable(shell.fake("s", strict=True))
    with pytest.raises(SessionNotFoundError):
        await strict.set_variable("x", 1)
    assert await strict.create_session(ttl=1.0) is True
    with pytest.raises(VariableNotFoundError):
        await strict.set_variable("x", 1)
    loose = shell.awaitable(shell.fake("s"))
    await loose.set_variable("x", 1)
    await loose.delete_session()
    with pytest.raises(SessionNotFoundError):  # ORD-14
        await loose.set_variable("x", 1)


@pytest.mark.asyncio
async def test_two_of_one_name_share_nothing(shell: Shell) -> None:
    one, other = shell.awaitable(shell.fake("s")), shell.awaitable(shell.fake("s"))
    await one.set_variable("x", 1)
    assert await other.get_variable("x", None) is None


@pytest.mark.asyncio
async def test_it_waits_for_what_the_test_sets(session: Any) -> None:
    waiting = asyncio.ensure_future(session.wait_for("x", lambda value: value == 2, timeout=20.0))
    await session.set_variable("x", 2)
    assert await waiting == 2


@pytest.mark.asyncio
async def test_a_json_value_comes_back_as_it_was(session: Any) -> None:
    await session.register_variable("j", "json", {"a": [1, 2.5, None]})
    assert await session.get_variable("j") == {"a": [1, 2.5, None]}
    await session.set_variable("j", 1.5)
    assert await session.get_variable("j") == 1.5


@pytest.mark.asyncio
async def test_it_ends_as_a_context_does(session: Any) -> None:
    async with session:
        await session.set_variable("x", 1)
    with pytest.raises(ClosedError):
        await session.get_variable("x")


@pytest.mark.asyncio
async def test_it_says_what_it_does_not_know(session: Any) -> None:
    await session.set_variable("x", 1)
    with pytest.raises(NotImplementedError, match="GetVariableHistory: test this with a real bridge"):
        await session.get_history("x")
    with pytest.raises(NotImplementedError, match="plain patterns only"):
        await session.register_variable("p", "string", "a", {"pattern": r"\pL"})
    assert "the rules of values only, without a server" in repr(session)


@pytest.mark.asyncio
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
async def test_a_forked_process_has_a_fake_of_its_own(shell: Shell) -> None:
    """[ORD-20 accepts]"""
    program = """
        import asyncio, inspect, os, warnings
        from snakepit_bridge import testing
        warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
        session = (testing if args[0] == "asyncio" else testing.sync).FakeSession()
        def play(number):
            async def main():
                for call in (
                    lambda: session.get_variable("x", None),
                    lambda: session.ready(timeout=5),
                    lambda: session.set_variable("x", number),
                    lambda: session.get_variable("x"),
                ):
                    result = call()
                    found = await result if inspect.isawaitable(result) else result
                assert found == session.peek("x") == number
            asyncio.run(main())
        play(1)
        child = os.fork()
        if child == 0:
            play(2)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert session.peek("x") == 1
        play(3)
    """
    ended = await (await Child.start(program, shell.name)).end()
    assert (ended.code, ended.stdout, ended.stderr) == (0, "", "")


def test_it_cannot_leave_its_process(shell: Shell) -> None:
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(shell.fake())


def test_it_is_made_with_the_options_that_mean_something(shell: Shell) -> None:
    real = inspect.signature(shell.cls).parameters
    fake = inspect.signature(shell.fake).parameters
    assert set(real) - set(fake) == {"channel", "address", "token"}
    for name in set(fake) - {"session_id"}:
        assert (fake[name].default, fake[name].kind) == (real[name].default, real[name].kind)
    # All methods are those of the context.
    assert not [name for name in vars(shell.fake) if not name.startswith("_")]


# ---- watches


@pytest.mark.asyncio
async def test_what_is_set_through_a_fake_is_told(shell: Shell, journal_of: JournalOf) -> None:
    context = shell.awaitable(shell.fake())
    journal = journal_of(context)
    reader, some = Audited(journal), Audited(journal, names=["x"], glob="z?")
    await reader.ready()
    await journal.set("x", 1, {"why": "test"})
    await journal.set_many(y="a", x=2)
    await context.increment("x")
    journal.made(x=3)
    await journal.register("z1", "json", [])
    await context.update_variables({"x": 5, "y": 5}, atomic=False)
    journal.made(x=5)
    await journal.delete("x")
    with pytest.raises(TypeMismatchError):
        await context.set_variable("y", 7)
    await journal.end()
    await journal.create()
    told = await reader.take(8)
    assert short(told) == [
        "1 created, x UNSET → 1",
        "2 changed, y UNSET → 'a', x 1 → 2",
        "3 changed, x 2 → 3",
        "4 changed, z1 UNSET → []",
        "5 changed, x 3 → 5",
        "6 changed, x 5 → UNSET",
        "7 deleted",
        "1 created",
    ]
    assert (told[0].metadata, told[0].source) == ({"why": "test"}, "python")
    assert told[5].changes[0].previous_version == 4
    assert short(await some.take(4))[1:] == [
        "2 changed, x 1 → 2",
        "3 changed, x 2 → 3",
        "4 changed, z1 UNSET → []",
    ]
    await context.close()
    with pytest.raises(ClosedError):
        await reader.next()


@pytest.mark.asyncio
async def test_a_watch_of_a_fake_resumes_and_says_where_it_cannot(
    shell: Shell, journal_of: JournalOf
) -> None:
    """[ORD-4 accepts] [ORD-4 refuses]"""
    async with shell.awaitable(shell.fake()) as context:
        journal = journal_of(context)
        await journal.create()
        first = Audited(journal)
        await first.ready()
        point = first.point
        await journal.set("x", 1)
        await journal.set("x", 2)
        again = Audited(journal, resumes_at=1, after=point)
        assert short(await again.take(2)) == ["2 changed, x UNSET → 1", "3 changed, x 1 → 2"]
        from_nowhere = Audited(journal, resumes_at=0, after="-0-0000000000000000")
        assert [event.revision for event in await from_nowhere.take(3)] == [1, 2, 3]
        await journal.end()
        await journal.create()
        gone = Audited(journal, resumes_at=1, after=point)
        with pytest.raises(WatchGapError):
            await gone.next()
        again = await gone.goes_on()
        await journal.set("x", 3)
        await again.read_all()
        for wrong in ({"glob": "\\"}, {"names": [""]}):
            with pytest.raises(InvalidInputError):
                await Audited(journal, **wrong).next()


@pytest.mark.asyncio
async def test_a_fake_calls_back_and_waits(shell: Shell, journal_of: JournalOf) -> None:
    async with shell.awaitable(shell.fake()) as context:
        told: list[Any] = []
        journal = journal_of(context)
        heard = Heard(journal, None, lambda event: told.append(event.changes[0].value), names=["x"])
        waiting = asyncio.ensure_future(context.wait_for("x", lambda x: x == 3, timeout=30))
        await until(lambda: context.get_cache_stats()["fetches"] == 1)
        for number in range(5):
            await journal.set("x", number)
        assert await waiting == 3
        await until(lambda: len(told) == 5)
        heard.listener.close()
        await journal.set("x", 7)
        assert told == list(range(5))


def test_its_example_is_true() -> None:
    result = doctest.testmod(fake_module)
    assert (result.failed, result.attempted) == (0, 4)


PLAIN = ["", "^a+$", r"\d{1,3}", "[a-z]*", "a|b", "(ab)?c", "(?:x|y)", r"a\.b", "x{2,}"]
OTHER = [
    "(?=a)",
    "(?i)a",
    r"\pL",
    "[[:alpha:]]",
    "(a+)+",
    "a++",
    "a{1000}",
    "*a",
    "(a",
    "[z-a]",
    r"\Z",
    r"\b",
]


@pytest.mark.parametrize("pattern", PLAIN)
def test_a_plain_pattern_is_one_for_re(pattern: str) -> None:
    assert plain_pattern(pattern).pattern == re.compile(pattern.replace("$", r"\Z"), re.ASCII).pattern


@pytest.mark.parametrize("pattern", [*OTHER, "a" * 1001])
def test_another_pattern_is_left_to_a_bridge(pattern: str) -> None:
    with pytest.raises(NotImplementedError):
        plain_pattern(pattern)
