from __future__ import annotations

import gc
import weakref

import grpc

from snakepit_bridge._retry import UNAVAILABLE
from snakepit_bridge._steps import Status
from snakepit_bridge._sync_link import _status_without_call


class Call(grpc.RpcError):
    """As gRPC raises it: the call itself, which takes a lock when it is collected."""

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNAVAILABLE

    def details(self) -> str:
        return "gone"

    def trailing_metadata(self) -> tuple[()]:
        return ()

    def result(self) -> None:
        raise self


def test_nothing_keeps_a_call_that_has_ended_not_even_its_own_traceback() -> None:
    def end() -> tuple[Status, weakref.ref[Call]]:
        call = Call()
        try:
            call.result()
        except grpc.RpcError as error:
            return _status_without_call(error), weakref.ref(call)
        raise AssertionError

    gc.disable()
    try:
        status, call = end()
        assert (status.code, str(status.cause)) == (UNAVAILABLE, "14: gone")
        assert call() is None
    finally:
        gc.enable()
