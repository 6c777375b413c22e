/** What can be asked of `npm run bench`. */
import { parseArgs } from "node:util";
import type { RoundOptions } from "./rounds.js";

export interface Options extends RoundOptions {
  readonly quick: boolean;
  /** Tables in Markdown. */
  readonly markdown: boolean;
  /** The file for the results as JSON. */
  readonly json?: string;
  /** The names of the rows to measure; absent: all. */
  readonly only?: readonly string[];
  /** The folder for CPU profiles of the servers. */
  readonly profile?: string;
}

export const usage = `Usage: npm run bench -- [options]
  --quick            see that everything runs, in seconds; its figures mean nothing
  --json FILE        write the results to a file
  --markdown         print the tables in Markdown
  --only ROW[,ROW]   measure only these rows
  --rounds N         rounds, of which the median is shown (9)
  --ms N             length of one measurement in milliseconds (200)
  --profile FOLDER   profile the servers, and print what took their time
  --help             this text`;

const FULL: RoundOptions = { rounds: 9, milliseconds: 200, warmUpRounds: 1, warmUpMilliseconds: 1_000 };
const QUICK: RoundOptions = { rounds: 1, milliseconds: 30, warmUpRounds: 1, warmUpMilliseconds: 30 };

/** Reads the command line; undefined if help is asked for. Throws an error for people if it makes no sense. */
export function readOptions(args: string[]): Options | undefined {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: "boolean", default: false },
      json: { type: "string" },
      markdown: { type: "boolean", default: false },
      only: { type: "string" },
      rounds: { type: "string" },
      ms: { type: "string" },
      profile: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  const preset = values.quick ? QUICK : FULL;
  return {
    quick: values.quick,
    markdown: values.markdown,
    rounds: whole("--rounds", values.rounds, 100) ?? preset.rounds,
    milliseconds: whole("--ms", values.ms, 10_000) ?? preset.milliseconds,
    warmUpRounds: preset.warmUpRounds,
    warmUpMilliseconds: preset.warmUpMilliseconds,
    ...(values.json === undefined ? {} : { json: values.json }),
    ...(values.only === undefined ? {} : { only: values.only.split(",") }),
    ...(values.profile === undefined ? {} : { profile: values.profile }),
  };
}

function whole(name: string, text: string | undefined, most: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new Error(`${name} is a whole number from 1 to ${most}, not ${text}`);
}
