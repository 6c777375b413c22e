"""Programs that run in processes of their own, because they are interrupted, or because they end."""

from __future__ import annotations

import asyncio
import signal
import sys
import textwrap
from dataclasses import dataclass

PATIENCE = 30.0
"""How long a child may take to do what is waited for, in seconds. All timeouts in the programs are longer."""


@dataclass(frozen=True)
class Ended:
    """How a child ended."""

    code: int
    stdout: str
    stderr: str


class Child:
    """A Python program that runs. It gets its arguments in `args`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, program: str, *args: str) -> Child:
        source = f"import sys\nargs = sys.argv[1:]\n{textwrap.dedent(program)}"
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-u", "-X", "dev", "-c", source, *args, stdout=pipe, stderr=pipe
        )
        return cls(process)

    async def line(self) -> str:
        """Waits for the next line that it prints."""
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), PATIENCE)
        return line.decode().rstrip("\n")

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    async def end(self) -> Ended:
        """Waits for its end. If it does not come to one, it is aborted and says where each thread is."""
        ending = asyncio.ensure_future(self._process.communicate())
        if not (await asyncio.wait({ending}, timeout=PATIENCE))[0]:
            self._process.send_signal(signal.SIGABRT)
        stdout, stderr = await ending
        return Ended(self._process.returncode or 0, stdout.decode(), stderr.decode())
