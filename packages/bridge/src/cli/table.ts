/** A table of text: columns as wide as their widest cell, but no cell wider than people read. */

const WIDEST = 48;
const GAP = "  ";

/** The lines of a table, its head first. Cells are one line each. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows.map((row) => row.map(fit))];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => width(line[column] ?? ""))));
  return lines
    .map((line) => line.map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - width(cell))))
    .map((cells) => `${cells.join(GAP).trimEnd()}\n`)
    .join("");
}

function fit(cell: string): string {
  const points = [...cell];
  return points.length > WIDEST ? `${points.slice(0, WIDEST - 1).join("")}…` : cell;
}

function width(cell: string): number {
  return [...cell].length;
}
