/** Tables, as plain text and as Markdown. */

/** Makes a table of lines of cells under a heading; the first `left` columns are words, the others numbers. */
export type Table = typeof plainTable;

/** For a terminal. */
export function plainTable(
  heading: readonly string[],
  lines: readonly (readonly string[])[],
  left: number,
): string {
  const widths = heading.map((cell, column) =>
    Math.max(cell.length, ...lines.map((line) => (line[column] ?? "").length)),
  );
  const row = (line: readonly string[]) =>
    widths
      .map((width, column) => {
        const cell = line[column] ?? "";
        return column < left ? cell.padEnd(width) : cell.padStart(width);
      })
      .join("  ")
      .trimEnd();
  const rule = widths.map((width) => "-".repeat(width)).join("  ");
  return [row(heading), rule, ...lines.map(row)].join("\n");
}

/** For a page; the formatter makes its columns even. */
export const markdownTable: Table = (heading, lines, left) => {
  const row = (line: readonly string[]) =>
    `| ${heading.map((_, column) => line[column] ?? "").join(" | ")} |`;
  const rule = heading.map((_, column) => (column < left ? "---" : "---:"));
  return [row(heading), row(rule), ...lines.map(row)].join("\n");
};

/** A number with three significant digits, and commas in large ones. */
export function number(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return "–";
  const rounded = value >= 100 ? Math.round(value) : Number(value.toPrecision(3));
  return rounded.toLocaleString("en", { maximumSignificantDigits: value >= 100 ? 21 : 3 });
}

/** A ratio with two digits after the point. */
export function ratio(value: number | undefined): string {
  return value === undefined ? "–" : `${value.toFixed(2)}×`;
}

/** A time, in milliseconds. */
export function milliseconds(microseconds: number): string {
  return `${number(microseconds / 1_000)} ms`;
}
