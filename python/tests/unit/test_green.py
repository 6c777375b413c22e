from __future__ import annotations

import sys
from types import ModuleType

import pytest
from shells import Shell

from snakepit_bridge import UnavailableError
from snakepit_bridge._green import refuse_green_threads
from snakepit_bridge.sync import SessionContext


def patched(name: str, asked: str, replaced: str) -> ModuleType:
    """A library as it looks when it has replaced one thing."""
    module = ModuleType(name)
    setattr(module, asked, lambda what: what == replaced)
    return module


@pytest.mark.parametrize(
    ("module", "replaced"),
    [
        (
            patched("gevent.monkey", "is_module_patched", "threading"),
            "gevent has replaced Python's threading",
        ),
        (patched("gevent.monkey", "is_module_patched", "socket"), "gevent has replaced Python's socket"),
        (patched("gevent.monkey", "is_module_patched", "queue"), "gevent has replaced Python's queue"),
        (patched("eventlet.patcher", "is_monkey_patched", "thread"), "eventlet has replaced Python's thread"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
@pytest.mark.asyncio
async def test_replaced_threads_are_refused_where_the_first_connection_is_made(
    shell: Shell, module: ModuleType, replaced: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = shell.context("s", address="127.0.0.1:1")
    with monkeypatch.context() as there:
        there.setitem(sys.modules, module.__name__, module)
        with pytest.raises(RuntimeError, match=replaced):
            await context.get_variable("x")
    await context.close()


def test_threads_that_are_replaced_while_a_blocking_context_is_in_use_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with SessionContext("s", address="127.0.0.1:1") as context:
        with pytest.raises(UnavailableError):
            context.get_variable("x")
        module = patched("gevent.monkey", "is_module_patched", "queue")
        with monkeypatch.context() as there:
            there.setitem(sys.modules, module.__name__, module)
            with pytest.raises(RuntimeError, match="replaced Python's queue"):
                context.get_variable("x")


def test_a_library_that_has_replaced_nothing_is_no_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    module = patched("gevent.monkey", "is_module_patched", "subprocess")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    refuse_green_threads()
