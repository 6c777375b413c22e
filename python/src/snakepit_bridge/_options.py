"""What a context is made with: checked and filled in once, then never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

__all__ = ["CacheMode", "Options", "check_age", "check_timeout", "describe", "resolve_options", "to_keywords"]

CacheMode = Literal["live", "ttl", "off"]

ADDRESS_VARIABLE = "SNAKEPIT_BRIDGE_ADDRESS"
DEFAULT_ADDRESS = "127.0.0.1:50051"


@dataclass(frozen=True)
class Options:
    """The options of a context; its docstring says what they mean.

    Attributes:
        address: HOST:PORT; not used by a context with a channel of its owner.
        token: The bearer token, or None.
        cache: The mode of the cache.
        ttl: The cache's TTL at the beginning, in seconds.
        max_stale: How long a replica is read from that is out of touch, in seconds.
        strict: Whether nothing is created by inference.
        timeout: The usual time limit of a call, in seconds.
    """

    address: str
    token: str | None
    cache: CacheMode
    ttl: float
    max_stale: float
    strict: bool
    timeout: float

    def limit(self, timeout: float | None) -> float:
        """Returns the time limit of a call, in seconds: its own, or the usual one for None."""
        return self.timeout if timeout is None else check_timeout(timeout)


def resolve_options(
    *,
    has_channel: bool,
    address: str | None,
    token: str | None,
    cache: str,
    ttl: float,
    max_stale: float,
    strict: bool,
    timeout: float,
    environment: Mapping[str, str],
) -> Options:
    """Returns the options with what was left out filled in.

    Raises:
        ValueError: If an option has no meaning, or none beside another.
    """
    if has_channel and (address is not None or token is not None):
        raise ValueError("give either a channel or an address and a token, not both")
    if token is not None and not (token and token.isascii() and token.isprintable()):
        raise ValueError("a token is printable ASCII text")
    if cache not in ("live", "ttl", "off"):
        raise ValueError(f'cache is "live", "ttl" or "off", not {cache!r}')
    checked_ttl = check_age(ttl, "a cache TTL")
    return Options(
        address=address or environment.get(ADDRESS_VARIABLE) or DEFAULT_ADDRESS,
        token=token,
        cache=cast(CacheMode, cache),
        ttl=checked_ttl if cache == "ttl" else 0.0,
        max_stale=check_age(max_stale, "max_stale"),
        strict=strict,
        timeout=check_timeout(timeout),
    )


def check_age(seconds: float, what: str) -> float:
    """Returns a time in seconds. Raises ValueError if it is negative or NaN."""
    if not seconds >= 0:
        raise ValueError(f"{what} is 0 or more seconds, not {seconds}")
    return float(seconds)


def check_timeout(timeout: float) -> float:
    """Returns the time limit in seconds; infinity is none. Raises ValueError if it is not above 0."""
    if not timeout > 0:
        raise ValueError(f"a timeout is a time above 0 in seconds, not {timeout}")
    return float(timeout)


def describe(shown_as: str, session_id: str, options: Options, *, has_channel: bool, ttl: float) -> str:
    """Returns the repr of a context, without the token."""
    where = "channel=…" if has_channel else f"address={options.address!r}"
    token = "" if options.token is None else ", token='***'"
    age = {"live": f", max_stale={options.max_stale:g}", "ttl": f", ttl={ttl:g}", "off": ""}[options.cache]
    return f"{shown_as}({session_id!r}, {where}{token}, cache={options.cache!r}{age})"


def to_keywords(options: Options, ttl: float) -> dict[str, Any]:
    """Returns the keyword arguments that make a context like this one."""
    return {**vars(options), "ttl": ttl}
