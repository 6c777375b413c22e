"""The messages of google/protobuf/duration.proto. Made by `npm run gen`: do not edit."""

from . import _pool

DESCRIPTOR = _pool.file("google/protobuf/duration.proto")

Duration = _pool.message("google.protobuf.Duration")
