"""`python -m snakepit_bridge.grpc_bridge`: a gRPC server in Python that passes calls on to a bridge (DOOR-5).

For programs that expect to find the variables in their Python process. It keeps nothing: a call goes to the
bridge as it came, and its answer or error comes back as the bridge gave it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import re
import signal
import socket
import sys
from collections.abc import Sequence
from typing import Any

import grpc.aio

from . import worker
from ._channels import CHANNEL_OPTIONS
from ._forward import SERVER_OPTIONS, ForwardingHandler, become_ready
from ._health import HealthHandler
from ._options import ADDRESS_VARIABLE, DEFAULT_ADDRESS
from .worker._stdin import when_stdin_ends

__all__ = ["main"]

HOST = "127.0.0.1"

START_SECONDS = 10.0
"""How long it waits for the bridge at first: the two may be started in any order."""

STOP_SECONDS = 0.5
"""How long calls under way may take when it is told to end."""

ALIVE_WITHIN_SECONDS = 5.0


class StartError(Exception):
    """It cannot start, in one sentence."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the server until it is told to end; returns the exit code."""
    options = _parse(arguments)
    try:
        asyncio.run(_serve(options.server, options.port))
    except StartError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130  # before it had begun to listen to signals
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m snakepit_bridge.grpc_bridge",
        description="Serves the variables of a bridge from Python: calls of snakepit.bridge.v1 are passed on "
        "to it. Prints one line on standard output when it is ready. Ends on SIGTERM and SIGINT, and when "
        "its standard input ends, so that no orphan is left behind.",
    )
    parser.add_argument(
        "--server",
        type=_address,
        default=os.environ.get(ADDRESS_VARIABLE) or DEFAULT_ADDRESS,
        metavar="HOST:PORT",
        help=f"the bridge (default: {ADDRESS_VARIABLE}, then {DEFAULT_ADDRESS})",
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=0,
        help=f"the port to listen on, at {HOST}; 0 for any that is free (default: %(default)s)",
    )
    return parser.parse_args(arguments)


def _address(text: str) -> str:
    match = re.fullmatch(r"(?:\[[^\]]+\]|[^\s:/\[\]]+):(\d{1,5})", text)
    if match is None or not 1 <= int(match[1]) <= 65_535:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no address: write it as HOST:PORT, as in {DEFAULT_ADDRESS}"
        )
    return text


def _port(text: str) -> int:
    if not re.fullmatch(r"\d{1,5}", text) or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: it is a whole number from 0 to 65535")
    return int(text)


async def _serve(bridge: str, port: int) -> None:
    stop = _stop_on_signal_or_end_of_input()
    _check_port(port)
    async with grpc.aio.insecure_channel(bridge, options=CHANNEL_OPTIONS) as channel:
        connecting = asyncio.ensure_future(_connect(channel, bridge))
        either: set[asyncio.Future[Any]] = {connecting, stop}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if stop.done():
            connecting.cancel()
            return
        await connecting
        health = HealthHandler(channel)
        server = grpc.aio.server(options=SERVER_OPTIONS)
        server.add_generic_rpc_handlers((ForwardingHandler(channel, bridge), health))
        address = f"{HOST}:{server.add_insecure_port(f'{HOST}:{port}')}"
        await server.start()
        tasks = [asyncio.ensure_future(work) for work in (health.follow(), _tell_host())]
        sys.stdout.write(f"snakepit_bridge.grpc_bridge listening on {address} (bridge: {bridge})\n")
        sys.stdout.flush()
        worker.ready(address=address, alive_within=ALIVE_WITHIN_SECONDS)
        await stop
        for task in tasks:
            task.cancel()
        health.end()
        await server.stop(STOP_SECONDS)


def _check_port(port: int) -> None:
    """Raises StartError if the port cannot be had. gRPC would log the reason, and not tell it."""
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((HOST, port))
        except OSError as error:
            reason = f"{error.strerror}; --port 0 takes any that is free"
            raise StartError(f"cannot listen on {HOST}:{port}: {reason}") from None


async def _connect(channel: grpc.aio.Channel, bridge: str) -> None:
    if await become_ready(channel, START_SECONDS):
        return
    sys.stderr.write(f"waiting for the bridge at {bridge}\n")
    if not await become_ready(channel, START_SECONDS, persistent=True):
        raise StartError(
            f"no bridge answers at {bridge}: start one with `npx snakepit-bridge serve`, or name another "
            f"with --server or the environment variable {ADDRESS_VARIABLE}"
        )


def _stop_on_signal_or_end_of_input() -> asyncio.Future[None]:
    """Returns a future that is done when this process is told to end."""
    loop = asyncio.get_running_loop()
    stop: asyncio.Future[None] = loop.create_future()

    def end() -> None:
        if not stop.done():
            stop.set_result(None)

    def end_from_elsewhere() -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended already
            loop.call_soon_threadsafe(end)

    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, end)
        except NotImplementedError:  # loops on Windows
            signal.signal(number, lambda *_: end_from_elsewhere())
    when_stdin_ends(end_from_elsewhere)
    return stop


async def _tell_host() -> None:
    while True:
        worker.alive()
        await asyncio.sleep(ALIVE_WITHIN_SECONDS / 5)


if __name__ == "__main__":
    sys.exit(main())
