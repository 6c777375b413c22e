"""What watches tell, and when they begin and end, with a bridge."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import pickle
from collections.abc import Callable
from datetime import timezone
from pathlib import Path
from typing import Any

import pytest
from processes import ROOT, clocked_bridge
from shells import Context, Shell, in_thread, until
from watch_records import Journal
from watches import Audited, Heard, short

from snakepit_bridge import (
    UNSET,
    ClosedError,
    InvalidInputError,
    LimitError,
    SessionNotFoundError,
    VariableChange,
)

Make = Callable[..., Context]
JournalOf = Callable[..., Journal]


# ---- what is told


@pytest.mark.asyncio
async def test_it_tells_what_is_set_after_it_began(journal: Journal, session: Context) -> None:
    """[ORD-6 accepts]"""
    await journal.register("temperature", "float", 0.7)
    reader = Audited(journal)
    await journal.set("temperature", 0.9, {"why": "test"})
    await journal.set_many(temperature=1, calls=5)
    first, second = await reader.take(2)
    assert (first.kind, first.session_id, first.revision) == ("changed", session.session_id, 3)
    assert (first.source, first.metadata) == ("python", {"why": "test"})
    assert first.at.tzinfo is timezone.utc
    (change,) = first.changes
    assert (change.name, change.value, change.version) == ("temperature", 0.9, 2)
    assert (change.previous, change.previous_version) == (0.7, 1)
    assert short([second]) == [f"{second.revision} changed, temperature 0.9 → 1.0, calls UNSET → 5"]
    await reader.close()


@pytest.mark.asyncio
async def test_what_it_tells_is_frozen_and_json_is_new_each_time(journal: Journal) -> None:
    reader = Audited(journal)
    await journal.register("plan", "json", {"steps": []})
    await journal.set("plan", None)
    first, second = await reader.take(2)
    with pytest.raises(dataclasses.FrozenInstanceError):
        first.revision = 1  # type: ignore[misc]
    change = first.changes[0]
    with pytest.raises(dataclasses.FrozenInstanceError):
        change.name = "x"  # type: ignore[misc]
    change.value["steps"].append(1)  # type: ignore[index, union-attr, call-overload]
    assert change.value == {"steps": []}
    # null is a value, and absence is not.
    assert (second.changes[0].value, second.changes[0].previous) == (None, {"steps": []})
    assert change.previous is UNSET
    assert pickle.dumps(first)
    assert "value={'steps': []}, version=1, previous=UNSET, previous_version=None" in repr(first)
    assert isinstance(change, VariableChange)


@pytest.mark.asyncio
async def test_it_tells_only_what_was_asked_for(journal: Journal) -> None:
    named = Audited(journal, names=["a", "b"])
    matching = Audited(journal, glob="x*")
    both = Audited(journal, names=["a"], glob="x?")
    for name in ("c", "a", "x1", "b"):
        await journal.set(name, 1)
    await journal.set_many(a=2, c=2, x1=2)
    await journal.delete("b")
    await named.read_all()
    assert short(await matching.take(2)) == ["4 changed, x1 UNSET → 1", "6 changed, x1 1 → 2"]
    assert [event.revision for event in await both.take(3)] == [3, 4, 6]


@pytest.mark.asyncio
async def test_it_goes_on_beyond_the_end_of_its_session(make: Make, journal_of: JournalOf) -> None:
    """[ORD-13 accepts]"""
    async with make() as context, make() as other:
        journal = journal_of(context)
        audited = Audited(journal, other)
        await audited.ready()
        for life in range(3):
            await journal.create()
            await journal.set("x", life)
            await journal.set("x", life + 1, {"life": str(life)})
            await journal.delete("x")
            await journal.set("x", 7)
            await journal.end()
        await audited.read_all()
        assert audited.reading.events[-1].kind == "deleted"


BY_TYPESCRIPT = """
    import { connect } from "snakepit-bridge";
    const [, address, id] = process.argv;
    const client = connect(address);
    const session = await client.session(id);
    for (let x = 0; x < 20; x++)
        console.log(JSON.stringify(await session.set("x", x, { metadata: { of: `number ${x}` } })));
    await session.delete("x");
    await client.close();
