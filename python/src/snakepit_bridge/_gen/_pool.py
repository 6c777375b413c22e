"""Builds message classes from the compiled descriptors in bridge.binpb, when they are imported.

The _pb2 code that protoc writes refuses protobuf runtimes that are older or much newer than itself. Classes built
from descriptors fit all of them, so the user's program may choose its protobuf. The pool is private: a file of the
same name among the user's own protos cannot clash with ours. Made by `npm run gen`: do not edit.
"""

import pkgutil
from typing import Any

from google.protobuf import descriptor, descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.internal import enum_type_wrapper


def _load() -> Any:
    data = pkgutil.get_data(__name__, "bridge.binpb")
    assert data is not None
    pool: Any = descriptor_pool.DescriptorPool()
    for file_proto in descriptor_pb2.FileDescriptorSet.FromString(data).file:
        pool.AddSerializedFile(file_proto.SerializeToString())
    return pool


_pool = _load()
# GetMessageClass came with protobuf 4.22; GetPrototype went with 5.26.
_message_class: Any = getattr(message_factory, "GetMessageClass", None)
if _message_class is None:
    _factory: Any = message_factory.MessageFactory(_pool)
    _message_class = _factory.GetPrototype


def file(name: str) -> descriptor.FileDescriptor:
    """Returns the descriptor of the proto file with this path."""
    found: descriptor.FileDescriptor = _pool.FindFileByName(name)
    return found


def message(full_name: str) -> Any:
    """Returns the class of the message with this name."""
    return _message_class(_pool.FindMessageTypeByName(full_name))


def enum(full_name: str) -> Any:
    """Returns the wrapper of the enum with this name: `Name(3)`, `Value("A")`, and its values as attributes."""
    return enum_type_wrapper.EnumTypeWrapper(_pool.FindEnumTypeByName(full_name))
