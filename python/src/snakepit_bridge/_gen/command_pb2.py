"""The messages of snakepit/bridge/v1/command.proto. Made by `npm run gen`: do not edit."""

from . import _pool

DESCRIPTOR = _pool.file("snakepit/bridge/v1/command.proto")

Command = _pool.message("snakepit.bridge.v1.Command")
Reply = _pool.message("snakepit.bridge.v1.Reply")
