/** What `--once` tests: values go both ways, a batch is whole, and what is wrong is refused, whoever sends it. */
import { setTimeout as delay } from "node:timers/promises";
import { BatchError, ConstraintError, type Session, type SessionStore } from "../client/index.js";
import type { Language } from "./beside-worker.js";
import { acknowledgedAfter, look, until, type View, variable } from "./observer.js";
import { rosenbrock } from "./optimiser.js";
import { testVariables } from "./variables.js";

/** How long each wait may take. */
const TIMEOUT_MS = 5_000;

/** The outcome of one check. */
export interface Check {
  readonly name: string;
  readonly passed: boolean;
  /** What was seen, or what went wrong. */
  readonly detail: string;
  /** How long it took, where that means something. */
  readonly ms?: number | null;
}

type Seen = Pick<Check, "detail" | "ms">;
type Shared = Session<typeof testVariables>;

/** Runs all checks of both sides. One that fails does not keep the others from running. Only Python has some of its own. */
export async function runChecks(
  sessions: SessionStore,
  session: Shared,
  language: Language,
): Promise<Check[]> {
  const names = Object.keys(testVariables);
  const view = (): Promise<View> => look(sessions, session.id, names);
  const worker = language === "python" ? "python" : "worker";
  const own: Record<string, () => Promise<Seen>> = {
    [`typescript → ${worker} → typescript`]: () => settingReachesWorker(session, view),
    [`${worker} → typescript`]: () => resultsArrive(view),
    "batch from typescript": () => batchReachesWorkerWhole(session, view),
    [`batch from ${worker}`]: () => batchFromWorkerIsWhole(view),
    "atomic batch refused, from typescript": () => atomicRefusal(sessions, session, view),
    "constraint refused, from typescript": () => constraintRefusal(session, view),
  };
  const checks: Check[] = [];
  if (language === "python") {
    const theirs = checksOfPython(session).catch((error: Error) => [failed("the worker's checks", error)]);
    checks.push(...(await theirs));
  }
  for (const [name, check] of Object.entries(own)) checks.push(await checked(name, check));
  return checks;
}

/** Makes a check, and tells how it went. */
export function checked(name: string, check: () => Promise<Seen>): Promise<Check> {
  return check().then(
    (seen) => ({ name, passed: true, ...seen }),
    (error: Error) => failed(name, error),
  );
}

function failed(name: string, error: Error): Check {
  return { name, passed: false, detail: error.message };
}

/** Answers the worker's question, and waits for its report. */
async function checksOfPython(session: Shared): Promise<Check[]> {
  const report = await until("the report of the Python worker", 2 * TIMEOUT_MS, async () => {
    const { ping, pong, checks } = await session.getMany(["ping", "pong", "checks"]);
    if (ping !== pong) await session.set("pong", ping);
    return checks === "" ? undefined : checks;
  });
  return JSON.parse(report) as Check[];
}

/** The worker confirms each version that it has used in the metadata of its next commit. */
async function settingReachesWorker(session: Shared, view: () => Promise<View>): Promise<Seen> {
  const { version } = await session.set("learning_rate", 0.1);
  const ms = await until(`the worker to use learning_rate v${version}`, TIMEOUT_MS, async () =>
    acknowledgedAfter(await view(), "learning_rate"),
  );
  return { detail: `learning_rate v${version} was used in the worker's next step`, ms };
}

async function resultsArrive(view: () => Promise<View>): Promise<Seen> {
  const before = variable(await view(), "step").version;
  return until("another step of the worker", TIMEOUT_MS, async () => {
    const { variables, at } = await view();
    const step = variables.get("step");
    if (step === undefined || step.version <= before) return undefined;
    return {
      detail: `step ${step.value} arrived as v${step.version}`,
      ms: at.getTime() - step.updatedAt.getTime(),
    };
  });
}

/** Both values are of one commit, so no step of the worker can have used one of them without the other. */
async function batchReachesWorkerWhole(session: Shared, view: () => Promise<View>): Promise<Seen> {
  const { versions, revision } = await session.setMany({ learning_rate: 0.2, target: -1 });
  const wanted = new Map([...versions].map(([name, version]) => [`saw_${name}`, String(version)]));
  return until(`the worker to use the batch of revision ${revision}`, TIMEOUT_MS, async () => {
    const now = await view();
    const saw = variable(now, "step").metadata;
    const arrived = [...wanted].filter(([key, version]) => saw.get(key) === version).length;
    if (arrived === 1) throw new Error("the worker used one of the two values and not the other");
    if (arrived === 0) return undefined;
    return {
      detail: "learning_rate and target were used in the same step",
      ms: acknowledgedAfter(now, "target") ?? null,
    };
  });
}

/** The loss is computed here again from x and y, bit for bit: it can only agree if all are of one commit. */
async function batchFromWorkerIsWhole(view: () => Promise<View>): Promise<Seen> {
  let compared = 0;
  for (let last = 0; compared < 10; ) {
    const now = await until("another step of the worker", TIMEOUT_MS, async () => {
      const next = await view();
      return variable(next, "step").version > last ? next : undefined;
    });
    last = variable(now, "step").version;
    const [x, y, loss, target] = ["x", "y", "loss", "target"].map((name) =>
      Number(variable(now, name).value),
    );
    const expected = rosenbrock(x as number, y as number, target as number);
    if (expected !== loss)
      throw new Error(`at revision ${now.revision} the loss is ${loss}, not ${expected}`);
    compared++;
  }
  return { detail: `${compared} times loss, x and y belonged together` };
}

/** Sent through the untyped store: with the typed session this would not compile. */
async function atomicRefusal(
  sessions: SessionStore,
  session: Shared,
  view: () => Promise<View>,
): Promise<Seen> {
  const before = settingVersions(await view());
  const wrong = { learning_rate: 5, target: "north", paused: true };
  const error = await refusal(sessions.updateVariables(session.id, wrong));
  if (!(error instanceof BatchError)) throw error;
  const named = [...error.errors].sort(([a], [b]) => (a < b ? -1 : 1));
  const names = named.map(([name]) => name).join(", ");
  if (names !== "learning_rate, target") throw new Error(`named were ${names}`);
  if (settingVersions(await view()) !== before) throw new Error("a part of the batch was applied");
  return { detail: named.map(([name, { message }]) => `${name}: ${message}`).join("; ") };
}

async function constraintRefusal(session: Shared, view: () => Promise<View>): Promise<Seen> {
  const before = settingVersions(await view());
  const error = await refusal(session.set("learning_rate", 5));
  if (!(error instanceof ConstraintError)) throw error;
  if (error.constraint !== "max") throw new Error(`the constraint was ${error.constraint}`);
  if (settingVersions(await view()) !== before) throw new Error("the value was applied");
  return { detail: error.message };
}

function settingVersions(view: View): string {
  return ["learning_rate", "target", "paused"].map((name) => variable(view, name).version).join(" ");
}

/** The error of a write that has to fail. */
async function refusal(write: Promise<unknown>): Promise<Error> {
  const outcome = await write.then(
    () => new Error("the write was accepted"),
    (error: Error) => error,
  );
  await delay(0); // so that the worker gets its turn between two writes
  return outcome;
}
