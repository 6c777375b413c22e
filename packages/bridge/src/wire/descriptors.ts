/**
 * Descriptors from few words, for the generated code. protoc-gen-es writes a file down as the bytes of its FileDescriptorProto;
 * to read those the runtime needs the descriptors of descriptors, which are a fifth of all that a page would load. `scripts/gen.mjs` writes
 * the words instead.
 */
import { createFileRegistry, type DescFile } from "@bufbuild/protobuf";
import type { FileDescriptorProto } from "@bufbuild/protobuf/wkt";

/** Names of messages and enums of the same package stand without it, all others with a leading dot. */
type TypeWord = string;

export type FieldWords = readonly [
  name: string,
  number: number,
  /** As in FieldDescriptorProto. */
  type: number,
  typeName?: TypeWord,
  /** A number: the place of its oneof. */
  kind?: "repeated" | "optional" | number,
];
export type MessageWords = readonly [name: string, fields: readonly FieldWords[], ...oneofs: string[]];
export type EnumWords = readonly [name: string, ...values: (readonly [name: string, number: number])[]];
export type MethodWords = readonly [
  name: string,
  input: TypeWord,
  output: TypeWord,
  streams?: "server" | "both",
];
export type ServiceWords = readonly [name: string, ...methods: MethodWords[]];

/** A file of proto3, in the words for what it has. */
export interface FileWords {
  readonly name: string;
  readonly package: string;
  readonly messages?: readonly MessageWords[];
  readonly enums?: readonly EnumWords[];
  readonly services?: readonly ServiceWords[];
}

const REPEATED = 3;
const OPTIONAL = 1;

/** The descriptor of a file that imports these. */
export function describe(words: FileWords, imports: readonly DescFile[] = []): DescFile {
  const { name, package: packageName, messages = [], enums = [], services = [] } = words;
  const typeOf = (word: TypeWord): string => (word.startsWith(".") ? word : `.${packageName}.${word}`);
  // What stays unset has to be absent and not undefined.
  const file = {
    $typeName: "google.protobuf.FileDescriptorProto",
    name,
    package: packageName,
    syntax: "proto3",
    dependency: imports.map(({ proto }) => proto.name),
    messageType: messages.map(([message, fields, ...oneofs]) => ({
      name: message,
      field: fields.map(([field, number, type, typeName, kind]) => ({
        name: field,
        number,
        type,
        jsonName: jsonNameOf(field),
        label: kind === "repeated" ? REPEATED : OPTIONAL,
        proto3Optional: kind === "optional",
        ...(typeName === undefined || typeName === "" ? {} : { typeName: typeOf(typeName) }),
        ...(typeof kind === "number" ? { oneofIndex: kind } : {}),
      })),
      oneofDecl: oneofs.map((oneof) => ({ name: oneof })),
      nestedType: [],
      enumType: [],
      extension: [],
    })),
    enumType: enums.map(([enumName, ...values]) => ({
      name: enumName,
      value: values.map(([value, number]) => ({ name: value, number })),
    })),
    service: services.map(([service, ...methods]) => ({
      name: service,
      method: methods.map(([method, input, output, streams]) => ({
        name: method,
        inputType: typeOf(input),
        outputType: typeOf(output),
        clientStreaming: streams === "both",
        serverStreaming: streams !== undefined,
      })),
    })),
    extension: [],
  } as unknown as FileDescriptorProto;
  const registry = createFileRegistry(file, (wanted) => imports.find(({ proto }) => proto.name === wanted));
  return registry.getFile(name) as DescFile;
}

function jsonNameOf(field: string): string {
  return field.replace(/_([a-z0-9])/g, (_, next: string) => next.toUpperCase());
}

const INT64 = 3;
const INT32 = 5;

function timeFile(file: string, message: string): DescFile {
  return describe({
    name: `google/protobuf/${file}.proto`,
    package: "google.protobuf",
    messages: [
      [
        message,
        [
          ["seconds", 1, INT64],
          ["nanos", 2, INT32],
        ],
      ],
    ],
  });
}

/** The files of Google's that ours import. */
export const timestampFile: DescFile = /*@__PURE__*/ timeFile("timestamp", "Timestamp");
export const durationFile: DescFile = /*@__PURE__*/ timeFile("duration", "Duration");
