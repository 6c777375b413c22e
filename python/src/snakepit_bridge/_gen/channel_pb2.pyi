# The types of snakepit/bridge/v1/channel.proto. Made by `npm run gen`: do not edit.
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ChannelRequest(_message.Message):
    __slots__ = ("hello", "commands", "cancelled")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    COMMANDS_FIELD_NUMBER: _ClassVar[int]
    CANCELLED_FIELD_NUMBER: _ClassVar[int]
    hello: ClientHello
    commands: _containers.RepeatedCompositeFieldContainer[CommandFrame]
    cancelled: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, hello: _Optional[_Union[ClientHello, _Mapping]] = ..., commands: _Optional[_Iterable[_Union[CommandFrame, _Mapping]]] = ..., cancelled: _Optional[_Iterable[int]] = ...) -> None: ...

class ClientHello(_message.Message):
    __slots__ = ("protocol", "version")
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    protocol: int
    version: str
    def __init__(self, protocol: _Optional[int] = ..., version: _Optional[str] = ...) -> None: ...

class CommandFrame(_message.Message):
    __slots__ = ("id", "timeout_ms", "command", "more", "watch", "state")
    ID_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    COMMAND_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    WATCH_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    id: int
    timeout_ms: int
    command: bytes
    more: bool
    watch: bool
    state: bool
    def __init__(self, id: _Optional[int] = ..., timeout_ms: _Optional[int] = ..., command: _Optional[bytes] = ..., more: _Optional[bool] = ..., watch: _Optional[bool] = ..., state: _Optional[bool] = ...) -> None: ...

class ChannelResponse(_message.Message):
    __slots__ = ("hello", "events", "replies", "going_away")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    REPLIES_FIELD_NUMBER: _ClassVar[int]
    GOING_AWAY_FIELD_NUMBER: _ClassVar[int]
    hello: ServerHello
    events: _containers.RepeatedCompositeFieldContainer[EventFrame]
    replies: _containers.RepeatedCompositeFieldContainer[ReplyFrame]
    going_away: bool
    def __init__(self, hello: _Optional[_Union[ServerHello, _Mapping]] = ..., events: _Optional[_Iterable[_Union[EventFrame, _Mapping]]] = ..., replies: _Optional[_Iterable[_Union[ReplyFrame, _Mapping]]] = ..., going_away: _Optional[bool] = ...) -> None: ...

class ServerHello(_message.Message):
    __slots__ = ("protocol", "version")
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    protocol: int
    version: str
    def __init__(self, protocol: _Optional[int] = ..., version: _Optional[str] = ...) -> None: ...

class EventFrame(_message.Message):
    __slots__ = ("id", "event", "more")
    ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    id: int
    event: bytes
    more: bool
    def __init__(self, id: _Optional[int] = ..., event: _Optional[bytes] = ..., more: _Optional[bool] = ...) -> None: ...

class ReplyFrame(_message.Message):
    __slots__ = ("id", "reply", "more")
    ID_FIELD_NUMBER: _ClassVar[int]
    REPLY_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    id: int
    reply: bytes
    more: bool
    def __init__(self, id: _Optional[int] = ..., reply: _Optional[bytes] = ..., more: _Optional[bool] = ...) -> None: ...
