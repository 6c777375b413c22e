"""What takes part in a fork of the process, where something goes wrong."""

from __future__ import annotations

import os

import pytest
from children import Child

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


@pytest.mark.asyncio
async def test_one_that_raises_keeps_none_of_the_others_from_holding_and_going_on() -> None:
    """[ORD-20 accepts]"""
    program = """
        import os
        from snakepit_bridge import _forking
        class One:
            def __init__(self, name):
                self.name = name
                _forking.at_fork(self)
            def hold(self):
                self.do("holds")
            def resume(self):
                self.do("goes on")
            def do(self, what):
                print(self.name, what, flush=True)
                if self.name == "second":
                    raise ValueError(f"the second {what}")
        ones = [One("first"), One("second"), One("third")]
        _forking.notice_forks()
        with _forking.use_grpc():
            pass
        for _ in range(2):
            child = os.fork()
            if child == 0:
                os._exit(0 if _forking.is_forked() else 1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        print("done")
    """
    ended = await (await Child.start(program)).end()
    each = [f"{name} {what}" for what in ("holds", "goes on") for name in ("first", "second", "third")]
    assert (ended.code, ended.stdout.splitlines()) == (0, [*each, *each, "done"])
    assert ended.stderr.count("ValueError: the second holds") == 2
    assert ended.stderr.count("ValueError: the second goes on") == 2
