"""A server that plays accidents, and a line that can be cut.

It knows nothing about variables: each act of a script says what happens to one call; answers are canned.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio
from shells import Context, Shell
from watch_messages import event_of
from watch_records import Journal
from watch_validators import check_readings

from snakepit_bridge._calls import detail_of
from snakepit_bridge._frames import Parts, in_field
from snakepit_bridge._gen import (
    any_pb2,
    channel_pb2,
    command_pb2,
    errors_pb2,
    state_pb2,
    status_pb2,
    values_pb2,
    variables_pb2,
)

LIFE = b"0123456789abcdef"

Act = Callable[[bytes, Any], Awaitable[bytes]]


def reads(value: float, revision: int = 1, name: str = "x") -> Act:
    """Answers GetVariable."""
    variable = values_pb2.Variable(
        id=f"var_{name}_1",
        name=name,
        type="VARIABLE_TYPE_FLOAT",
        value=values_pb2.Value(float=value),
        version=revision,
    )
    point = values_pb2.Revision(incarnation=LIFE, number=revision)
    return says(variables_pb2.GetVariableResponse(variable=variable, revision=point).SerializeToString())


def reads_many(revision: int = 1, **values: float) -> Act:
    """Answers GetVariables."""
    found = [
        {
            "identifier": name,
            "variable": {"id": f"var_{name}_1", "name": name, "type": 1, "value": {"float": value}},
        }
        for name, value in values.items()
    ]
    point = values_pb2.Revision(incarnation=LIFE, number=revision)
    return says(variables_pb2.GetVariablesResponse(found=found, revision=point).SerializeToString())


def writes(value: float, revision: int = 1, name: str = "x") -> Act:
    """Answers SetVariable and IncrementVariable, which look alike on the wire."""
    item = {"id": f"var_{name}_1", "type": 1, "version": revision, "value": {"float": value}}
    point = values_pb2.Revision(incarnation=LIFE, number=revision)
    return says(variables_pb2.SetVariableResponse(item=item, revision=point).SerializeToString())


def says(answer: bytes) -> Act:
    """Answers with these bytes."""

    async def act(_request: bytes, _context: Any) -> bytes:
        return answer

    return act


def fails(
    code: grpc.StatusCode, reason: str | None = None, trailer: bytes | None = None, text: str = "by script"
) -> Act:
    """Fails with a status, with or without a detail."""
    if reason is not None:
        detail = errors_pb2.ErrorDetail(reason=f"ERROR_REASON_{reason}", message=text)
        packed = any_pb2.Any(type_url="x/snakepit.bridge.v1.ErrorDetail", value=detail.SerializeToString())
        trailer = status_pb2.Status(code=code.value[0], details=[packed]).SerializeToString()

    async def act(_request: bytes, context: Any) -> bytes:
        if trailer is not None:
            context.set_trailing_metadata((("grpc-status-details-bin", trailer),))
        await context.abort(code, text)
        raise AssertionError

    return act


async def never(_request: bytes, _context: Any) -> bytes:
    """Never answers."""
    await asyncio.Event().wait()
    raise AssertionError


def held(gate: asyncio.Event, act: Act) -> Act:
    """Waits for a gate before the act."""

    async def wait(request: bytes, context: Any) -> bytes:
        await gate.wait()
        return await act(request, context)

    return wait


def sequences(stage: Stage) -> list[int]:
    """The numbers of the writes that came, in order."""
    messages = [variables_pb2.SetVariableRequest.FromString(request) for _, request in stage.requests]
    return [message.request_id.sequence for message in messages]


class Line:
    """A TCP line to the server that can be cut, with all calls on it."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._writers: set[asyncio.StreamWriter] = set()
        self._frozen: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    @property
    def connections(self) -> int:
        """How many stand."""
        return len(self._writers) // 2

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def lead_to(self, address: str) -> None:
        """Has new connections lead to another server."""
        self._target = int(address.rpartition(":")[2])

    def cut(self) -> None:
        """Ends the connections; new ones are possible."""
        for writer in self._writers:
            writer.transport.abort()

    def freeze(self) -> None:
        """Lets nothing through the connections any more, and tells nobody; new ones are possible."""
        self._frozen |= self._writers

    async def close(self) -> None:
        """Ends the connections, and takes no new ones until it is opened again."""
        if self._server is not None:
            self._server.close()
            self.cut()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._server = None

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        for source, target in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.ensure_future(self._pump(source, target))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65_536):
                if target in self._frozen:
                    continue
                target.write(data)
                await target.drain()
        except OSError:
            pass
        finally:
            target.transport.abort()
            self._writers.discard(target)
            self._frozen.discard(target)


