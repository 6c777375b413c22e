// The text of the Python modules that `npm run gen` makes: for each proto file a small module that asks the shared
// pool for its classes, with the type stub of protoc beside it. All lie in one flat package.
import { basename } from "node:path";

const header = (what) => `"""${what} Made by \`npm run gen\`: do not edit."""\n`;

export const initModule = header("Message classes, private to this package.");

export const poolModule = `"""Builds message classes from the compiled descriptors in bridge.binpb, when they are imported.

The _pb2 code that protoc writes refuses protobuf runtimes that are older or much newer than itself. Classes built
from descriptors fit all of them, so the user's program may choose its protobuf. The pool is private: a file of the
same name among the user's own protos cannot clash with ours. Made by \`npm run gen\`: do not edit.
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
    """Returns the wrapper of the enum with this name: \`Name(3)\`, \`Value("A")\`, and its values as attributes."""
    return enum_type_wrapper.EnumTypeWrapper(_pool.FindEnumTypeByName(full_name))
`;

/** \`snakepit/bridge/v1/values.proto\` → \`values_pb2\`. */
export function moduleName(file) {
  return `${basename(file, ".proto")}_pb2`;
}

/** The module of one file, from its descriptor. */
export function messageModule(file) {
  const prefix = file.package === "" ? "" : `${file.package}.`;
  const lines = [header(`The messages of ${file.name}.`), "from . import _pool\n"];
  lines.push(`DESCRIPTOR = _pool.file("${file.name}")`);
  for (const { name, value } of file.enumType) {
    lines.push(`\n${name} = _pool.enum("${prefix}${name}")`);
    for (const { name, number } of value) lines.push(`${name} = ${number}`);
  }
  if (file.messageType.length > 0) lines.push("");
  for (const { name } of file.messageType) lines.push(`${name} = _pool.message("${prefix}${name}")`);
  return `${lines.join("\n")}\n`;
}

/** The stub that protoc wrote, with imports of our own modules made relative and its name clashes resolved. */
export function messageStub(file, stub, modules) {
  const relative = stub.replaceAll(/^from \S+ import (\w+_pb2) as /gm, (line, module) =>
    modules.has(module) ? `from . import ${module} as ` : line,
  );
  return `# The types of ${file.name}. Made by \`npm run gen\`: do not edit.\n${unshadow(relative)}`;
}

/** Where a field is called `float`, protoc writes `float: float`, and all later `float` of the class mean the field. */
function unshadow(stub) {
  if (!/^ +(?:float|int|str|bytes|bool): /m.test(stub)) return stub;
  const types = /(?<=: |\[|, )(float|int|str|bytes|bool)\b(?!:)/g;
  return `import builtins as _builtins\n\n${stub.replaceAll(types, "_builtins.$1")}`;
}
