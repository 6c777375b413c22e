"""What a method of a context asks of its shell, step by step.

A method is a generator (a `Flow`): it thinks, yields a step, and goes on with what the shell sends back. So
it is written once, and a shell only knows how to wait: on an event loop, or in a thread. Writing every method
twice was considered; twins that are kept by hand drift apart.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from ._cache import Fetch
from ._core import Found
from ._gen import errors_pb2

if TYPE_CHECKING:
    from ._errands import Errand
    from ._subscriptions import Subscription

__all__ = ["Begin", "Carry", "Flow", "Invoke", "News", "Pause", "Share", "Status", "Step", "present_as"]

T = TypeVar("T")
C = TypeVar("C", bound=Callable[..., Any])


@dataclass(frozen=True)
class Status:
    """How an attempt failed.

    Attributes:
        code: The number of the gRPC status; None if the channel was not ready, so nothing was handed over.
        text: What there is to say about it, for people.
        detail: The bridge's own words, if the status carried any.
        cause: gRPC's exception.
        closed: Whether the channel is closed, so that no later attempt can succeed.
    """

    code: int | None
    text: str
    detail: errors_pb2.ErrorDetail | None = None
    cause: BaseException | None = None
    closed: bool = False


@dataclass(frozen=True)
class Carry:
    """Have an errand carried out; it has ended when this comes back."""

    errand: Errand


@dataclass(frozen=True)
class Pause:
    """Let time pass; less of it will do once the context is closed."""

    seconds: float


@dataclass(frozen=True)
class Invoke:
    """Call a function of the caller's; the reply is what it returned."""

    function: Callable[[Any], Any]
    argument: Any


@dataclass(frozen=True)
class Share:
    """Fetch variables, together with others who miss them at the same time; the reply is what was found.

    Attributes:
        identifiers: The variables.
        seconds: How long a fetch takes at most.
        begin: Begins a fetch of some of them.
    """

    identifiers: Sequence[str]
    seconds: float
    begin: Callable[[Sequence[str]], tuple[Fetch, Flow[Found]]]


@dataclass(frozen=True)
class Begin:
    """Begin a subscription, or begin it again; the reply is the function that lets go of it."""

    subscription: Subscription


@dataclass(frozen=True)
class News:
    """Wait until something happens to a subscription; it comes back without that when the time is up.

    Attributes:
        subscription: The subscription.
        mark: Its count of what has happened, as it was when it was last looked at.
        seconds: For how long.
    """

    subscription: Subscription
    mark: int
    seconds: float


Step: TypeAlias = Carry | Pause | Invoke | Share | Begin | News

Flow: TypeAlias = Generator[Step, Any, T]
"""What takes several steps and then has a result."""


def present_as(method: C, flow: Callable[..., Any]) -> C:
    """Gives a shell's method the name, the docstring and the signature of the flow that it runs."""
    functools.update_wrapper(method, flow, assigned=("__name__", "__doc__"), updated=())
    signature = inspect.signature(flow)
    result = str(signature.return_annotation).removeprefix("Flow[").removesuffix("]")
    shown: Any = method
    shown.__qualname__ = f"SessionContext.{method.__name__}"
    shown.__signature__ = signature.replace(return_annotation=result)
    shown.__annotations__ = {**flow.__annotations__, "return": result}
    return method
