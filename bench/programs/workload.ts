/** The variable that everybody reads and writes: a float with two constraints and one entry of metadata. */

export const SESSION = "bench";
export const VARIABLE = "temp";
export const MIN = 0;
export const MAX = 2;
export const METADATA: readonly (readonly [key: string, value: string])[] = [["unit", "K"]];

let steps = 0;

/** A value within the constraints that is not the last one. */
export function nextValue(): number {
  steps = (steps + 1) % 2_000;
  return MIN + ((MAX - MIN) * steps) / 2_000;
}

/** Another value each time for a store that does not know what it holds: a text of so many bytes. */
export function nextText(bytes: number): string {
  return String(nextValue()).padEnd(bytes, ".");
}
