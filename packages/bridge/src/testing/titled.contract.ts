/** Cases with names that can stand in the title of a test: hostile text is escaped there, and long text cut short. */

/** Pairs each text with a name for it. */
export function titled<T extends string>(texts: readonly T[]): (readonly [title: string, text: T])[] {
  return texts.map((text) => [titleOf(text), text]);
}

/** Text in ASCII on one line. */
export function titleOf(text: string): string {
  const units = Array.from({ length: text.length }, (_, i) => shown(text.charAt(i)));
  return `"${units.length > 48 ? `${units.slice(0, 16).join("")}… (${text.length} units)` : units.join("")}"`;
}

function shown(unit: string): string {
  return unit >= " " && unit <= "~" ? unit : `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
