from __future__ import annotations

import grpc
import grpc.aio
import pytest

from snakepit_bridge._channels import status_of
from snakepit_bridge._retry import INTERNAL, UNAVAILABLE


@pytest.mark.parametrize(
    ("details", "code"),
    [
        # As grpc.aio says it when a connection breaks while something is sent: no word of a bridge.
        ("Internal error from Core", UNAVAILABLE),
        ("a bug in the bridge", INTERNAL),
    ],
)
def test_a_message_that_could_not_be_sent_is_a_broken_connection(details: str, code: int) -> None:
    nothing = grpc.aio.Metadata()
    error = grpc.aio.AioRpcError(grpc.StatusCode.INTERNAL, nothing, nothing, details=details)
    status = status_of(error)
    assert (status.code, status.detail, status.cause) == (code, None, error)
