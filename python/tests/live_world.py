"""A small world in virtual time for live reads: a bridge, lines to it, and one context.

Nothing here waits for anything: what happens later is put on a heap, and time is what the heap says. The
context is made of the client's own `Methods`, `Link`, `Following` and `Replica`; only the
shell around them is another one.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from snakepit_bridge._errands import Errand
from snakepit_bridge._frames import Parts
from snakepit_bridge._gen import (
    channel_pb2,
    command_pb2,
    errors_pb2,
    sessions_pb2,
    state_pb2,
    values_pb2,
    variables_pb2,
)
from snakepit_bridge._link import Link, Stream
from snakepit_bridge._methods import Methods
from snakepit_bridge._options import resolve_options
from snakepit_bridge._points import NOWHERE, ResumePoint, read_point
from snakepit_bridge._request_ids import RequestIds
from snakepit_bridge._retry import UNAVAILABLE
from snakepit_bridge._steps import Begin, Carry, News, Pause, Status

SESSION = "s"
HEARTBEAT = 2.0
LONGEST_DELAY = 0.2
"""How long a message takes at most, in seconds."""
LONGEST_TURN = 0.1
"""How long a bridge keeps an update to itself at most, so that it takes in later ones."""

Held = Mapping[str, tuple[str, int, int]]
"""The id, the version and the value of each variable."""


class Time:
    """What is due, in order."""

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._due, (self.now + max(0.0, seconds), next(self._order), act))

    def next(self, limit: float) -> bool:
        """Does the next thing that is due until a time; returns False if there is none."""
        if not self._due or self._due[0][0] > limit:
            self.now = limit
            return False
        self.now, _, act = heapq.heappop(self._due)
        act()
        return True


@dataclass(frozen=True)
class Moment:
    """What the session was from some time on; None: there was none."""

    since: float
    point: ResumePoint
    held: Held | None


class ModelBridge:
    """One session, and all that it ever was, one moment after the other.

    Args:
        time: The time.
        draw: Makes the choices that are a bridge's own.
    """

    def __init__(self, time: Time, draw: random.Random) -> None:
        self.time = time
        self.draw = draw
        self.moments = [Moment(0.0, NOWHERE, None)]
        self.lines: list[Line] = []
        self.is_up = True
        self._answered: dict[bytes, command_pb2.Reply] = {}

    @property
    def present(self) -> Moment:
        return self.moments[-1]

    # ---- what happens to the session

    def _move(self, point: ResumePoint, held: Held | None) -> None:
        self.moments.append(Moment(self.time.now, point, held))
        for line in self.lines:
            line.news()

    def create(self) -> None:
        if self.present.held is None:
            life = self.draw.randbytes(16)
            self._move(ResumePoint(life, 1, self.draw.getrandbits(64)), {})

    def commit(self, values: Mapping[str, int | None]) -> None:
        """Sets variables, and deletes those without a value."""
        held = dict(self.present.held or {})
        point = self.present.point
        number = point.number + 1
        for name, value in values.items():
            before = held.pop(name, None)
            if value is not None:
                born = f"var_{name}_{number}" if before is None else before[0]
                held[name] = (born, 1 if before is None else before[1] + 1, value)
        self._move(ResumePoint(point.incarnation, number, self.draw.getrandbits(64)), held)

    def end(self) -> None:
        """Deletes the session."""
        if self.present.held is not None:
            self._move(NOWHERE, None)

    def restart(self, *, forgets: bool) -> None:
        """Ends all lines; what was kept in memory only is lost."""
        for line in list(self.lines):
            line.cut()
        if forgets:
            self._answered.clear()
            self.end()

    # ---- what it answers

    def carry_out(self, data: bytes) -> command_pb2.Reply:
        command = command_pb2.Command.FromString(data)
        arm: Any = command.WhichOneof("kind")
        request = getattr(command, arm)
        name = request.request_id.SerializeToString() if hasattr(request, "request_id") else b""
        if name and name in self._answered:
            return self._answered[name]
        reply: command_pb2.Reply = getattr(self, f"_{arm}")(request)
        if name and reply.WhichOneof("kind") != "error":
            self._answered[name] = reply
        return reply

    def _refuse(self, reason: str, text: str) -> command_pb2.Reply:
        detail = errors_pb2.ErrorDetail(reason=f"ERROR_REASON_{reason}", message=text, session_id=SESSION)
        return command_pb2.Reply(error=detail)

    def _get_variable(self, request: Any) -> command_pb2.Reply:
        held = self.present.held
        if held is None:
            return self._refuse("SESSION_NOT_FOUND", "Session not found")
        if request.identifier not in held:
            return self._refuse("VARIABLE_NOT_FOUND", "Variable not found")
        answer = variables_pb2.GetVariableResponse(
            variable=self._variable(request.identifier), revision=self.present.point.message()
        )
        return command_pb2.Reply(get_variable=answer)

    def _get_variables(self, request: Any) -> command_pb2.Reply:
        held = self.present.held
        if held is None:
            return self._refuse("SESSION_NOT_FOUND", "Session not found")
        answer = variables_pb2.GetVariablesResponse(revision=self.present.point.message())
        for name in request.identifiers:
            if name in held:
                answer.found.add(identifier=name, variable=self._variable(name))
            else:
                answer.missing.append(name)
        return command_pb2.Reply(get_variables=answer)

    def _list_variables(self, _request: Any) -> command_pb2.Reply:
        if self.present.held is None:
            return self._refuse("SESSION_NOT_FOUND", "Session not found")
        variables = [self._variable(name) for name in sorted(self.present.held)]
        point = self.present.point.message()
        return command_pb2.Reply(
            list_variables=variables_pb2.ListVariablesResponse(variables=variables, revision=point)
        )

    def _set_variable(self, request: Any) -> command_pb2.Reply:
        name, held = request.item.identifier, self.present.held
        if held is None:
            if request.on_missing != variables_pb2.ON_MISSING_INFER:
                return self._refuse("SESSION_NOT_FOUND", "Session not found")
            self.create()
        expected = request.item.expected_version if request.item.HasField("expected_version") else None
        version = (self.present.held or {}).get(name, ("", 0, 0))[1]
        if expected not in (None, version):
            return self._refuse("VERSION_CONFLICT", "another version")
        self.commit({name: request.item.value.integer})
        variable = self._variable(name)
        item = variables_pb2.ItemSet(
            id=variable.id, version=variable.version, value=variable.value, type=variable.type
        )
        answer = variables_pb2.SetVariableResponse(item=item, revision=self.present.point.message())
        return command_pb2.Reply(set_variable=answer)

    def _create_session(self, _request: Any) -> command_pb2.Reply:
        created = self.present.held is None
        self.create()
        session = sessions_pb2.Session(id=SESSION, revision=self.present.point.message())
        answer = sessions_pb2.CreateSessionResponse(session=session, created=created)
        return command_pb2.Reply(create_session=answer)

    def _variable(self, name: str) -> values_pb2.Variable:
        assert self.present.held is not None
        born, version, value = self.present.held[name]
        return values_pb2.Variable(
            id=born,
            name=name,
            type="VARIABLE_TYPE_INTEGER",
            value=values_pb2.Value(integer=value),
            version=version,
        )

    # ---- what it tells followers

    def resumable(self, point: ResumePoint) -> bool:
        """Whether one who stands there can be told what changed since."""
        return point.number > 0 and point.incarnation == self.present.point.incarnation and self.knows(point)

    def knows(self, point: ResumePoint) -> bool:
        return any(moment.point == point for moment in self.moments)

    def updates(self, base: ResumePoint | None, before: Held | None) -> list[state_pb2.StateUpdate]:
        """What takes one from a point to the present, in parts."""
        held = self.present.held or {}
        known = before or {}
        names = [name for name, item in held.items() if known.get(name) != item]
        deleted = [name for name in known if name not in held]
        self.draw.shuffle(names)
        parts = [names]
        if len(names) > 1 and self.draw.random() < 0.5:
            cut = self.draw.randrange(1, len(names))
            parts = [names[:cut], names[cut:]]
        told = []
        for place, part in enumerate(parts):
            is_last = place == len(parts) - 1
            told.append(
                state_pb2.StateUpdate(
                    base=None if base is None else base.message(),
                    revision=self.present.point.message(),
                    changed=[self._entry(name) for name in part],
                    deleted=deleted if is_last else (),
                    more=not is_last,
                )
            )
        return told

    def _entry(self, name: str) -> state_pb2.StateEntry:
        variable = self._variable(name)
        # Now and then a value is one that has to be read.
        value = None if variable.value.integer % 17 == 0 else variable.value
        return state_pb2.StateEntry(
            name=name, id=variable.id, version=variable.version, type=variable.type, value=value
        )


@dataclass(eq=False)
class Line:
    """One connection, with a stream on it. Messages keep their order."""

    bridge: ModelBridge
    client: Client
    stream: Stream
    is_open: bool = True
    is_heard: bool = True
    """False: half open. Nothing arrives, and nobody is told."""
    silent_since: float | None = None
    _parts: Parts = field(default_factory=lambda: Parts(2**20))
    _follower: int | None = None
    _stands: ResumePoint | None = None
    _known: Held | None = None
    _told_at: float = 0.0
    _due: bool = False
    _down_at: float = 0.0
    _up_at: float = 0.0

    def up(self, message: bytes) -> None:
        """From the client to the bridge."""
        time = self.bridge.time
        self._up_at = max(self._up_at, time.now + self.bridge.draw.random() * LONGEST_DELAY)
        time.after(self._up_at - time.now, lambda: self._arrived(message))

    def _arrived(self, message: bytes) -> None:
        if not (self.is_open and self.is_heard and self.bridge.is_up):
            return
        for frame in channel_pb2.ChannelRequest.FromString(message).commands:
            whole = self._parts.add(frame.id, frame.command, frame.more)
            assert whole is not None
            if frame.state:
                self._follow(frame.id, state_pb2.StateRequest.FromString(whole))
            else:
                reply = self.bridge.carry_out(whole)
                # What it is true at is told before it (ORD-2).
                self._tell()
                self._down(replies=[{"id": frame.id, "reply": reply.SerializeToString()}])

    def _follow(self, number: int, request: state_pb2.StateRequest) -> None:
        self._follower = number
        self._stands, self._known = None, None
        if request.HasField("after"):
            point = read_point(request.after)
            if self.bridge.resumable(point):
                self._stands = point
                self._known = next(each.held for each in self.bridge.moments if each.point == point)
            elif point == NOWHERE and self.bridge.present.point == NOWHERE:
                self._stands = point
        self._say(self._stands, self._known)
        self._beat()

    def news(self) -> None:
        """The session has changed: that is told soon, together with what changes until then."""
        if self._follower is not None and not self._due:
            self._due = True
            self.bridge.time.after(self.bridge.draw.random() * LONGEST_TURN, self._tell)

    def _tell(self) -> None:
        self._due = False
        if self._follower is None or self._stands == self.bridge.present.point:
            return
        same_life = (
            self._stands is not None
            and self._stands.number > 0
            and self._stands.incarnation == self.bridge.present.point.incarnation
        )
        self._say(self._stands if same_life else None, self._known if same_life else None)

    def _say(self, base: ResumePoint | None, known: Held | None) -> None:
        for update in self.bridge.updates(base, known):
            self._down(events=[{"id": self._follower, "event": update.SerializeToString()}])
        self._stands, self._known = self.bridge.present.point, self.bridge.present.held
        self._told_at = self.bridge.time.now

    def _beat(self) -> None:
        """Says where the session stands when nothing was said for some time."""
        if not self.is_open:
            return
        if self.bridge.time.now - self._told_at >= HEARTBEAT - LONGEST_TURN:
            self._tell()
            self._say(self._stands, self._known)
        self.bridge.time.after(LONGEST_TURN, self._beat)

    def _down(self, **fields: Any) -> None:
        time = self.bridge.time
        message = channel_pb2.ChannelResponse(**fields).SerializeToString()
        self._down_at = max(self._down_at, time.now + self.bridge.draw.random() * LONGEST_DELAY)
        if self.is_open and self.is_heard:
            time.after(self._down_at - time.now, lambda: self._received(message))

    def _received(self, message: bytes) -> None:
        if self.is_open and self.is_heard:
            self.client.receive(self, message)

    def silence(self) -> None:
        """Nothing gets through any more, in either direction, and nobody is told."""
        self.is_heard = False
        self.silent_since = self.bridge.time.now

    def cut(self) -> None:
        """The connection breaks; the client hears of it a little later."""
        if self.is_open:
            self.is_open = False
            self.bridge.lines.remove(self)
            delay = self.bridge.draw.random() * LONGEST_DELAY
            self.bridge.time.after(delay, lambda: self.client.lost(self))


Result = Callable[[Any, BaseException | None], None]


class Client:
    """A context without a shell: its flows are taken on when something has come for them."""

    def __init__(self, time: Time, bridge: ModelBridge, draw: random.Random, *, max_stale: float) -> None:
        self.time = time
        self.bridge = bridge
        options = resolve_options(
            has_channel=False,
            address="model:1",
            token=None,
            cache="live",
            ttl=0.0,
            max_stale=max_stale,
            strict=False,
            timeout=5.0,
            environment={},
        )
        self.methods = Methods(
            SESSION,
            options,
            has_channel=False,
            ids=RequestIds(lambda: draw.randbytes(16), lambda: 1),
            now=lambda: time.now,
            jitter=draw.random,
            lock=_NoLock(),
            pins_lock=_NoLock(),
        )
        self.link = Link(now=lambda: time.now, jitter=draw.random)
        self.lines: dict[Stream, Line] = {}
        self._alarms: set[float] = set()

    # ---- flows

    def run(self, flow: Generator[Any, Any, Any], done: Result) -> None:
        self._go_on(flow, flow.send, None, done)

    def _go_on(
        self, flow: Generator[Any, Any, Any], resume: Callable[[Any], Any], given: Any, done: Result
    ) -> None:
        while True:
            try:
                step = resume(given)
            except StopIteration as end:
                return done(end.value, None)
            except Exception as error:  # noqa: BLE001 - the test judges it
                return done(None, error)
            resume, given = flow.send, None
            if isinstance(step, Begin):
                self._submit(step.subscription)
            elif isinstance(step, Carry):
                self._carry(step.errand, lambda: self._go_on(flow, flow.send, None, done))
                return None
            elif isinstance(step, News):
                self._wait(step, lambda: self._go_on(flow, flow.send, None, done))
                return None
            elif isinstance(step, Pause):
                self.time.after(step.seconds, lambda: self._go_on(flow, flow.send, None, done))
                return None
            else:
                given = step.function(step.argument)

    def _carry(self, errand: Errand, then: Callable[[], None]) -> None:
        # A shell goes on a little later, and other things may happen before.
        errand.ended = lambda: self.time.after(0.0, then)
        self.time.after(errand.deadline - self.time.now, lambda: self._expire(errand))
        self._submit(errand)

    def _expire(self, errand: Errand) -> None:
        self.link.expire(errand)
        self.pump()

    def _wait(self, step: News, then: Callable[[], None]) -> None:
        key = object()
        is_over = False

        def end() -> None:
            nonlocal is_over
            if not is_over:
                is_over = True
                step.subscription.unlisten(key)
                then()

        if not step.subscription.listen(key, lambda: self.time.after(0.0, end), step.mark):
            end()
            return
        self.time.after(step.seconds, end)

    # ---- what a driver of a link does

    def _submit(self, errand: Any) -> None:
        self.link.submit(errand)
        self.pump()

    def pump(self) -> None:
        """Has what waits sent."""
        if self.link.waiting and self.link.open is None:
            if not self.bridge.is_up:
                pause = self.link.fail(Status(None, ""))
                if pause is not None:
                    self.time.after(pause, self.pump)
                return self._set_alarm()
            stream = self.link.begin()
            line = Line(self.bridge, self, stream)
            self.lines[stream] = line
            self.bridge.lines.append(line)
        for stream, line in list(self.lines.items()):
            while (message := self.link.take(stream)) is not None:
                line.up(message)
        return self._set_alarm()

    def receive(self, line: Line, message: bytes) -> None:
        if line.stream in self.lines:
            self.link.receive(line.stream, message)
            self.pump()

    def lost(self, line: Line) -> None:
        if self.lines.pop(line.stream, None) is not None:
            self._after_loss(self.link.lose(line.stream, Status(UNAVAILABLE, "the line was cut")))

    def _after_loss(self, pause: float | None) -> None:
        if pause is not None:
            self.time.after(pause, self.pump)
        else:
            self.pump()
        self._set_alarm()

    def _set_alarm(self) -> None:
        due = self.link.due
        if due is not None and due not in self._alarms:
            self._alarms.add(due)
            self.time.after(due - self.time.now, lambda: self._rise(due))

    def _rise(self, due: float) -> None:
        self._alarms.discard(due)
        for stream, pause in self.link.rise():
            line = self.lines.pop(stream)
            if line.is_open:
                line.is_open = False
                self.bridge.lines.remove(line)
            self._after_loss(pause)
        self.pump()


class _NoLock:
    def __enter__(self) -> object:
        return self

    def __exit__(self, *_reason: object) -> None:
        pass


def shown(held: Held | None, names: tuple[str, ...]) -> dict[str, int] | None:
    """What a reader of these variables would see; None: no session."""
    return None if held is None else {name: held[name][2] for name in names if name in held}
