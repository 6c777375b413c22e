"""What only the asyncio shell meets: cancellation, tasks, event loops."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import grpc
import grpc.aio
import pytest
import pytest_asyncio
from scripted import Stage, fails, never, reads, staged, talking
from shells import SHELLS, until
from watches import Audited

from snakepit_bridge import SessionContext, _link

(ASYNCIO,) = [shell for shell in SHELLS if not shell.is_blocking]
NOT_FOUND = grpc.StatusCode.NOT_FOUND


@pytest_asyncio.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged(ASYNCIO) as stage:
        yield stage


@pytest.mark.asyncio
async def test_cancelling_is_left_alone_and_makes_a_write_uncertain(stage: Stage) -> None:
    """[ORD-16 refuses]"""
    async with stage.context() as context:
        stage.play(reads(1.0), never)
        await context.get_variable("x")
        stage.received.clear()
        task = asyncio.ensure_future(context.set_variable("x", 2.0))
        await stage.received.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        stage.play(reads(2.0, 2))
        assert await context.get_variable("x") == 2.0


@pytest.mark.asyncio
async def test_a_timeout_of_the_caller_is_left_alone(stage: Stage) -> None:
    stage.play(never)
    async with stage.context() as context:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(context.get_variable("x", bypass_cache=True), 0.1)


@pytest.mark.asyncio
async def test_those_who_miss_at_the_same_time_share_one_fetch(stage: Stage) -> None:
    release = asyncio.Event()

    async def slowly(request: bytes, context: Any) -> bytes:
        await release.wait()
        return await reads(1.5)(request, context)

    stage.play(slowly)
    async with stage.context() as context:
        tasks = [asyncio.ensure_future(context.get_variable("x")) for _ in range(50)]
        batch = asyncio.ensure_future(context.get_variables(["x"]))
        await stage.received.wait()
        tasks[0].cancel()
        await asyncio.gather(tasks[0], return_exceptions=True)
        release.set()
        assert await asyncio.gather(*tasks[1:]) == [1.5] * 49
        assert await batch == {"x": 1.5}
        assert tasks[0].cancelled()
        stats = context.get_cache_stats()
        assert (stats["fetches"], stats["misses"], stats["hits"]) == (1, 51, 0)


@pytest.mark.asyncio
async def test_a_fetch_that_is_cancelled_under_those_who_wait_is_made_again(stage: Stage) -> None:
    stage.play(never, reads(1.5))
    async with stage.context() as context:
        task = asyncio.ensure_future(context.get_variable("x"))
        await stage.received.wait()
        (flight,) = [task for _, task in context._transport.home().flights._under_way.values()]
        flight.cancel()
        assert await task == 1.5


@pytest.mark.asyncio
async def test_a_fetch_that_all_have_left_still_fills_the_cache(stage: Stage) -> None:
    release = asyncio.Event()

    async def slowly(request: bytes, context: Any) -> bytes:
        await release.wait()
        return await reads(1.5)(request, context)

    stage.play(slowly)
    async with stage.context(ttl=60.0) as context:
        task = asyncio.ensure_future(context.get_variable("x"))
        await stage.received.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        (flight,) = [task for _, task in context._transport.home().flights._under_way.values()]
        release.set()
        await flight
        assert await context.get_variable("x") == 1.5
        assert len(stage.requests) == 1


@pytest.mark.asyncio
async def test_a_fetch_that_fails_for_nobody_is_nobodys_error(stage: Stage) -> None:
    release = asyncio.Event()

    async def slowly(request: bytes, context: Any) -> bytes:
        await release.wait()
        return await fails(NOT_FOUND, "SESSION_NOT_FOUND")(request, context)

    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    stage.play(slowly)
    async with stage.context() as context:
        task = asyncio.ensure_future(context.get_variable("x"))
        await stage.received.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        (flight,) = [task for _, task in context._transport.home().flights._under_way.values()]
        release.set()
        await asyncio.wait([flight])
    del flight, task
    gc.collect()
    assert complaints == []


def test_a_context_works_in_several_loops_in_turn() -> None:
    context: SessionContext | None = None

    async def use(value: float) -> None:
        nonlocal context
        async with staged(ASYNCIO) as stage:
            if context is None:
                context = stage.context(cache="off")
            context._transport._address = stage.address
            stage.play(reads(value))
            assert await context.get_variable("x") == value

    for number in range(3):
        asyncio.run(use(float(number)))
        gc.collect()
    assert context is not None
    assert len(context._transport._homes) == 1
    asyncio.run(context.close())


def test_a_context_with_a_channel_works_in_one_loop_and_says_so() -> None:
    """[ORD-19 refuses]"""

    async def first() -> SessionContext:
        async with staged(ASYNCIO) as stage, grpc.aio.insecure_channel(stage.address) as channel:
            context = SessionContext("s", channel)
            stage.play(reads(1.0))
            await context.get_variable("x")
            return context

    async def second(context: SessionContext) -> None:
        for _ in range(2):
            with pytest.raises(RuntimeError, match="belongs to another event loop"):
                await context.get_variable("x", bypass_cache=True)
            # As it does before a fork.
            context._transport.hold()

    context = asyncio.run(first())
    asyncio.run(second(context))
    asyncio.run(context.close())


@pytest.mark.asyncio
async def test_a_process_that_was_forked_without_a_word_is_told_what_to_do(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.play(reads(1.0))
    async with stage.context() as context:
        await context.get_variable("x")
        with monkeypatch.context() as forked:
            forked.setattr("snakepit_bridge._forking.os.getpid", lambda: -1)
            with pytest.raises(RuntimeError, match="forked without a word to Python"):
                await context.get_variable("x", bypass_cache=True)


class Cycle:
    """What only garbage collection finds."""

    def __init__(self, held: Any) -> None:
        self.held, self.cycle = held, self


def begun(work: Coroutine[Any, Any, Any]) -> Coroutine[Any, Any, Any]:
    """Goes as far as it comes by itself."""
    work.send(None)
    return work


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "begin",
    [
        lambda stage, context: Audited(stage.journal, context),
        lambda stage, context: aiter(Audited(stage.journal, context).watch),
        lambda _stage, context: begun(context.wait_for("x")),
    ],
    ids=["watch", "loop", "wait"],
)
async def test_what_is_collected_amid_the_links_work_is_let_go_of_after_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, begin: Any
) -> None:
    command_frames, withdraw = _link.command_frames, _link.Link.withdraw
    done: list[str] = []

    def collect_and_frame(*arguments: Any) -> Any:
        done.append("hand over")
        gc.collect()
        done.append("handed over")
        return command_frames(*arguments)

    def note_and_withdraw(link: _link.Link, errand: Any) -> Any:
        done.append("let go")
        return withdraw(link, errand)

    async with stage.context() as context:
        kept = Audited(stage.journal, context)
        await kept.ready()
        monkeypatch.setattr(_link, "command_frames", collect_and_frame)
        monkeypatch.setattr(_link.Link, "withdraw", note_and_withdraw)
        Cycle(begin(stage, context))
        await until(lambda: "let go" in done)
        assert done[:3] == ["hand over", "handed over", "let go"]
        await until(lambda: len(stage.watches) == 2)
        number = stage.watches[1].number
        await until(lambda: any(number in message.cancelled for message in stage.messages))


@pytest.mark.asyncio
async def test_one_who_waits_for_a_channel_that_is_given_up_goes_on_with_the_next(stage: Stage) -> None:
    good = stage.address
    # A server that says nothing: a channel to it neither connects nor fails.
    async with talking(b"") as silent, stage.context() as context:
        context._transport._address = silent
        link = context._transport.home().link
        stage.play(reads(1.0))
        reading = asyncio.ensure_future(context.get_variable("x"))
        dead = link.channel
        await until(lambda: dead.get_state() is grpc.ChannelConnectivity.CONNECTING)
        context._transport._address = good
        link.channel = link._renew()
        await dead.close()
        assert await reading == 1.0
