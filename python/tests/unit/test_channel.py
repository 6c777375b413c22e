"""The asyncio client and its stream, against a bridge that plays accidents."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from children import Child
from scripted import Stage, held, never, reads, sequences, staged, writes
from shells import SHELLS, until

from snakepit_bridge import OutcomeUnknownError, SessionContext
from snakepit_bridge._gen import variables_pb2

(ASYNCIO,) = [shell for shell in SHELLS if not shell.is_blocking]


@pytest_asyncio.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged(ASYNCIO) as stage:
        yield stage


def ours() -> set[str]:
    """What runs of a client's streams."""
    names = {task.get_coro().__qualname__ for task in asyncio.all_tasks()}  # type: ignore[union-attr]
    return {name for name in names if name.startswith("AioLink.")}


# ---- messages


@pytest.mark.asyncio
async def test_what_is_asked_in_the_same_tick_leaves_in_one_message(stage: Stage) -> None:
    stage.play(*[reads(1.0)] * 128)
    async with stage.context(cache="off") as context:
        for _ in range(2):
            await asyncio.gather(*[context.get_variable("x") for _ in range(64)])
    assert [len(message.commands) for message in stage.messages] == [64, 64]
    assert [message.HasField("hello") for message in stage.messages] == [True, False]


@pytest.mark.asyncio
async def test_writes_arrive_in_the_order_in_which_they_were_begun(stage: Stage) -> None:
    """[ORD-17 accepts]"""
    stage.play(*[writes(1.0)] * 30)
    async with stage.context() as context:
        await asyncio.gather(*[context.set_variable("x", "y" * (number * 20_000)) for number in range(30)])
    assert sequences(stage) == list(range(1, 31))
    assert len(stage.channels) == 1


@pytest.mark.asyncio
async def test_a_value_longer_than_a_message_travels_in_parts(stage: Stage) -> None:
    """[ORD-18 accepts]"""
    stage.play(writes(1.0), writes(1.0))
    async with stage.context() as context:
        await asyncio.gather(context.set_variable("x", "y" * 1_000_000), context.set_variable("z", 1.0))
    assert len(stage.messages) >= 4
    assert all(message.ByteSize() <= 262_144 for message in stage.messages)
    assert sequences(stage) == [1, 2]


@pytest.mark.asyncio
async def test_one_who_goes_says_so(stage: Stage) -> None:
    stage.play(never, reads(1.0))
    async with stage.context(cache="off") as context:
        task = asyncio.ensure_future(context.set_variable("x", 1.0))
        await stage.received_all(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: any(message.cancelled for message in stage.messages))
        assert [list(each.cancelled) for each in stage.messages if each.cancelled] == [[1]]
        assert await context.get_variable("x") == 1.0
    assert len(stage.channels) == 1


@pytest.mark.asyncio
async def test_one_who_goes_before_anything_was_sent_sends_nothing(stage: Stage) -> None:
    await stage.line.close()
    stage.play(reads(1.0))
    async with stage.context(cache="off") as context:
        task = asyncio.ensure_future(context.set_variable("x", 1.0))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await stage.line.open()
        while not stage.requests:
            await asyncio.gather(context.get_variable("x"), return_exceptions=True)
    assert [path for path, _ in stage.requests] == ["GetVariable"]


# ---- the end of a stream


@pytest.mark.asyncio
async def test_what_was_lost_is_sent_again_in_its_old_order(stage: Stage) -> None:
    """[ORD-17 accepts]"""
    stage.play(never, never, never, *[writes(1.0)] * 5)
    async with stage.context(timeout=30.0) as context:
        tasks = [asyncio.ensure_future(context.set_variable("x", float(number))) for number in range(3)]
        await stage.received_all(3)
        stage.line.cut()
        tasks += [asyncio.ensure_future(context.set_variable("x", float(number))) for number in range(2)]
        await asyncio.gather(*tasks)
    assert sequences(stage) == [1, 2, 3, 1, 2, 3, 4, 5]
    assert len(stage.channels) == 2


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "replies",
    [
        [{"id": 1, "reply": b"a", "more": True}, {"id": 2, "reply": b"b"}],
        b"\xff\xff",
    ],
)
async def test_a_stream_that_makes_no_sense_is_given_up(stage: Stage, replies: Any) -> None:
    """[ORD-17 refuses]"""
    stage.play(never, never)
    async with stage.context(timeout=30.0) as context:
        read = asyncio.ensure_future(context.get_variable("x", bypass_cache=True))
        write = asyncio.ensure_future(context.set_variable("x", 1.0))
        await stage.received_all(2)
        if isinstance(replies, bytes):
            stage.channels[0]._said.put_nowait(replies)
        else:
            stage.channels[0].say(replies=replies)
        # As after any accident, all is asked again.
        stage.play(reads(2.5), writes(1.0, 2))
        assert (await read, (await write).revision) == (2.5, 2)
        assert [path for path, _ in stage.requests] == ["GetVariable", "SetVariable"] * 2
        await until(lambda: stage.channels[0].ended)


