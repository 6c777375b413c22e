"""The messages of google/rpc/status.proto. Made by `npm run gen`: do not edit."""

from . import _pool

DESCRIPTOR = _pool.file("google/rpc/status.proto")

Status = _pool.message("google.rpc.Status")