"""


@pytest.mark.asyncio
async def test_it_tells_what_a_typescript_program_does(
    journal: Journal, session: Context, bridge: str
) -> None:
    """[ORD-6 accepts]"""
    reader, heard = Audited(journal), Heard(journal)
    await reader.ready()
    arguments = ("--input-type=module", "--eval", BY_TYPESCRIPT, bridge, session.session_id)
    pipe = asyncio.subprocess.PIPE
    program = await asyncio.create_subprocess_exec("node", *arguments, cwd=ROOT, stdout=pipe)
    printed, _ = await program.communicate()
    assert program.returncode == 0
    for written in map(json.loads, printed.splitlines()):
        side = {"x": (written["value"], written["version"])}
        metadata = {"of": f"number {written['value']}"}
        journal.note(side, revision=written["revision"], metadata=metadata, source="typescript")
    journal.note({"x": None}, source="typescript")
    await journal.set("x", "by Python")
    await reader.read_all()
    assert len(reader.reading.events) == 22
    await until(lambda: len(heard.events) == 22)


@pytest.mark.asyncio
async def test_an_event_that_is_longer_than_a_message_is_told_whole(journal: Journal) -> None:
    """[ORD-18 accepts]"""
    reader = Audited(journal)
    await journal.set_many(**{f"v{number}": "y" * 300_000 for number in range(5)})
    (event,) = await reader.take(1)
    assert [len(str(change.value)) for change in event.changes] == [300_000] * 5


@pytest.mark.asyncio
async def test_a_value_that_is_too_long_to_be_told_has_to_be_read(journal: Journal) -> None:
    await journal.set_many(**{f"v{number}": "y" * 900_000 for number in range(4)})
    reader = Audited(journal)
    await journal.set_many(**{f"v{number}": "z" * 1_000_000 for number in range(4)})
    (event,) = await reader.take(1)
    assert all(change.previous is UNSET and change.previous_version == 1 for change in event.changes)
    assert all(change.version == 2 for change in event.changes)


@pytest.mark.asyncio
async def test_two_on_one_context_are_told_each_for_itself(journal: Journal) -> None:
    all_of_it, some = Audited(journal), Audited(journal, names=["x"])
    await asyncio.gather(all_of_it.ready(), some.ready())
    for number in range(20):
        await journal.set("xy"[number % 2], number)
    await some.read_all()
    await some.close()
    await journal.set("x", 99)
    await all_of_it.read_all()
    assert await some.next() is None


@pytest.mark.asyncio
async def test_no_later_read_is_older_than_what_was_told(make: Make, journal_of: JournalOf) -> None:
    async with make() as context, make() as other:
        journal = journal_of(other)
        await journal.set_many(x=1, y=1)
        assert await context.get_variables(["x", "y"]) == {"x": 1, "y": 1}
        reader = Audited(journal, context)
        await reader.ready()
        await journal.set("x", 2)
        await reader.take(1)
        assert await context.get_variables(["x", "y"]) == {"x": 2, "y": 1}
        await journal.end()
        assert (await reader.take(1))[0].kind == "deleted"
        assert await context.get_variable("y", default=None) is None
        with pytest.raises(SessionNotFoundError):
            await context.set_variable("x", 3)


# ---- when it begins and ends


@pytest.mark.asyncio
async def test_it_ends_with_the_loop(shell: Shell, journal: Journal) -> None:
    reader = Audited(journal)
    watch: Any = reader.watch
    await journal.set("x", 1)
    if shell.is_blocking:

        def read() -> None:
            for event in watch:
                reader.note(event)
                break

        await in_thread(read)
    else:
        async for event in watch:
            reader.note(event)
            break
    assert short(reader.reading.events) == ["2 changed, x UNSET → 1"]
    assert await reader.next() is None
    with pytest.raises(ClosedError, match="the watch was ended"):
        await reader.ready()
    await reader.close()


@pytest.mark.asyncio
async def test_it_is_a_context_manager(shell: Shell, journal: Journal) -> None:
    reader = Audited(journal)
    watch: Any = reader.watch
    if shell.is_blocking:
        with watch as same:
            assert same is watch
    else:
        async with watch as same:
            assert same is watch
    assert await reader.next() is None


@pytest.mark.asyncio
async def test_one_that_nobody_holds_any_more_is_let_go(
    shell: Shell, journal: Journal, session: Context
) -> None:
    reader = Audited(journal)
    await reader.ready()
    link = shell.bare(session)._transport
    link = link._link._link if shell.is_blocking else link.home().link._link
    assert link.due is not None
    del reader
    await journal.set("x", 1)
    await session.get_variable("x", bypass_cache=True)
    assert link.due is None


@pytest.mark.asyncio
async def test_it_ends_with_its_context_after_what_has_come_is_read(
    make: Make, journal_of: JournalOf
) -> None:
    context = make()
    journal = journal_of(context)
    await journal.create()
    reader = Audited(journal)
    await reader.ready()
    await journal.set("x", 1)
    await context.close()
    assert short(await reader.take(1)) == ["2 changed, x UNSET → 1"]
    with pytest.raises(ClosedError, match="is closed: make a new one"):
        await reader.next()
    assert await reader.next() is None
    with pytest.raises(ClosedError):
        context.watch()


@pytest.mark.asyncio
async def test_it_keeps_its_session_alive_unless_it_is_passive(
    shell: Shell, tmp_path: Path, journal_of: JournalOf
) -> None:
    """[ORD-12 accepts]"""
    with clocked_bridge(tmp_path) as bridge:
        async with (
            shell.context("kept", address=bridge.address) as kept,
            shell.context("left", address=bridge.address) as left,
        ):
            life, short_life = journal_of(kept), journal_of(left)
            await life.create(ttl=1.0)
            await short_life.create(ttl=1.0)
            keeps, looks = Audited(life), Audited(short_life, passive=True)
            await keeps.ready()
            await looks.ready()
            bridge.advance(1_000)
            short_life.note(kind="expired", source="expiry")
            (event,) = await looks.take(1)
            assert (event.kind, event.source) == ("expired", "expiry")
            await life.set("x", 1)
            # Another life of it is told as well.
            await short_life.create()
            assert short(await looks.take(1)) == ["1 created"]
            assert short(await keeps.take(1)) == ["2 changed, x UNSET → 1"]


@pytest.mark.asyncio
async def test_one_that_cannot_be_is_refused(journal: Journal, session: Context) -> None:
    for wrong in ({"glob": "\\"}, {"names": [""]}):
        with pytest.raises(InvalidInputError):
            await Audited(journal, **wrong).next()
    with pytest.raises(LimitError):
        await Audited(journal, names=[f"n{number}" for number in range(1_001)]).ready()
    for at_once in ({"names": ["\ud800"]}, {"after": "7"}, {"after": 7}, {"glob": 7}):
        with pytest.raises(InvalidInputError):
            session.watch(**at_once)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="names is a list"):
        session.watch("x")