@pytest.mark.asyncio
async def test_a_stream_that_nobody_uses_is_let_go(stage: Stage) -> None:
    stage.play(reads(1.0), reads(2.0))
    async with stage.context(cache="off") as context:
        assert await context.get_variable("x") == 1.0
        await until(lambda: stage.channels[0].ended)
        await until(lambda: not ours())
        assert await context.get_variable("x") == 2.0
    assert len(stage.channels) == 2


@pytest.mark.asyncio
async def test_a_stream_is_kept_while_something_is_under_way(stage: Stage) -> None:
    gate = asyncio.Event()
    stage.play(held(gate, writes(1.0)))
    async with stage.context() as context:
        task = asyncio.ensure_future(context.set_variable("x", 1.0))
        await stage.received_all(1)
        (line,) = context._transport.home().link._lines.values()
        looks = {line.look.when()}
        await until(lambda: looks.add(line.look.when()) or len(looks) > 2)  # type: ignore[func-returns-value]
        gate.set()
        await task
    assert len(stage.channels) == 1


# ---- ends without a trace

PROGRAMS = {
    "closed": """
        async with SessionContext("s", address=args[0]) as context:
            await context.set_variable("x", 1.0)
    """,
    "not closed": """
        context = SessionContext("s", address=args[0])
        await context.set_variable("x", 1.0)
    """,
    "closed amid a call": """
        context = SessionContext("s", address=args[0])
        await context.set_variable("x", 1.0)
        call = asyncio.ensure_future(context.set_variable("x", 2.0))
        await asyncio.sleep(0)
        await context.close()
        await asyncio.wait([call])
        call.exception()
    """,
    "left amid a call": """
        context = SessionContext("s", address=args[0])
        await context.set_variable("x", 1.0)
        kept.append(asyncio.ensure_future(context.set_variable("x", 2.0)))
        await asyncio.sleep(0)
    """,
    "its channel closed under it": """
        channel = grpc.aio.insecure_channel(args[0])
        context = SessionContext("s", channel)
        await context.set_variable("x", 1.0)
        await channel.close()
    """,
    "its channel closed amid a call": """
        channel = grpc.aio.insecure_channel(args[0])
        context = SessionContext("s", channel)
        await context.set_variable("x", 1.0)
        call = asyncio.ensure_future(context.set_variable("x", 2.0))
        await asyncio.sleep(0.05)
        await channel.close()
        await asyncio.wait([call])
        call.exception()
        await context.close()
    """,
}


@pytest.mark.asyncio
@pytest.mark.parametrize("body", PROGRAMS.values(), ids=PROGRAMS)
async def test_a_program_ends_without_a_word(stage: Stage, body: str) -> None:
    async def answer_the_first(request: bytes, context: Any) -> bytes:
        value = variables_pb2.SetVariableRequest.FromString(request).item.value.float
        return await (writes(1.0) if value == 1.0 else never)(request, context)

    stage.play(*[answer_the_first] * 6)
    program = f"""
import asyncio, gc, logging, warnings
import grpc
from snakepit_bridge import SessionContext
logging.basicConfig(level=logging.WARNING)
warnings.simplefilter("always")
kept = []
async def main():
    # How long something takes is no fault here.
    asyncio.get_running_loop().slow_callback_duration = 60.0
    if True:{body}
for _ in range(3):
    asyncio.run(main(), debug=True)
gc.collect()
print("done")
"""
    ended = await (await Child.start(program, stage.address)).end()
    assert (ended.code, ended.stdout, ended.stderr) == (0, "done\n", "")


@pytest.mark.asyncio
async def test_a_context_can_be_used_again_where_its_loop_has_ended(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    stage.play(*[writes(1.0)] * 3)
    context = SessionContext("s", address=stage.address)

    def use() -> None:
        for _ in range(3):
            asyncio.run(context.set_variable("x", 1.0), debug=False)

    await asyncio.get_running_loop().run_in_executor(None, use)
    gc.collect()
    assert len(stage.channels) == 3
    assert not [record for record in caplog.records if record.name != "asyncio"]


@pytest.mark.asyncio
async def test_close_leaves_nothing_that_runs(stage: Stage) -> None:
    stage.play(writes(1.0), never)
    context = stage.context()
    await context.set_variable("x", 1.0)
    write = asyncio.ensure_future(context.set_variable("x", 2.0))
    await stage.received_all(2)
    await context.close()
    with pytest.raises(OutcomeUnknownError):
        await write
    await until(lambda: all(channel.ended for channel in stage.channels))
    assert not ours()
