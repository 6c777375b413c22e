"""The messages of google/protobuf/timestamp.proto. Made by `npm run gen`: do not edit."""

from . import _pool

DESCRIPTOR = _pool.file("google/protobuf/timestamp.proto")

Timestamp = _pool.message("google.protobuf.Timestamp")
