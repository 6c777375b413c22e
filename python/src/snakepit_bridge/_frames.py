"""The messages of a channel: commands and replies in frames, cut to parts where they are long (ORD-18).

A frame is made into the bytes of a message by itself, since messages that follow each other without a gap are
one message that has the frames of all.
"""

from __future__ import annotations

from collections.abc import Iterator

from google.protobuf.message import DecodeError

from ._gen import channel_pb2

__all__ = [
    "LONGEST_MESSAGE",
    "Parts",
    "SenselessError",
    "cancellation",
    "command_frames",
    "hello",
    "in_field",
    "read_response",
]

PROTOCOL = 1
"""The version of the protocol that this package speaks."""

LONGEST_MESSAGE = 262_144
"""In bytes."""

_LONGEST_PART = LONGEST_MESSAGE - 64
"""What is around a part takes less than the rest."""

_LONGEST_TIMEOUT = 2**32 - 1
_LENGTH_DELIMITED = 2


class SenselessError(Exception):
    """What a bridge said has no meaning, and nothing that follows it can have one."""


def in_field(number: int, content: bytes) -> bytes:
    """Returns the bytes of a message with one field, which is a message of these bytes."""
    return _varint(number << 3 | _LENGTH_DELIMITED) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def hello(version: str) -> bytes:
    """Returns what a client of this version of the package says first."""
    return _encode(hello=channel_pb2.ClientHello(protocol=PROTOCOL, version=version))


def command_frames(number: int, timeout: float, command: bytes, flag: str | None = None) -> Iterator[bytes]:
    """Returns the messages that carry a command, each with a part of it.

    Args:
        number: Its number on the stream.
        timeout: How long its reply is waited for, in seconds; infinity: for ever.
        command: The bytes of a Command, or of what a flag stands for.
        flag: The field of a frame that says that this asks for a subscription.
    """
    for start in range(0, max(1, len(command)), _LONGEST_PART):
        end = start + _LONGEST_PART
        part = command[start:end] if start or end < len(command) else command
        frame = channel_pb2.CommandFrame(id=number, command=part, more=end < len(command))
        if flag is not None:
            setattr(frame, flag, True)
        if start == 0 and timeout * 1000 < _LONGEST_TIMEOUT:
            frame.timeout_ms = max(1, -int(-timeout * 1000 // 1))
        yield _encode(commands=[frame])


def cancellation(number: int) -> bytes:
    """Returns the message that nobody waits for the reply to a command any more."""
    return _encode(cancelled=[number])


def _encode(**fields: object) -> bytes:
    message: bytes = channel_pb2.ChannelRequest(**fields).SerializeToString()  # type: ignore[arg-type]
    return message


def read_response(message: bytes) -> channel_pb2.ChannelResponse:
    """Returns what a bridge says. Raises SenselessError if that is nothing."""
    try:
        return channel_pb2.ChannelResponse.FromString(message)
    except (DecodeError, UnicodeDecodeError):
        raise SenselessError("a message on the channel makes no sense") from None


class Parts:
    """Puts together what comes in parts. The parts of one thing follow each other.

    Args:
        limit: The longest whole, in bytes.
        what: What comes, for people.
    """

    def __init__(self, limit: int, what: str = "reply") -> None:
        self._limit = limit
        self._what = what
        self._number: int | None = None
        self._kept: list[bytes] = []
        self._bytes = 0

    def add(self, number: int, part: bytes, more: bool) -> bytes | None:
        """Takes a part; returns the whole that it completes, None while there is more to come.

        Raises:
            SenselessError: If it is a part of something else, or if the whole is too long.
        """
        if self._number not in (None, number):
            raise SenselessError(
                f"a part of {self._what} {number} came amid those of {self._what} {self._number}"
            )
        self._bytes += len(part)
        if self._bytes > self._limit:
            raise SenselessError(f"{self._what} {number} is longer than {self._limit} bytes")
        self._kept.append(part)
        self._number = number if more else None
        if more:
            return None
        whole = part if len(self._kept) == 1 else b"".join(self._kept)
        self._kept, self._bytes = [], 0
        return whole
