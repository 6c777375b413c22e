"""What programs in processes of their own do: they talk to TypeScript, and are seen by it.

`tests/processes/host.ts` answers them. Each takes the address and the session from its command line.
"""

from __future__ import annotations

import asyncio
import sys
import warnings
from collections.abc import Iterable
from typing import Any

import snakepit_bridge
from snakepit_bridge import sync

# That a process with threads is forked is what is tested.
warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)

SHELL, ADDRESS, SESSION = sys.argv[1:4]
PATIENCE = 20.0


def blocking(**options: Any) -> sync.SessionContext:
    return sync.SessionContext(SESSION, address=ADDRESS, timeout=PATIENCE, **options)


def talk(session: sync.SessionContext, name: str) -> None:
    """Writes what TypeScript sees, and sees what it writes: in a wait, and in the copy of the session."""
    session[f"ask {name}"] = 1.0
    assert session.wait_for(f"answer {name}", lambda value: value == 2.0) == 2.0
    session.ready()
    assert session.peek(f"answer {name}") == 2.0


async def talk_asyncio(name: str) -> None:
    """The same with a context of asyncio of its own."""
    async with snakepit_bridge.SessionContext(SESSION, address=ADDRESS, timeout=PATIENCE) as session:
        await converse(session, name)


async def converse(session: snakepit_bridge.SessionContext, name: str) -> None:
    await session.set_variable(f"ask {name}", 1.0)
    assert await session.wait_for(f"answer {name}", lambda value: value == 2.0) == 2.0
    await session.ready()
    assert session.peek(f"answer {name}") == 2.0


def talk_in_child(session: sync.SessionContext, name: str) -> str:
    """Talks as the shell of this program does: over its parent's context, or in an event loop of its own."""
    if SHELL == "asyncio":
        asyncio.run(talk_asyncio(name))
    else:
        talk(session, name)
        session.close()
    return name


def ended(names: Iterable[str]) -> None:
    sys.stdout.write(f"talked: {' '.join(sorted(names))}\n")
