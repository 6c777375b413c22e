"""Both shells against accidents."""

from __future__ import annotations

import asyncio
import contextlib
import math
import pickle
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
import pytest_asyncio
from scripted import Stage, fails, held, never, reads, reads_many, says, staged, talking, writes
from shells import SHELLS, Context, Shell, until

from snakepit_bridge import (
    AuthError,
    ClosedError,
    ConstraintError,
    DeadlineError,
    InternalError,
    LimitError,
    OutcomeUnknownError,
    SessionNotFoundError,
    UnavailableError,
    VariableNotFoundError,
)
from snakepit_bridge._gen import variables_pb2

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
NOT_FOUND = grpc.StatusCode.NOT_FOUND


@pytest_asyncio.fixture
async def stage(shell: Shell) -> AsyncIterator[Stage]:
    async with staged(shell) as stage:
        yield stage


def request_ids(stage: Stage) -> list[tuple[bytes, int]]:
    messages = [variables_pb2.SetVariableRequest.FromString(request) for _, request in stage.requests]
    return [(message.request_id.client_id, message.request_id.sequence) for message in messages]


# ---- reads


@pytest.mark.asyncio
async def test_a_read_is_tried_again_while_the_bridge_is_busy(stage: Stage) -> None:
    stage.play(fails(UNAVAILABLE), fails(UNAVAILABLE), reads(1.5))
    async with stage.context() as context:
        assert await context.get_variable("x") == 1.5
        assert context.get_cache_stats()["fetches"] == 1
    assert [0 < pause <= 0.2 for pause in stage.pauses] == [True, True]


@pytest.mark.asyncio
async def test_a_read_gives_up_before_its_time_is_up(stage: Stage) -> None:
    stage.play(*[fails(UNAVAILABLE)] * 50)
    async with stage.context(timeout=4.0) as context:
        with pytest.raises(UnavailableError, match=stage.address) as caught:
            await context.get_variable("x")
    assert sum(stage.pauses) < 4.0
    assert len(stage.requests) == len(stage.pauses) + 1 >= 5
    assert caught.value.retryable
    assert isinstance(caught.value.__cause__, grpc.RpcError)


@pytest.mark.asyncio
async def test_a_read_without_an_answer_is_out_of_time(stage: Stage) -> None:
    stage.play(reads(1.0), never)
    async with stage.context(cache="off") as context:
        await context.get_variable("x")
        with pytest.raises(DeadlineError, match=r"within 0\.2 s"):
            await context.get_variable("x", default=5, timeout=0.2)
    assert len(stage.requests) == 2


@pytest.mark.asyncio
@pytest.mark.parametrize("code", [grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN])
async def test_a_read_is_made_again_after_an_accident_of_the_transport(
    stage: Stage, code: grpc.StatusCode
) -> None:
    stage.play(fails(code), fails(code, text="Internal error from Core"), reads(2.5))
    async with stage.context() as context:
        assert await context.get_variable("x") == 2.5
        stage.play(fails(code, "INTERNAL"))
        with pytest.raises(InternalError, match=r"^by script$"):
            await context.get_variable("x", bypass_cache=True)
    assert len(stage.requests) == 4


@pytest.mark.asyncio
async def test_a_read_goes_on_over_a_new_connection(stage: Stage) -> None:
    stage.play(stage.cut(), reads(2.5))
    async with stage.context() as context:
        assert await context.get_variable("x") == 2.5
    assert len(stage.requests) == 2


