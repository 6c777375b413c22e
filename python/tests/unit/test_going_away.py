"""Both clients with a bridge that goes away while it owes answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest
import pytest_asyncio
from scripted import Act, Stage, fails, held, never, sequences, staged, writes
from shells import Context, Shell, until
from watches import Audited

from snakepit_bridge import OutcomeUnknownError, Written


@pytest_asyncio.fixture
async def stage(shell: Shell) -> AsyncIterator[Stage]:
    async with staged(shell) as stage:
        yield stage


async def gone_away(stage: Stage, context: Context, act: Act, timeout: float = 30.0) -> asyncio.Task[Written]:
    """Has the bridge say that it goes away while one write is under way."""
    stage.play(act)
    owed = asyncio.ensure_future(context.set_variable("x", 1.0, timeout=timeout))
    await stage.received_all(1)
    stage.channels[0].say(going_away=True)
    await until(lambda: stage.shell.link(context).open is None)
    return owed


@pytest.mark.asyncio
async def test_a_bridge_that_goes_away_answers_what_it_has_and_gets_no_more(stage: Stage) -> None:
    gate = asyncio.Event()
    async with stage.context() as context:
        owed = await gone_away(stage, context, held(gate, writes(1.0, 1)))
        stage.play(writes(2.0, 2))
        later = asyncio.ensure_future(context.set_variable("x", 2.0))
        await until(lambda: bool(stage.shell.link(context).waiting))
        assert len(stage.channels) == 1
        gate.set()
        assert [(await each).revision for each in (owed, later)] == [1, 2]
        assert len(stage.channels) == 2
    assert not stage.pauses


@pytest.mark.asyncio
async def test_what_a_bridge_that_goes_away_does_not_answer_is_sent_before_what_came_later(
    stage: Stage,
) -> None:
    """[ORD-17 accepts]"""
    gate = asyncio.Event()
    async with stage.context(timeout=30.0) as context:
        owed = await gone_away(stage, context, held(gate, fails(grpc.StatusCode.UNAVAILABLE)))
        stage.play(writes(1.0, 1), writes(2.0, 2))
        later = asyncio.ensure_future(context.set_variable("x", 2.0))
        await until(lambda: bool(stage.shell.link(context).waiting))
        gate.set()
        assert [(await each).revision for each in (owed, later)] == [1, 2]
    assert sequences(stage) == [1, 1, 2]


@pytest.mark.asyncio
async def test_a_bridge_that_goes_away_is_not_waited_for_when_nobody_wants_its_answers(stage: Stage) -> None:
    async with stage.context(timeout=30.0) as context:
        owed = await gone_away(stage, context, never, timeout=1.0)
        stage.play(writes(2.0, 2))
        assert (await context.set_variable("x", 2.0)).revision == 2
        with pytest.raises(OutcomeUnknownError):
            await owed


@pytest.mark.asyncio
async def test_a_bridge_that_goes_away_is_not_waited_for_to_end_its_watches(stage: Stage) -> None:
    stage.play(writes(1.0, 2))
    async with stage.context() as context:
        reader = Audited(stage.journal, context)
        await reader.ready()
        stage.channels[0].say(going_away=True)
        await until(lambda: stage.shell.link(context).open is None)
        assert (await context.set_variable("x", 1.0)).revision == 2
        assert [each.ended for each in stage.channels] == [False, False]
