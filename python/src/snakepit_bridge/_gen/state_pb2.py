"""The messages of snakepit/bridge/v1/state.proto. Made by `npm run gen`: do not edit."""

from . import _pool

DESCRIPTOR = _pool.file("snakepit/bridge/v1/state.proto")

StateRequest = _pool.message("snakepit.bridge.v1.StateRequest")
StateUpdate = _pool.message("snakepit.bridge.v1.StateUpdate")
StateEntry = _pool.message("snakepit.bridge.v1.StateEntry")