@pytest.mark.asyncio
async def test_a_stream_whose_reader_fails_in_a_way_that_nobody_has_thought_of_has_ended(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.play(reads(1.0), reads(2.0), reads(3.0))
    async with stage.context(cache="off", timeout=20.0) as context:
        assert await context.get_variable("x") == 1.0
        link = stage.shell.link(context)
        receive = link.receive

        def fail_once(*_: Any) -> None:
            monkeypatch.setattr(link, "receive", receive)
            raise LookupError("what is this")

        monkeypatch.setattr(link, "receive", fail_once)
        assert await context.get_variable("x") == 3.0
    assert len(stage.channels) == 2


# ---- writes


@pytest.mark.asyncio
async def test_a_write_is_sent_again_under_the_same_name(stage: Stage) -> None:
    """[ORD-15 accepts]"""
    stage.play(
        fails(UNAVAILABLE),
        fails(UNAVAILABLE, "SHUTTING_DOWN"),
        stage.cut(),
        fails(grpc.StatusCode.INTERNAL),
        fails(grpc.StatusCode.UNKNOWN),
        writes(1.0, 7),
    )
    async with stage.context(timeout=60.0) as context:
        written = await context.set_variable("x", 1.0)
        assert (written.version, written.revision) == (7, 7)
        stage.play(writes(2.0, 8))
        await context.set_variable("x", 2.0)
    ids = request_ids(stage)
    assert len(set(ids[:6])) == 1
    assert [sequence for _, sequence in ids[5:]] == [1, 2]
    assert len(set(stage.requests[:6])) == 1
    assert len(stage.pauses) >= 4


@pytest.mark.asyncio
async def test_a_write_without_an_answer_has_an_unknown_outcome(stage: Stage) -> None:
    """[ORD-16 refuses]"""
    async with stage.context() as context:
        stage.play(reads(1.0), never, reads(3.0, 2))
        await context.get_variable("x")
        with pytest.raises(OutcomeUnknownError, match="may or may not"):
            await context.set_variable("x", 2.0, timeout=0.2)
        assert await context.get_variable("x") == 3.0


@pytest.mark.asyncio
async def test_a_write_whose_bridge_is_gone_has_an_unknown_outcome(stage: Stage) -> None:
    async def gone(request: bytes, context: Any) -> bytes:
        asyncio.ensure_future(stage.line.close())  # noqa: RUF006 - it ends with the line
        return await never(request, context)

    stage.play(gone)
    async with stage.context() as context:
        with pytest.raises(OutcomeUnknownError):
            await context.increment("x")
    assert len(stage.requests) == 1
    assert 3.0 < sum(stage.pauses) < 5.0


@pytest.mark.asyncio
async def test_a_write_that_was_never_handed_over_was_not_carried_out(stage: Stage) -> None:
    """[ORD-16 accepts]"""
    await stage.line.close()
    async with stage.context() as context:
        with pytest.raises(UnavailableError) as caught:
            await context.set_variable("x", 1.0)
    assert stage.address in str(caught.value)
    assert f"npx snakepit-bridge serve --port {stage.line.port}" in str(caught.value)
    assert not isinstance(caught.value, OutcomeUnknownError)


@pytest.mark.asyncio
async def test_close_ends_a_write_that_pauses_after_a_refusal(stage: Stage) -> None:
    """[ORD-16 refuses]"""
    stage.play(stage.cut(), fails(UNAVAILABLE, "SHUTTING_DOWN"))
    context = stage.context(timeout=600.0)
    # The clock stands, so the pause does not end by itself.
    context._methods.now = lambda: 100.0 + sum(stage.pauses)
    writing = asyncio.ensure_future(context.set_variable("x", 1.0))
    await stage.received_all(2)
    await until(lambda: stage.shell.link(context).due is not None)
    await context.close()
    with pytest.raises(OutcomeUnknownError):
        await asyncio.wait_for(writing, 20.0)


@pytest.mark.asyncio
async def test_a_refusal_ends_the_attempts(stage: Stage) -> None:
    stage.play(fails(grpc.StatusCode.FAILED_PRECONDITION, "CONSTRAINT_VIOLATED", text="too high"))
    async with stage.context() as context:
        with pytest.raises(ConstraintError, match=r"^too high$"):
            await context.set_variable("x", 1.0)
    assert not stage.pauses


@pytest.mark.asyncio
async def test_a_deadline_that_the_bridge_saw_pass_is_a_definite_refusal(stage: Stage) -> None:
    stage.play(fails(grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED"))
    async with stage.context() as context:
        with pytest.raises(DeadlineError):
            await context.set_variable("x", 1.0)


@pytest.mark.asyncio
async def test_a_repeated_deletion_of_the_session_may_find_it_gone(stage: Stage) -> None:
    gone = fails(NOT_FOUND, "SESSION_NOT_FOUND")
    stage.play(stage.cut(), gone)
    async with stage.context() as context:
        await context.delete_session()
        stage.play(gone)
        with pytest.raises(SessionNotFoundError):
            await context.delete_session()


@pytest.mark.asyncio
async def test_a_server_that_never_says_a_word(shell: Shell) -> None:
    """[ORD-16 accepts]"""
    async with talking(b"") as address, shell.context("s", address=address, timeout=0.2) as context:
        with pytest.raises(DeadlineError, match=r"within 0\.2 s"):
            await context.get_variable("x", default=5)
        with pytest.raises(UnavailableError, match="could not be connected in time"):
            await context.set_variable("x", 1.0)


@pytest.mark.asyncio
async def test_a_server_that_speaks_another_language(shell: Shell) -> None:
    unavailable = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    async with talking(unavailable) as address, shell.context("s", address=address) as context:
        with pytest.raises(UnavailableError, match=address):
            await context.get_variable("x", default=5)
        with pytest.raises(UnavailableError, match=address):
            await context.set_variable("x", 1.0)


@pytest.mark.asyncio
async def test_a_bridge_that_left_between_two_calls_was_not_given_the_second(
    shell: Shell, stage: Stage
) -> None:
    """[ORD-16 accepts]"""
    stage.play(writes(1.0))
    async with stage.context() as context:
        await context.set_variable("x", 1.0)
        await stage.line.close()
        await until(lambda: not shell.is_connected(context))
        with pytest.raises(UnavailableError):
            await context.set_variable("x", 2.0)


@pytest.mark.asyncio
async def test_a_bridge_that_comes_back_is_found_again(stage: Stage) -> None:
    stage.play(reads(1.0), reads(2.0, 2))
    async with stage.context(cache="off") as context:
        assert await context.get_variable("x") == 1.0
        await stage.line.close()
        with pytest.raises(UnavailableError):
            await context.get_variable("x")
        await stage.line.open()
        # Not at once: a channel looks again within a second.
        value = None
        while value is None:
            with contextlib.suppress(UnavailableError):
                value = await context.get_variable("x")
            await asyncio.sleep(0.01)
        assert value == 2.0


# ---- answers that are not a bridge's


@pytest.mark.asyncio
@pytest.mark.parametrize("trailer", [b"", b"\xff\xff\xff", b"\x0a\x02\x08\x01"])
async def test_a_trailer_that_is_garbage_is_as_none(stage: Stage, trailer: bytes) -> None:
    stage.play(fails(NOT_FOUND, trailer=trailer))
    async with stage.context() as context:
        with pytest.raises(InternalError, match="gRPC status 5: by script") as caught:
            await context.get_variable("x", default=1)
    assert caught.value.reason == "PROTOCOL"


@pytest.mark.asyncio
async def test_an_answer_that_is_garbage_is_the_bridges_bug(stage: Stage) -> None:
    stage.play(says(b"\xff\xff"), says(b"\xff\xff"))
    async with stage.context() as context:
        with pytest.raises(InternalError, match="makes no sense"):
            await context.get_variable("x")
        with pytest.raises(OutcomeUnknownError):
            await context.set_variable("x", 1.0)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("code", "cls", "text"),
    [
        (grpc.StatusCode.UNIMPLEMENTED, InternalError, "not as a Snakepit Bridge of this version"),
        (grpc.StatusCode.UNAUTHENTICATED, AuthError, "by script"),
        (grpc.StatusCode.PERMISSION_DENIED, AuthError, "by script"),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, LimitError, "by script"),
    ],
)
async def test_statuses_of_others_are_definite(
    stage: Stage, code: grpc.StatusCode, cls: type[Exception], text: str
) -> None:
    stage.play(fails(code), fails(code))
    async with stage.context() as context:
        with pytest.raises(cls, match=text):
            await context.get_variable("x")
        with pytest.raises(cls, match=text):
            await context.set_variable("x", 1.0)


# ---- cancelling and closing


@pytest.mark.asyncio
async def test_a_given_channel_that_is_closed_under_a_call(shell: Shell, stage: Stage) -> None:
    """[ORD-16 accepts]"""
    channel = shell.channel(stage.address)
    context = shell.context("s", channel)
    stage.play(never, never)
    read = asyncio.ensure_future(context.get_variable("x"))
    write = asyncio.ensure_future(context.set_variable("x", 1.0))
    await stage.received_all(2)
    await shell.close(channel)
    with pytest.raises(UnavailableError, match="given channel"):
        await read
    with pytest.raises(OutcomeUnknownError):
        await write
    with pytest.raises(UnavailableError, match="the channel is closed"):
        await context.set_variable("x", 1.0)


@pytest.mark.asyncio
async def test_close_ends_what_is_under_way_and_every_call_after_it(stage: Stage) -> None:
    context = stage.context()
    stage.play(never, never, never)
    reads_under_way = [
        asyncio.ensure_future(context.get_variable("x")),
        asyncio.ensure_future(context.get_variable("y", bypass_cache=True)),
    ]
    write = asyncio.ensure_future(context.set_variable("x", 1.0))
    await stage.received_all(3)
    await context.close()
    await context.close()
    for read in reads_under_way:
        with pytest.raises(ClosedError):
            await read
    with pytest.raises(OutcomeUnknownError):
        await write
    calls: list[Any] = [
        lambda: context.create_session(),
        lambda: context.get_variable("x", default=1),
        lambda: context.get_variable("x", bypass_cache=True),
        lambda: context.read("x"),
        lambda: context.get_variables([]),
        lambda: context.set_variable("x", 1),
        lambda: context.increment("x"),
        lambda: context.update_variable("x", abs),
        lambda: context.update_variables({}),
        lambda: context.set_variables({}),
        lambda: context.wait_for("x"),
        lambda: context.register_variable("x", "float", 1),
        lambda: context.ensure_variable("x", "float", 1),
        lambda: context.delete_variable("x"),
        lambda: context.list_variables(),
        lambda: context.get_history("x"),
        lambda: context.heartbeat(),
        lambda: context.delete_session(),
        lambda: context.__aenter__(),
    ]
    for call in calls:
        with pytest.raises(ClosedError, match="'s' is closed"):
            await call()
    for plain in (
        lambda: context.set_cache_ttl(1),
        lambda: context.invalidate_cache(),
        lambda: context.get_cache_stats(),
    ):
        with pytest.raises(ClosedError):
            plain()


@pytest.mark.asyncio
async def test_close_leaves_a_given_channel_open(shell: Shell, stage: Stage) -> None:
    async with shell.lent(stage.address) as channel:
        stage.play(reads(1.0), reads(2.0))
        async with shell.context("s", channel) as context:
            assert await context.get_variable("x") == 1.0
        async with shell.context("s", channel) as context:
            assert await context.get_variable("x") == 2.0


@pytest.mark.asyncio
async def test_close_before_any_call_is_fine(shell: Shell) -> None:
    context = shell.context("s")
    await context.close()
    await context.close()


# ---- the cache and shared fetches


@pytest.mark.asyncio
async def test_a_call_that_is_older_than_the_ttl_is_not_joined(stage: Stage) -> None:
    """[ORD-21 refuses]"""
    gate = asyncio.Event()
    stage.play(held(gate, reads(1.0)), reads(2.0, 2))
    async with stage.context(ttl=10.0, timeout=15.0) as context:
        early = asyncio.ensure_future(context.get_variable("x"))
        await stage.received_all(1)
        # As if so much time had passed.
        stage.pauses.append(10.0)
        assert await context.get_variable("x") == 2.0
        gate.set()
        assert await early == 1.0


@pytest.mark.asyncio
async def test_a_fetch_from_before_an_own_write_is_not_joined(stage: Stage) -> None:
    release = asyncio.Event()

    async def slowly(request: bytes, context: Any) -> bytes:
        await release.wait()
        return await reads(1.0, 1)(request, context)

    stage.play(slowly, writes(2.0, 2), reads(2.0, 2))
    async with stage.context() as context:
        early = asyncio.ensure_future(context.get_variable("x"))
        await stage.received.wait()
        await context.set_variable("x", 2.0)
        context.set_cache_ttl(0)
        context.set_cache_ttl(1)
        context.invalidate_cache("x")
        assert await context.get_variable("x") == 2.0
        release.set()
        assert await early == 1.0
        assert await context.get_variable("x") == 2.0


@pytest.mark.asyncio
async def test_many_names_are_fetched_in_one_call_without_those_that_are_known(stage: Stage) -> None:
    stage.play(reads(1.0, name="a"), reads_many(b=2.0, c=3.0))
    async with stage.context() as context:
        await context.get_variable("a")
        assert await context.get_variables(["c", "a", "b", "a"]) == {"c": 3.0, "a": 1.0, "b": 2.0}
        assert await context.get_variables(iter(["b", "c"])) == {"b": 2.0, "c": 3.0}
    request = variables_pb2.GetVariablesRequest.FromString(stage.requests[1][1])
    assert list(request.identifiers) == ["c", "b"]
    assert len(stage.requests) == 2


@pytest.mark.asyncio
async def test_a_batch_joins_what_others_fetch_already(stage: Stage) -> None:
    release = asyncio.Event()

    async def slowly(request: bytes, context: Any) -> bytes:
        await release.wait()
        return await fails(NOT_FOUND, "VARIABLE_NOT_FOUND")(request, context)

    stage.play(slowly, reads(2.0, name="b"))
    async with stage.context() as context:
        single = asyncio.ensure_future(context.get_variable("a"))
        await stage.received.wait()
        batch = asyncio.ensure_future(context.get_variables(["a", "b"], {"a": None}))
        await stage.received_all(2)
        release.set()
        assert await batch == {"a": None, "b": 2.0}
        with pytest.raises(VariableNotFoundError):
            await single


@pytest.mark.asyncio
async def test_mode_off_always_asks(stage: Stage) -> None:
    stage.play(reads(1.0), reads(2.0, 2), writes(3.0, 3), reads(4.0, 4), reads_many(x=5.0, y=6.0))
    async with stage.context(cache="off") as context:
        assert await context.get_variable("x") == 1.0
        assert (await context.read("x")).source == "server"
        await context.set_variable("x", 3.0)
        assert await context.get_variable("x") == 4.0
        assert await context.get_variables(["x", "y"]) == {"x": 5.0, "y": 6.0}
        assert context.get_cache_stats() == {
            "hits": 0,
            "misses": 0,
            "evictions": 0,
            "fetches": 4,
            "size": 0,
            "hit_rate": 0.0,
        }
        with pytest.raises(ValueError, match='cache="off"'):
            context.set_cache_ttl(1)


# ---- making, naming, moving a context


@pytest.mark.asyncio
async def test_the_token_goes_with_every_call_and_is_shown_nowhere(stage: Stage) -> None:
    stage.play(reads(1.0))
    async with stage.context(token="s3cret") as context:
        await context.get_variable("x")
        assert "s3cret" not in repr(context)
        assert "token='***'" in repr(context)
    assert stage.metadata[0]["authorization"] == "Bearer s3cret"


@pytest.mark.asyncio
async def test_without_a_token_none_is_sent(stage: Stage) -> None:
    stage.play(reads(1.0))
    async with stage.context() as context:
        await context.get_variable("x")
        shown_as = stage.shell.shown_as
        assert repr(context) == f"{shown_as}('s', address='{stage.address}', cache='ttl', ttl=60)"
    assert "authorization" not in stage.metadata[0]


def test_the_address_comes_from_the_environment_if_it_is_not_given(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SNAKEPIT_BRIDGE_ADDRESS", "example.test:1")
    assert "'example.test:1'" in repr(shell.context("s"))
    assert "'other.test:2'" in repr(shell.context("s", address="other.test:2"))
    monkeypatch.delenv("SNAKEPIT_BRIDGE_ADDRESS")
    assert "'127.0.0.1:50051'" in repr(shell.context("s"))


@pytest.mark.parametrize(
    ("options", "cls", "text"),
    [
        ({"cache": "none"}, ValueError, "'none'"),
        ({"ttl": -1}, ValueError, "0 or more seconds"),
        ({"ttl": math.nan}, ValueError, "0 or more seconds"),
        ({"max_stale": -1}, ValueError, "0 or more seconds"),
        ({"max_stale": math.nan}, ValueError, "0 or more seconds"),
        ({"timeout": 0}, ValueError, "above 0"),
        ({"timeout": math.nan}, ValueError, "above 0"),
        ({"token": ""}, ValueError, "ASCII"),
        ({"token": "a\nb"}, ValueError, "ASCII"),
        ({"token": "ż"}, ValueError, "ASCII"),
        ({"channel": object()}, TypeError, r"^channel must be a grpc(\.aio)?\.Channel, not object$"),
    ],
)
def test_options_without_a_meaning_are_refused(
    shell: Shell, options: dict[str, Any], cls: type[Exception], text: str
) -> None:
    with pytest.raises(cls, match=text):
        shell.context("s", **options)


@pytest.mark.asyncio
async def test_the_channel_of_the_other_shell_is_refused(shell: Shell) -> None:
    (other,) = [each for each in SHELLS if each is not shell]
    async with other.lent("localhost:1") as channel:
        with pytest.raises(TypeError, match="channel must be a grpc"):
            shell.context("s", channel)


@pytest.mark.parametrize("session_id", [5, None, b"s", "\ud800"])
def test_a_session_id_is_text(shell: Shell, session_id: Any) -> None:
    with pytest.raises(ValueError, match="session id"):
        shell.context(session_id)


@pytest.mark.asyncio
async def test_a_channel_excludes_address_and_token(shell: Shell) -> None:
    async with shell.lent("localhost:1") as channel:
        for options in ({"address": "localhost:1"}, {"token": "t"}):
            with pytest.raises(ValueError, match="either a channel or an address"):
                shell.context("s", channel, **options)
        shown = repr(shell.context("s", channel))
        assert shown == f"{shell.shown_as}('s', channel=…, cache='live', max_stale=30)"


@pytest.mark.asyncio
async def test_a_context_pickles_to_its_options(stage: Stage) -> None:
    stage.play(writes(1.0), writes(1.0))
    async with stage.context("s", cache="ttl", ttl=2.0, strict=True, timeout=3.0) as context:
        await context.set_variable("x", 1.0)
        context.set_cache_ttl(4.0)
        pickled = pickle.dumps(stage.shell.bare(context))
        copy: Context = stage.shell.awaitable(pickle.loads(pickled))  # noqa: TID251 - bytes made above
    async with copy:
        assert (repr(copy), copy.session_id) == (repr(context), "s")
        assert (copy._options.cache, copy._options.strict, copy._options.timeout) == ("ttl", True, 3.0)
        await copy.set_variable("x", 1.0)
    (first, _), (second, _) = request_ids(stage)
    assert first != second


@pytest.mark.asyncio
async def test_a_context_with_a_channel_does_not_pickle(shell: Shell) -> None:
    async with shell.lent("localhost:1") as channel:
        with pytest.raises(TypeError, match="cannot be pickled: give it address= instead"):
            pickle.dumps(shell.bare(shell.context("s", channel)))


def test_a_token_is_not_pickled(shell: Shell) -> None:
    with pytest.raises(
        TypeError, match="with a token cannot be pickled, which would write the token in clear"
    ):
        pickle.dumps(shell.bare(shell.context("s", token="secret")))


@pytest.mark.asyncio
@pytest.mark.parametrize("timeout", [0, -1, math.nan])
async def test_a_timeout_of_a_call_is_a_time(shell: Shell, timeout: float) -> None:
    async with shell.context("s") as context:
        with pytest.raises(ValueError, match="above 0"):
            await context.get_variable("x", timeout=timeout)


@pytest.mark.asyncio
async def test_a_call_may_wait_for_ever(stage: Stage) -> None:
    stage.play(reads(1.0))
    async with stage.context(timeout=math.inf) as context:
        assert await context.get_variable("x") == 1.0


@pytest.mark.asyncio
async def test_one_name_is_not_a_list_of_names(shell: Shell) -> None:
    async with shell.context("s") as context:
        with pytest.raises(TypeError, match="not one str"):
            await context.get_variables("abc")
