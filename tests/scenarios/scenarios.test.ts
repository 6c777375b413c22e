/**
 * The stories of `spec/scenarios/`, played by each client alone and by both languages together, and judged by the same code.
 * Everybody plays and checks as much as everybody else.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { endAll, root } from "../e2e/processes.js";
import { type JsonObject, readRules, readSpec, readVectors } from "../vectors/files.js";
import { schemaFaults } from "../vectors/schema.js";
import { CLIENTS, type ClientName, Driver, PLAYERS } from "./driver.js";
import { races } from "./races.contract.js";
import { type Counts, play, sum } from "./runner.js";
import { SharedServer } from "./servers.js";
import { readStories, type Story, storyPaths } from "./stories.js";

const stories = readStories();

/** Who plays the actors of a story, in turn. Where both languages meet, each Python client has every second story. */
const CASTS: Readonly<Record<string, (story: Story) => readonly ClientName[]>> = {
  ...Object.fromEntries(PLAYERS.map((client) => [client, () => [client]])),
  "both languages": (story) =>
    stories.indexOf(story) % 2 === 0 ? ["typescript", "asyncio"] : ["blocking", "typescript"],
};
const casts = Object.keys(CASTS);

let server: SharedServer;
let drivers: Readonly<Record<ClientName, Driver>>;
const played = new Map<string, Counts[]>(casts.map((name) => [name, []]));

beforeAll(async () => {
  drivers = {
    typescript: new Driver("typescript"),
    asyncio: new Driver("asyncio"),
    blocking: new Driver("blocking"),
    page: new Driver("page"),
  };
  server = await SharedServer.start();
});

afterAll(async () => {
  for (const [name, counts] of played) console.log(`scenarios: ${name} played ${told(sum(counts))}`);
  await endAll();
});

async function playBy(name: string, story: Story): Promise<void> {
  const cast = { name, drivers: CASTS[name]?.(story).map((client) => drivers[client]) ?? [] };
  played.get(name)?.push(await play(story, cast, server));
}

/** Whether a story needs the bridge of all stories for itself: it moves the clock, or makes it stand still. */
function needsPeace({ bridge, steps }: Story): boolean {
  return bridge === undefined && steps.some((step) => "advanceMs" in step || "bridge" in step);
}

describe.concurrent("side by side", () => {
  for (const story of stories.filter((story) => !needsPeace(story)))
    test.each(casts)(`${story.id}, played by %s`, (name) => playBy(name, story));
});

describe("one after another", () => {
  for (const story of stories.filter(needsPeace))
    test.each(casts)(`${story.id}, played by %s`, (name) => playBy(name, story));
});

describe("no stories:", () => {
  races(() => ({ drivers: CLIENTS.map((client) => drivers[client]), address: server.address }));
});

test("everybody has played and checked the same", () => {
  const steps = stories.reduce((total, { steps }) => total + steps.length, 0);
  const counts = [...played].map(([name, counts]) => [name, sum(counts)] as const);
  for (const [name, count] of counts) {
    expect({ name, ...count }).toMatchObject({ scenarios: stories.length, steps });
    expect({ name, ...count }).toEqual({ name, ...counts[0]?.[1] });
  }
});

/** No story writes a thousand commits: `client/watching.contract.ts` and `engine/watching.test.ts` do. */
const OF_LONG_WATCHES = ["HISTORY_COMPACTED", "WATCH_OVERFLOW"];

describe("the stories", () => {
  interface Listed {
    readonly methods: readonly {
      readonly python: string;
      readonly typescript: readonly string[];
      readonly without_story?: string;
    }[];
  }
  const { methods: listed } = JSON.parse(
    readFileSync(join(root, "spec", "client-methods.json"), "utf8"),
  ) as unknown as Listed;

  const methods = listed.filter(({ without_story: reason }) => reason === undefined);
  for (const { python, without_story: reason } of listed)
    if (reason !== undefined) console.log(`no story calls ${python}: ${reason}`);

  test.each(CLIENTS)(
    "call every method that all clients have, of %s by each of its names",
    async (client) => {
      const names = methods.flatMap(({ python, typescript }) =>
        client === "typescript" ? typescript : [python],
      );
      const used = await drivers[client].used();
      expect(names.filter((name) => !used.has(name))).toEqual([]);
    },
  );

  test("bring about every error that a bridge can answer to clients of its version, but for those of its faults, its end and long watches", () => {
    const errors = readVectors("client").flatMap(({ cases }) => cases.filter(({ op }) => op === "error"));
    const told = new Set(
      stories
        .flatMap(({ steps }) => steps.flatMap((step) => ("fails" in step ? [step.fails] : [])))
        .flatMap((error) => [error, ...(Object.values(error["errors"] ?? {}) as (JsonObject | null)[])])
        .map((error) => `${error?.["class"]} ${error?.["reason"]}`),
    );
    const missing = errors
      .filter(
        ({ input }) =>
          !["INTERNAL", "SHUTTING_DOWN", "VERSION_MISMATCH", ...OF_LONG_WATCHES].includes(input as string),
      )
      .map(({ input, expect: { class: name } }) => `${name} ${input}`)
      .filter((error) => !told.has(error));
    expect(missing).toEqual([]);
  });

  test("are told once each, and belong to rules", () => {
    const ids = stories.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const known = new Set(readRules().map(({ id }) => id));
    expect(stories.flatMap(({ rules }) => rules).filter((rule) => !known.has(rule))).toEqual([]);
  });

  const schema: JsonObject = readSpec("scenario.schema.json").json;
  test.each(storyPaths())("of %s are ASCII and fit the schema", (path) => {
    const { text, json } = readSpec(`scenarios/${path}`);
    expect(text).toMatch(/^[\x20-\x7e\n]*$/);
    expect(schemaFaults(schema, json)).toEqual([]);
  });
});

function told({ scenarios, steps, checks }: Counts): string {
  return `${scenarios} scenarios with ${steps} steps and ${checks} checks`;
}