class Stage:
    """Plays a script: call by call one act; what comes after its end fails the test."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self.script: list[Act] = []
        self.requests: list[tuple[str, bytes]] = []
        self.metadata: list[dict[str, str | bytes]] = []
        self.messages: list[channel_pb2.ChannelRequest] = []
        self.channels: list[Channel] = []
        self.watches: list[Watched] = []
        # What its watches tell. A session is there from the beginning.
        self.journal = Journal()
        self.journal.note()
        self.followers: list[Followed] = []
        # Whether a watch is told at once where it begins.
        self.stands = True
        # Answers who asks for the server's health: it is well, accidents happen to calls of the bridge.
        self.health: Act = healthy
        self.pauses: list[float] = []
        self.received = asyncio.Event()
        self.line: Line

    def play(self, *acts: Act) -> None:
        self.script.extend(acts)

    def cut(self) -> Act:
        """Receives the call and cuts the line."""

        async def act(request: bytes, context: Any) -> bytes:
            self.line.cut()
            return await never(request, context)

        return act

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.line.port}"

    def context(self, session_id: str = "s", **options: Any) -> Context:
        """A context whose pauses between attempts only move its clock."""
        # Real time passes in these tests, so no entry may expire by it.
        usual = {"cache": "ttl", "ttl": 60.0}
        context = self.shell.context(session_id, address=self.address, **{**usual, **options})
        self.shell.pass_pauses(context, self.pauses.append)
        context._methods.now = lambda: time.monotonic() + sum(self.pauses)
        return context

    async def received_all(self, count: int) -> None:
        """Waits until the server has received this many calls."""
        while len(self.requests) < count:
            self.received.clear()
            await self.received.wait()

    async def _handle(self, path: str, request: bytes, context: Any) -> bytes:
        self.requests.append((path.rpartition("/")[2], request))
        self.metadata.append(dict(context.invocation_metadata()))
        self.received.set()
        if not self.script:
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, f"{path} is not in the script")
        return await self.script.pop(0)(request, context)


async def healthy(_request: bytes, _context: Any) -> bytes:
    return b"\x08\x01"


async def stays_healthy(request: bytes, context: Any) -> AsyncIterator[bytes]:
    yield await healthy(request, context)
    await never(request, context)


class _Turn:
    """What an act sees of a command on a channel, with the manners of a unary call's context."""

    def __init__(self, metadata: Any) -> None:
        self._metadata = metadata
        self._trailer: Any = ()

    def invocation_metadata(self) -> Any:
        return self._metadata

    def set_trailing_metadata(self, trailer: Any) -> None:
        self._trailer = trailer

    async def abort(self, code: grpc.StatusCode, text: str) -> None:
        raise _AbortedError(code, text, self._trailer)


class _AbortedError(Exception):
    def __init__(self, code: grpc.StatusCode, text: str, trailer: Any) -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text
        self.trailer = trailer
        self.detail = detail_of(dict(trailer).get("grpc-status-details-bin"))


@dataclass(frozen=True)
class Watched:
    """A watch that a client has asked for."""

    channel: Channel
    number: int
    request: variables_pb2.WatchRequest

    def bookmark(self, revision: int = 1) -> None:
        """Tells where the session stands."""
        self.tell(variables_pb2.WatchResponse(bookmark=point(revision)))

    def event(self, revision: int, **values: float) -> None:
        """Tells a commit that sets these variables; those before it that were not told set another."""
        journal = self.channel.journal
        journal.reach(revision - 1, "script")
        if len(journal.commits) < revision:
            journal.made(source="script", **values)
        event = event_of(journal, revision - 1, self.request.session_id, point(revision))
        self.tell(variables_pb2.WatchResponse(event=event))

    def tell(self, told: variables_pb2.WatchResponse) -> None:
        self.channel.say(events=[{"id": self.number, "event": told.SerializeToString()}])

    def end(self, reason: str) -> None:
        """Ends it with an error."""
        detail = errors_pb2.ErrorDetail(reason=f"ERROR_REASON_{reason}", message="by script")
        reply = command_pb2.Reply(error=detail).SerializeToString()
        self.channel.say(replies=[{"id": self.number, "reply": reply}])


@dataclass(frozen=True)
class Followed:
    """The state of a session that a client has asked to be told."""

    channel: Channel
    number: int
    request: state_pb2.StateRequest

    def tell(self, base: int | None, revision: int, *changed: state_pb2.StateEntry) -> None:
        """Tells what takes one from a revision to another; from None: the whole session."""
        update = state_pb2.StateUpdate(
            base=None if base is None else point(base), revision=point(revision), changed=changed
        )
        self.say(update.SerializeToString())

    def say(self, data: bytes) -> None:
        self.channel.say(events=[{"id": self.number, "event": data}])

    def end(self, reason: str) -> None:
        """Ends it with an error."""
        detail = errors_pb2.ErrorDetail(reason=f"ERROR_REASON_{reason}", message="by script")
        reply = command_pb2.Reply(error=detail).SerializeToString()
        self.channel.say(replies=[{"id": self.number, "reply": reply}])


