"""The messages of google/protobuf/any.proto. Made by `npm run gen`: do not edit."""

from . import _pool

DESCRIPTOR = _pool.file("google/protobuf/any.proto")

Any = _pool.message("google.protobuf.Any")
