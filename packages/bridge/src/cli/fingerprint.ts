/**
 * The fingerprint of a set of definitions (DOOR-12): equal for equal names, types and constraints, in every language.
 *
 * What a variable holds at first is not in it, because a session does not keep that; nor is its metadata, because another
 * text about a variable changes nothing for those who use it.
 */
import { createHash } from "node:crypto";
import type { KnownLiteral } from "../core/literal.js";
import { compareUtf8 } from "../core/text.js";
import type { DefinedVariable } from "./defined.js";

type Fingerprinted = Pick<DefinedVariable, "name" | "type" | "constraints">;

/** The fingerprint, as 64 hexadecimal digits. */
export function fingerprintOf(variables: readonly Fingerprinted[]): string {
  const lines = [...variables]
    .sort((a, b) => compareUtf8(a.name, b.name))
    .map(({ name, type, constraints }) => [name, type, constraints.map(operandsOf)]);
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  return createHash("sha256").update(text, "utf8").digest("hex");
}

function operandsOf({ key, values }: Fingerprinted["constraints"][number]): readonly string[] {
  return [key, ...values.map(operandText)];
}

/** Of a float its bits, because languages write one number differently. */
function operandText({ kind, value }: KnownLiteral): string {
  if (kind !== "float") return String(value);
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value);
  return bits.getBigUint64(0).toString(16).padStart(16, "0");
}