def point(revision: int) -> values_pb2.Revision:
    if revision == 0:
        return values_pb2.Revision()
    return values_pb2.Revision(incarnation=LIFE, number=revision, commit_check=revision)


class Channel:
    """A stream of a client: its commands are the calls of the script."""

    def __init__(self, stage: Stage, context: Any) -> None:
        self._stage = stage
        self._context = context
        self.journal = stage.journal
        self._said: asyncio.Queue[bytes | _AbortedError | None] = asyncio.Queue()
        self._acts: set[asyncio.Task[None]] = set()
        self._parts = Parts(2**30)
        self.ended = False
        stage.channels.append(self)

    def say(self, **fields: Any) -> None:
        self._said.put_nowait(channel_pb2.ChannelResponse(**fields).SerializeToString())

    async def serve(self, messages: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        reading = asyncio.ensure_future(self._read(messages))
        try:
            while (said := await self._said.get()) is not None:
                if isinstance(said, bytes):
                    yield said
                    continue
                self._context.set_trailing_metadata(said.trailer)
                await self._context.abort(said.code, said.text)
        finally:
            self.ended = True
            for task in (reading, *self._acts):
                task.cancel()

    async def _read(self, messages: AsyncIterator[bytes]) -> None:
        async for data in messages:
            message = channel_pb2.ChannelRequest.FromString(data)
            self._stage.messages.append(message)
            for frame in message.commands:
                whole = self._parts.add(frame.id, frame.command, frame.more)
                if whole is not None and frame.watch:
                    watched = Watched(self, frame.id, variables_pb2.WatchRequest.FromString(whole))
                    self._stage.watches.append(watched)
                    if self._stage.stands:
                        stood = self.journal.stands(len(self.journal.commits))
                        watched.bookmark(watched.request.after.number or stood)
                elif whole is not None and frame.state:
                    request = state_pb2.StateRequest.FromString(whole)
                    self._stage.followers.append(Followed(self, frame.id, request))
                elif whole is not None:
                    act = asyncio.ensure_future(self._play(frame.id, command_pb2.Command.FromString(whole)))
                    self._acts.add(act)
                    act.add_done_callback(self._acts.discard)
            self._stage.received.set()
        self._said.put_nowait(None)

    async def _play(self, number: int, command: command_pb2.Command) -> None:
        arm = command.WhichOneof("kind") or ""
        request = getattr(command, arm).SerializeToString()
        path = "".join(word.capitalize() for word in arm.split("_"))
        try:
            answer = await self._stage._handle(path, request, _Turn(self._context.invocation_metadata()))
        except _AbortedError as error:
            if error.detail is None:
                self._said.put_nowait(error)
                return
            reply = command_pb2.Reply(error=error.detail).SerializeToString()
        else:
            reply = in_field(command.DESCRIPTOR.fields_by_name[arm].number, answer)
        self.say(replies=[{"id": number, "reply": reply}])


class _Handler(grpc.GenericRpcHandler):
    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def _serve(self, messages: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        async for said in Channel(self._stage, context).serve(messages):
            yield said

    def service(self, details: Any) -> Any:
        if details.method == "/grpc.health.v1.Health/Check":
            return grpc.unary_unary_rpc_method_handler(self._stage.health)
        if details.method == "/grpc.health.v1.Health/Watch":
            return grpc.unary_stream_rpc_method_handler(stays_healthy)

        if details.method == "/snakepit.bridge.v1.ChannelService/Channel":
            return grpc.stream_stream_rpc_method_handler(self._serve)

        async def handle(request: bytes, context: Any) -> bytes:
            return await self._stage._handle(details.method, request, context)

        return grpc.unary_unary_rpc_method_handler(handle)


@asynccontextmanager
async def staged(shell: Shell) -> AsyncIterator[Stage]:
    """A stage with its server and line. At the end all that was read of its watches is checked."""
    stage = Stage(shell)
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((_Handler(stage),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    stage.line = Line(port)
    await stage.line.open()
    try:
        yield stage
    finally:
        await stage.line.close()
        await server.stop(None)
    check_readings(stage.journal)


@asynccontextmanager
async def talking(words: bytes) -> AsyncIterator[str]:
    """The address of a server that says this to whoever connects, and listens to nothing."""
    listening: set[asyncio.StreamWriter] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        listening.add(writer)
        writer.write(words)
        with contextlib.suppress(OSError):
            while await reader.read(65_536):
                pass
        writer.close()
        listening.discard(writer)

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for writer in listening:
            writer.transport.abort()
