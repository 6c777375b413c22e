/** The descriptors made from words are those that protoc-gen-es would have encoded: what `buf` compiles says which those are. */
import { readFileSync } from "node:fs";
import {
  createFileRegistry,
  type DescEnum,
  type DescField,
  type DescMessage,
  fromBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { file_snakepit_bridge_v1_channel } from "./gen/snakepit/bridge/v1/channel_pb.js";
import { file_snakepit_bridge_v1_command } from "./gen/snakepit/bridge/v1/command_pb.js";
import { file_snakepit_bridge_v1_errors } from "./gen/snakepit/bridge/v1/errors_pb.js";
import { file_snakepit_bridge_v1_sessions } from "./gen/snakepit/bridge/v1/sessions_pb.js";
import { file_snakepit_bridge_v1_state } from "./gen/snakepit/bridge/v1/state_pb.js";
import { file_snakepit_bridge_v1_values } from "./gen/snakepit/bridge/v1/values_pb.js";
import { file_snakepit_bridge_v1_variables } from "./gen/snakepit/bridge/v1/variables_pb.js";

const OURS = [
  file_snakepit_bridge_v1_channel,
  file_snakepit_bridge_v1_command,
  file_snakepit_bridge_v1_errors,
  file_snakepit_bridge_v1_sessions,
  file_snakepit_bridge_v1_state,
  file_snakepit_bridge_v1_values,
  file_snakepit_bridge_v1_variables,
];
/** The Python package ships all files as `buf` compiled them. */
const compiled = new URL("../../../../python/src/snakepit_bridge/_gen/bridge.binpb", import.meta.url);
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(compiled)));

test("all files of the contract are among them", () => {
  const names = [...registry.files]
    .map(({ proto }) => proto.name)
    .filter((name) => name.startsWith("snakepit/"));
  expect(OURS.map(({ proto }) => proto.name).sort()).toEqual(names.sort());
});

test.each(OURS.map((file) => [file.proto.name, file] as const))("%s", (name, ours) => {
  const theirs = registry.getFile(name);
  if (theirs === undefined) throw new Error(`${name} was not compiled`);
  expect(ours.messages.map(aboutMessage)).toEqual(theirs.messages.map(aboutMessage));
  expect(ours.messages.flatMap(timesIn)).toEqual(theirs.messages.flatMap(timesIn));
  expect(ours.enums.map(aboutEnum)).toEqual(theirs.enums.map(aboutEnum));
  const services = [ours, theirs].map((file) =>
    file.services.map(({ typeName, methods }) => [
      typeName,
      methods.map((method) => [
        method.name,
        method.localName,
        method.methodKind,
        method.input.typeName,
        method.output.typeName,
        method.idempotency,
      ]),
    ]),
  );
  expect(services[0]).toEqual(services[1]);
  expect(ours.dependencies.map((file) => file.name)).toEqual(theirs.dependencies.map((file) => file.name));
  expect([ours.edition, ours.deprecated]).toEqual([theirs.edition, theirs.deprecated]);
});

function aboutMessage({ typeName, fields, members, oneofs }: DescMessage): unknown {
  return [
    typeName,
    fields.map(aboutField),
    members.map(({ name }) => name),
    oneofs.map(({ localName, fields: arms }) => [localName, arms.map(({ name }) => name)]),
  ];
}

function aboutField(field: DescField): unknown {
  const {
    name,
    localName,
    jsonName,
    number,
    fieldKind,
    scalar,
    presence,
    utf8Validation,
    listKind,
    mapKind,
    packed,
    longAsString,
    delimitedEncoding,
  } = field as DescField & Record<string, unknown>;
  const parts = {
    name,
    localName,
    jsonName,
    number,
    fieldKind,
    scalar,
    presence,
    utf8Validation,
    listKind,
    mapKind,
    packed,
    longAsString,
    delimitedEncoding,
  };
  return { ...parts, message: field.message?.typeName, enum: field.enum?.typeName, oneof: field.oneof?.name };
}

/** Of Google's own messages, which are made from words too. */
function timesIn({ fields }: DescMessage): unknown[] {
  return fields.flatMap(({ message }) =>
    message?.typeName.startsWith("google.") === true ? [aboutMessage(message)] : [],
  );
}

function aboutEnum({ typeName, values, open, sharedPrefix }: DescEnum): unknown {
  return [
    typeName,
    open,
    sharedPrefix,
    values.map(({ name, localName, number }) => [name, localName, number]),
  ];
}
