"""The messages of snakepit/bridge/v1/channel.proto. Made by `npm run gen`: do not edit."""

from . import _pool

DESCRIPTOR = _pool.file("snakepit/bridge/v1/channel.proto")

ChannelRequest = _pool.message("snakepit.bridge.v1.ChannelRequest")
ClientHello = _pool.message("snakepit.bridge.v1.ClientHello")
CommandFrame = _pool.message("snakepit.bridge.v1.CommandFrame")
ChannelResponse = _pool.message("snakepit.bridge.v1.ChannelResponse")
ServerHello = _pool.message("snakepit.bridge.v1.ServerHello")
EventFrame = _pool.message("snakepit.bridge.v1.EventFrame")
ReplyFrame = _pool.message("snakepit.bridge.v1.ReplyFrame")
