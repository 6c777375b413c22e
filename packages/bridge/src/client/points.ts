/** Points in the life of a session as texts, which a program keeps to go on from there: nothing but this reads them. */
import type { Revision } from "../core/commands.js";
import { errorFor } from "../core/errors.js";

const FORM = /^([0-9a-f]{32})?-(\d{1,16})-([0-9a-f]{16})$/;

export function toText({ incarnation, number, check }: Revision): string {
  return `${incarnation}-${number}-${check.toString(16).padStart(16, "0")}`;
}

/** Throws InvalidInputError for a text that is no point. */
export function toPoint(text: string): Revision {
  const [, incarnation = "", number, check] = FORM.exec(text) ?? [];
  if (number === undefined || check === undefined || !Number.isSafeInteger(Number(number)))
    throw errorFor("INVALID_ARGUMENT", "after: is no point in the life of a session", { field: "after" });
  return { incarnation, number: Number(number), check: BigInt(`0x${check}`) };
}
