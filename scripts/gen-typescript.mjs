// What protoc-gen-es wrote, with the words of wire/descriptors.ts in the place of encoded descriptors: pages load half as much.
// Only for files of our own package; what only a server uses stays as it is.
import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Failure } from "./process.mjs";

const LABEL_REPEATED = 3;
/** As a file in wire/gen/snakepit/bridge/v1 finds it. */
const MODULE = "../../../../descriptors.js";
const GOOGLES = { timestamp: "timestampFile", duration: "durationFile" };

/** The text of a generated file. */
export function withWords(text) {
  const [, encoded] = /fileDesc\("([^"]+)"/.exec(text) ?? [];
  if (encoded === undefined) throw new Failure("protoc-gen-es does not write descriptors as it did.");
  const file = fromBinary(FileDescriptorProtoSchema, Buffer.from(encoded, "base64"));
  const googles = Object.entries(GOOGLES).filter(([name]) => text.includes(`file_google_protobuf_${name}`));
  const names = ["describe", ...googles.map(([name, ours]) => `${ours} as file_google_protobuf_${name}`)];
  return text
    .replace(/^import /m, `import { ${names.join(", ")} } from "${MODULE}";\nimport `)
    .replace(`fileDesc("${encoded}"`, `describe(${JSON.stringify(wordsOf(file))}`)
    .replace(/import \{ fileDesc, /, "import { ")
    .replace(/import \{ file_google_protobuf_.*\} from "@bufbuild\/protobuf\/wkt";\n/, "");
}

function wordsOf({ name, package: packageName, messageType, enumType, service, extension, syntax }) {
  if (extension.length > 0 || syntax !== "proto3") throw unknown(name);
  const words = (type) => (type.startsWith(`.${packageName}.`) ? type.slice(packageName.length + 2) : type);
  return {
    name,
    package: packageName,
    messages: messageType.map((message) => messageWords(message, words)),
    enums: enumType.map((each) => [each.name, ...each.value.map((value) => [value.name, value.number])]),
    services: service.map((each) => [each.name, ...each.method.map((method) => methodWords(method, words))]),
  };
}

function messageWords({ name, field, oneofDecl, nestedType, enumType, extension, options }, words) {
  if (nestedType.length + enumType.length + extension.length > 0 || options) throw unknown(name);
  // Those that stand for one optional field come last, and say nothing that the field does not.
  const isReal = (_, place) => field.some((each) => !each.proto3Optional && oneofOf(each) === place);
  return [
    name,
    field.map((each) => fieldWords(each, words)),
    ...oneofDecl.filter(isReal).map((each) => each.name),
  ];
}

function fieldWords(field, words) {
  const { name, number, type, typeName, label, proto3Optional, options } = field;
  if (options) throw unknown(name);
  const oneof = oneofOf(field);
  const kind =
    label === LABEL_REPEATED
      ? "repeated"
      : proto3Optional
        ? "optional"
        : oneof === undefined
          ? undefined
          : oneof;
  const more = kind === undefined ? [] : [kind];
  return typeName === "" && kind === undefined
    ? [name, number, type]
    : [name, number, type, words(typeName), ...more];
}

function methodWords({ name, inputType, outputType, clientStreaming, serverStreaming }, words) {
  if (clientStreaming && !serverStreaming) throw unknown(name);
  const streams = clientStreaming ? ["both"] : serverStreaming ? ["server"] : [];
  return [name, words(inputType), words(outputType), ...streams];
}

function oneofOf(field) {
  return Object.hasOwn(field, "oneofIndex") ? field.oneofIndex : undefined;
}

function unknown(name) {
  return new Failure(`${name} has something that wire/descriptors.ts has no words for: give it some.`);
}
