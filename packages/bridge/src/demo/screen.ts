/** The live view: who wrote what and when the other side saw it as lines, and how things stand as a block. */
import type { VariableView } from "../client/index.js";
import { type Sighting, type View, variable, versionSeenByWorker } from "./observer.js";
import { short, type Terminal, timeOfDay } from "./terminal.js";
import { SETTING_NAMES } from "./variables.js";

/** The worker makes many steps a second; one line about them now and then is enough. */
const PROGRESS_EVERY_MS = 1_000;
const REDRAW_EVERY_MS = 100;
const BARS = "▁▂▃▄▅▆▇█";

export class Screen {
  readonly #terminal: Terminal;
  readonly #headline: string;
  readonly #losses: number[] = [];
  readonly #acknowledgedMs: number[] = [];
  readonly #seenMs: number[] = [];
  readonly #started = performance.now();
  #lastProgress = 0;
  #lastDraw = 0;

  constructor(terminal: Terminal, headline: string) {
    this.#terminal = terminal;
    this.#headline = headline;
  }

  /** Shows what has happened and how things stand. */
  show(view: View, sightings: readonly Sighting[]): void {
    for (const sighting of sightings) this.#tell(sighting, view);
    const now = performance.now();
    if (now - this.#lastDraw < REDRAW_EVERY_MS) return;
    this.#lastDraw = now;
    this.#terminal.block(this.#block(view));
  }

  /** What the whole run came to. */
  summary(): string {
    const seconds = Math.round((performance.now() - this.#started) / 1_000);
    return [
      `Ended after ${seconds} s; the worker and the bridge have ended too.`,
      `  host → worker  used there after ${median(this.#acknowledgedMs)}`,
      `  worker → host  seen here after ${median(this.#seenMs)}`,
    ].join("\n");
  }

  /** A line in the host's own words. */
  remark(text: string): void {
    this.#terminal.line(this.#terminal.style("dim", `${timeOfDay(new Date())}  ${text}`));
  }

  #tell(sighting: Sighting, view: View): void {
    const { kind, variable: about } = sighting;
    switch (kind) {
      case "written":
        return this.#line(
          about.updatedAt,
          about.source,
          `${about.name} = ${short(about.value)} (v${about.version})`,
        );
      case "acknowledged": {
        this.#acknowledgedMs.push(sighting.afterMs);
        const text = `saw ${about.name} v${about.version} after ${sighting.afterMs} ms`;
        const { updatedAt, source } = variable(view, "step");
        return this.#line(updatedAt, source, text);
      }
      case "progress": {
        this.#seenMs.push(sighting.afterMs);
        if (performance.now() - this.#lastProgress < PROGRESS_EVERY_MS) return;
        this.#lastProgress = performance.now();
        const loss = short(variable(view, "loss").value);
        const text = `step = ${about.value}, loss = ${loss} (v${about.version})`;
        return this.#line(about.updatedAt, about.source, `${text}  seen here after ${sighting.afterMs} ms`);
      }
    }
  }

  #line(at: Date, source: string, text: string): void {
    const who = this.#terminal.style(colourOf(source), source.padEnd(10));
    this.#terminal.line(`${timeOfDay(at)}  ${who}  ${text}`);
  }

  #block(view: View): string[] {
    const style = this.#terminal;
    const rows = SETTING_NAMES.map((name) => {
      const setting = variable(view, name);
      const seen = versionSeenByWorker(view, name);
      const state = seen >= setting.version ? "the worker has it" : `the worker has v${seen}`;
      return this.#row(setting, state);
    });
    const [step, x, y] = ["step", "x", "y"].map((name) => variable(view, name)) as VariableView[];
    return [
      style.style("dim", "─".repeat(72)),
      ...rows,
      this.#row(
        step as VariableView,
        `${variable(view, "phase").value} at x = ${short(x?.value)}, y = ${short(y?.value)}`,
      ),
      this.#row(variable(view, "loss"), this.#graph(Number(variable(view, "loss").value))),
      style.style("dim", this.#headline),
    ];
  }

  #row({ name, value, version, source }: VariableView, note: string): string {
    const text = `${name.padEnd(14)} ${short(value).padEnd(10)} `;
    const who = this.#terminal.style(colourOf(source), `${source} v${version}`.padEnd(18));
    return `  ${text}${who} ${note}`;
  }

  /** The last losses, each a decade per bar: one that falls by a factor is a line going down. */
  #graph(loss: number): string {
    this.#losses.push(loss);
    if (this.#losses.length > 30) this.#losses.shift();
    return this.#losses
      .map((value) => BARS[Math.max(0, Math.min(BARS.length - 1, Math.round(Math.log10(value + 1e-9)) + 6))])
      .join("");
  }
}

function median(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)];
  return middle === undefined ? "– (nothing yet)" : `${middle} ms (median of ${values.length})`;
}

function colourOf(source: string): "blue" | "yellow" | "green" {
  return source === "typescript" ? "blue" : source === "python" ? "yellow" : "green";
}
