"""Watches over connections that are cut at random bytes.

`npm run torture:cuts` does the same for long; there the environment says how many cuts, and from which seed.
"""

from __future__ import annotations

import asyncio
import os
import random
import time

import pytest
from shells import Shell, in_thread, until
from toxic_proxy import ToxicProxy, toxic_proxy
from watch_records import Journal
from watch_validators import check_readings
from watches import Audited

CUTS, EVENTS = 30, 1_500
"""Of one round: as many events as may be looked at again and again."""

MOST_AHEAD = 15
"""So many commits may not have been told yet: mostly as many as fit between two cuts, so it goes on."""

LAID = {"up": {"below": 2_500, "times": CUTS // 5}, "down": {"below": 100_000, "times": CUTS}}
"""Where connections are cut, and how often: anywhere in what a client says first, and in some hundred events.

Half of those cut in what is said first bring no news, and a watch without news a dozen times in a row has
rested for minutes: so these are few.
"""


@pytest.mark.asyncio
async def test_every_commit_is_told_once_wherever_a_connection_is_cut(
    shell: Shell, bridge: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """[ORD-4 accepts] [ORD-6 accepts]"""
    rounds = -(-int(os.environ.get("SNAKEPIT_BRIDGE_CUTS", CUTS)) // CUTS)
    first = int(os.environ.get("SNAKEPIT_BRIDGE_SEED", time.time_ns() % 2**31))
    cuts = connections = events = 0
    for seed in range(first, first + rounds):
        with toxic_proxy(bridge) as proxy:
            try:
                events += await play(shell, bridge, proxy, seed)
            except Exception as error:
                raise AssertionError(f"seed {seed}") from error
            cuts += proxy.count()
            connections += proxy.connections
    assert cuts >= CUTS * rounds
    assert events >= EVENTS * rounds
    with capsys.disabled():
        print(f"{shell.name}: {cuts} cuts of {connections} connections, {events} events")  # noqa: T201


async def play(shell: Shell, bridge: str, proxy: ToxicProxy, seed: int) -> int:
    """Makes commits while two watches are read, and holds the one against the other; returns how many."""
    session = f"cuts {shell.name} {seed}"
    async with (
        shell.context(session, address=bridge) as writer,
        shell.context(session, address=proxy.address) as context,
    ):
        journal = Journal(writer)
        await journal.create()
        audited = [Audited(journal, context, was_cut=True, **names) for names in ({}, {"names": ["a", "d"]})]
        for each in audited:
            await each.ready()
        for direction, laid in LAID.items():
            proxy.lay(direction, direction, kind="cutAtRandom", seed=seed, **laid)
        begun = len(journal.commits)
        await asyncio.gather(
            write(journal, proxy, audited, random.Random(seed)), *(read(each) for each in audited)
        )
        for each in audited:
            assert len(each.reading.events) == len(each.reading.expected(journal))
        check_readings(journal)
        return len(journal.commits) - begun


async def read(audited: Audited) -> None:
    while True:
        (event,) = await audited.take(1)
        if any(change.value == "the end" for change in event.changes):
            return


async def write(journal: Journal, proxy: ToxicProxy, audited: list[Audited], draw: random.Random) -> None:
    """Makes commits of all kinds, of a few bytes mostly, and now and then of many."""
    begun = len(journal.commits)
    has_c = False
    while len(journal.commits) < begun + EVENTS or proxy.cuts < CUTS:
        count = len(journal.commits)
        # One in ten is told to all: who is told nothing of many in a row would be waited for in vain.
        what = draw.random() if count % 10 else 0.0
        if what < 0.7:
            await journal.set("a" if what < 0.35 else "b", text(count, 600, draw), {"count": str(count)})
        elif what < 0.9:
            await journal.set_many(a=text(count, 300, draw), d=text(count, 300, draw))
        elif what < 0.905:
            await journal.set("big", text(count, 20_000, draw))
        elif has_c:
            await journal.delete("c")
        else:
            await journal.set("c", count)
        has_c = has_c if what < 0.905 else not has_c
        await until(lambda: len(journal.commits) - min(map(place, audited)) <= MOST_AHEAD)
        if count % 20 == 0:
            await in_thread(proxy.count)
    # What all want, so that each comes to its end.
    await journal.set("a", "the end")


def place(audited: Audited) -> int:
    return audited.reading.events[-1].revision if audited.reading.events else len(audited.reading.points)


def text(count: int, longest: int, draw: random.Random) -> str:
    return f"{count} ".ljust(draw.randrange(longest), "y")
