"""What happens and what is told is written down as it was, and no test goes without."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path

import pytest
from shells import Shell, until
from watch_records import Journal, Reading
from watch_validators import check_reading, check_readings
from watches import Audited, Heard

from snakepit_bridge import WatchGapError

TESTS = Path(__file__).resolve().parents[1]


def test_a_journal_with_a_hole_is_none() -> None:
    for number in (1, 3):
        journal = Journal()
        journal.note()
        journal.note({"x": (1, 1)}, revision=number)
        with pytest.raises(AssertionError):
            check_reading(journal, Reading(0))
    journal = Journal()
    journal.note({"x": (1, 1)}, revision=2)
    with pytest.raises(AssertionError):
        check_reading(journal, Reading(0))


def test_what_is_made_at_once_is_noted_in_the_order_of_its_revisions() -> None:
    journal = Journal()
    for revision in (1, 3, 2):
        journal.note({"x": (revision, revision)}, revision=revision)
    assert [commit.revision for commit in journal.commits] == [1, 2, 3]
    assert journal.before(2) == {"x": (2, 2)}


# ---- those who write down what they are told


@pytest.mark.asyncio
async def test_what_is_read_and_heard_is_held_against_the_journal(shell: Shell) -> None:
    for watches in (True, False):
        async with shell.awaitable(shell.fake()) as context:
            journal = Journal(context)
            await journal.create()
            reader = Audited(journal) if watches else None
            heard = None if watches else Heard(journal)
            await journal.set("x", 1)
            await context.set_variable("x", 2)
            # It was another value.
            journal.made(x=3)
            if reader is not None:
                await reader.take(2)
            else:
                assert heard is not None
                await until(lambda heard=heard: len(heard.events) == 2)  # type: ignore[misc]
            with pytest.raises(AssertionError):
                check_readings(journal)


@pytest.mark.asyncio
async def test_who_goes_on_after_a_gap_has_to_read_what_the_journal_says(shell: Shell) -> None:
    async with shell.awaitable(shell.fake()) as context:
        journal = Journal(context)
        await journal.create()
        await context.set_variable("x", 1)
        journal.made(x=2)
        gone = Audited(journal, after=f"{'00' * 16}-1-{'0' * 16}")
        with pytest.raises(WatchGapError):
            await gone.next()
        with pytest.raises(AssertionError):
            await gone.goes_on()


# ---- that nobody goes without them

OPENS = ("watch", "on_change")
DOORS = ("watches.py", "driver.py")
"""Who writes down what is told, and the other end of a process whose stories say what each event has."""


def opened_elsewhere(source: str) -> list[int]:
    """The lines that open a watch or a listener, but for those which have to raise and keep nothing."""
    tree = ast.parse(source)
    refused = {
        statement.value
        for block in ast.walk(tree)
        if isinstance(block, (ast.With, ast.AsyncWith)) and "raises" in ast.unparse(block.items[0])
        for statement in block.body
        if isinstance(statement, ast.Expr)
    }
    return sorted(
        call.lineno
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in OPENS
        and call not in refused
    )


def test_a_watch_that_is_opened_without_being_written_down_is_found() -> None:
    source = """
        audited = Audited(journal, names=["x"])
        with pytest.raises(TypeError):
            session.watch("x")
        program = "session.watch()"
        with pytest.raises(ClosedError):
            await Reader(context.watch()).next()
        listener = session.on_change(print)
    """
    assert opened_elsewhere(textwrap.dedent(source)) == [7, 8]


def test_no_test_opens_a_watch_without_writing_down_what_it_tells() -> None:
    sources = {path: path.read_text(encoding="utf-8") for path in TESTS.rglob("*.py")}
    assert len(sources) > 50
    for path, source in sources.items():
        assert path.name in DOORS or opened_elsewhere(source) == [], path
        # Whoever makes a journal, and does not get it from `journal_of`, checks what was read.
        assert "Journal(" not in source or "check_reading" in source or path.name == "watch_records.py", path
