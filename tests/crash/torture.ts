/**
 * Kills a bridge under load again and again, and looks after every start what became of the writes.
 *
 * A cycle: start on the file, compare with the journal, send the unanswered writes once more under their request ids,
 * compare again, load, kill.
 */
import { join } from "node:path";
import { GrpcTransport } from "../../packages/bridge/src/client/transport/grpc.js";
import type { Revision } from "../../packages/bridge/src/core/commands.js";
import { SessionNotFoundError } from "../../packages/bridge/src/core/errors.js";
import { Refusal } from "../../packages/bridge/src/core/refusal.js";
import type { Variable } from "../../packages/bridge/src/core/variable.js";
import { COUNTER, Journal, type View, type Write } from "./journal.js";
import { Worker } from "./load.js";
import { below, type Random, randomFrom } from "./random.js";
import { launch, listening, makeFolder, newClientId, type Server, startProgram } from "./server.js";

const SESSIONS = 8;
const CLIENTS = 4;
const WORKERS = 64;
const KILL_WITHIN_MS = 150;
/** The least number of acknowledgements, on average, that a cycle has to have to say anything. */
const LEAST_A_CYCLE = 30;

/** What came out of a run. */
export interface TortureReport {
  readonly seed: number;
  readonly cycles: number;
  readonly acknowledged: number;
  /** Writes without an answer, which were sent again. */
  readonly retried: number;
  /** Those of them that had been carried out before. */
  readonly foundDone: number;
  readonly lost: number;
  readonly halfVisible: number;
  /** The longest time from the start of the process until it listened. */
  readonly slowestStartMs: number;
  /** What `verify` says of the file at the end. */
  readonly verified: string;
  /** All that was wrong, in words. Empty: nothing was. */
  readonly failures: readonly string[];
}

export interface TortureOptions {
  readonly cycles: number;
  readonly seed: number;
  /** Gets a line now and then. */
  readonly say?: (line: string) => void;
}

export async function torture({ cycles, seed, say = () => {} }: TortureOptions): Promise<TortureReport> {
  const file = join(await makeFolder(), "bridge.db");
  const run = new Run(file, randomFrom(seed));
  let cycle = 0;
  for (; cycle < cycles && run.journal.findings.failures.length === 0; cycle++) {
    await run
      .cycle()
      .catch((error: unknown) => run.journal.fail(`cycle ${cycle + 1}: ${error}; ${run.saysBridge()}`));
    if ((cycle + 1) % 10 === 0) say(`cycle ${cycle + 1}: ${run.journal.acknowledged} acknowledged`);
  }
  const verified = await run.finish().catch((error: unknown) => {
    run.journal.fail(`the end: ${error}; ${run.saysBridge()}`);
    return "not verified";
  });
  const { acknowledged, findings } = run.journal;
  if (acknowledged < LEAST_A_CYCLE * cycle) {
    run.journal.fail(`void: only ${acknowledged} acknowledgements in ${cycle} cycles`);
  }
  const { retried, foundDone, slowestStartMs } = run;
  return { seed, cycles: cycle, acknowledged, retried, foundDone, slowestStartMs, verified, ...findings };
}

/** The report in one line for people. */
export function summary(report: TortureReport): string {
  const { seed, cycles, acknowledged, retried, foundDone, lost, halfVisible, slowestStartMs, verified } =
    report;
  return (
    `seed ${seed}: ${cycles} cycles, ${acknowledged} acknowledged, ${lost} lost, ${halfVisible} half-visible, ` +
    `${retried} retried (${foundDone} of them were done already), slowest start ${Math.round(slowestStartMs)} ms; ${verified}`
  );
}

class Run {
  readonly journal = new Journal();
  readonly #file: string;
  readonly #random: Random;
  readonly #workers: Worker[];
  retried = 0;
  foundDone = 0;
  slowestStartMs = 0;
  #born = false;
  #process: Server["process"] | undefined;

  constructor(file: string, random: Random) {
    this.#file = file;
    this.#random = random;
    this.#workers = Array.from(
      { length: WORKERS },
      (_, i) => new Worker(i, `s${i % SESSIONS}`, this.journal, random),
    );
  }

  async cycle(): Promise<void> {
    const { process, transports } = await this.#recover();
    const stop = new AbortController();
    const load = this.#workers.map((worker, i) => {
      const transport = transports[Math.floor(i / SESSIONS) % CLIENTS] as GrpcTransport;
      return this.#work(worker, transport, stop.signal);
    });
    await this.#kill(process, KILL_WITHIN_MS);
    // Answers that had left the bridge in time have been read when the connection has been found broken.
    stop.abort();
    await Promise.all(load);
    await Promise.all(transports.map((transport) => transport.close()));
  }

  /** What the last bridge wrote on standard error. */
  saysBridge(): string {
    return `the bridge says: ${this.#process?.stderr.trim() || "nothing"}`;
  }

  /** Looks a last time, stops in an orderly way, and has the file verified. */
  async finish(): Promise<string> {
    const { process, transports } = await this.#recover();
    await Promise.all(transports.map((transport) => transport.close()));
    const code = await process.end();
    if (code !== 0) this.journal.fail(`the bridge ended with ${code}: ${process.stderr}`);
    const verify = startProgram(["verify", this.#file]);
    if ((await verify.ended) !== 0) this.journal.fail(`verify: ${verify.output}`);
    return verify.output.trim().replaceAll("\n", "; ");
  }

  /** Starts the bridge and compares it with the journal, before and after unanswered writes are sent again. */
  async #recover(): Promise<Server & { transports: GrpcTransport[] }> {
    // Now and then it is killed while it starts, and always while it makes the file.
    if (!this.#born || below(8, this.#random) === 0) await this.#kill(launch(this.#file), 400);
    const started = performance.now();
    this.#process = launch(this.#file);
    const server = await listening(this.#process);
    this.slowestStartMs = Math.max(this.slowestStartMs, performance.now() - started);
    const transports = Array.from(
      { length: CLIENTS },
      () => new GrpcTransport(server.address, { timeoutMs: 20_000 }),
    );
    const [transport] = transports as [GrpcTransport];
    if (!this.#born) await this.#giveBirth(transport);
    await Promise.all(transports.map((each) => each.call({ kind: "ping", message: "" })));
    const before = await this.#views(transport);
    this.journal.check(before);
    await Promise.all([...this.journal.unanswered].map((write) => this.#retry(write, transport, before)));
    this.journal.check(await this.#views(transport));
    return { ...server, transports };
  }

  async #kill(process: Server["process"], withinMs: number): Promise<void> {
    // Now and then it is in the middle of an orderly end.
    const orderly = below(6, this.#random) === 0;
    const afterMs = this.#random() * withinMs;
    const killed = setTimeout(() => {
      if (orderly) process.signal("SIGTERM");
      if (orderly) setTimeout(() => process.signal("SIGKILL"), this.#random() * 30);
      else process.signal("SIGKILL");
    }, afterMs);
    const how = await process.ended;
    clearTimeout(killed);
    const expected = how === "SIGKILL" || (orderly && (how === 0 || how === "SIGTERM"));
    if (!expected) this.journal.fail(`the bridge ended with ${how}: ${process.stderr}`);
  }

  async #giveBirth(transport: GrpcTransport): Promise<void> {
    this.#born = true;
    for (let i = 0; i < SESSIONS; i++) {
      const sessionId = `s${i}`;
      const clientId = newClientId();
      await transport.call({
        kind: "createSession",
        sessionId,
        ttlMs: 0,
        metadata: [],
        requestId: { clientId, sequence: 1 },
      });
      await transport.call({
        kind: "setVariable",
        sessionId,
        item: { identifier: COUNTER, value: { kind: "integer", value: 0n } },
        onMissing: "inferVariable",
        metadata: [],
        requestId: { clientId, sequence: 2 },
      });
      this.journal.increments.set(sessionId, 0);
      this.journal.expect(sessionId, (await this.#view(transport, sessionId)) as View);
    }
  }

  /** Writes until there is no bridge any more. */
  async #work(worker: Worker, transport: GrpcTransport, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const write = worker.next();
      this.journal.unanswered.add(write);
      try {
        await this.#carryOut(write, transport, signal);
      } catch (error) {
        // The client says that nothing was done: then nothing may be there.
        if (nameOf(error) === "UnavailableError") this.journal.unanswered.delete(write);
        else if (!signal.aborted && nameOf(error) !== "OutcomeUnknownError") this.journal.fail(String(error));
        return;
      }
    }
  }

  async #carryOut(write: Write, transport: GrpcTransport, signal?: AbortSignal): Promise<Revision> {
    const reply = await transport.call(write.command, signal === undefined ? {} : { signal });
    const versions = [];
    if (reply.kind === "setVariable") versions.push(reply.item.version);
    if (reply.kind === "setVariables") {
      for (const result of reply.results) {
        if (result instanceof Refusal || !("version" in result))
          throw new Error(`refused: ${result.message}`);
        versions.push(result.version);
      }
    }
    if (new Set(versions).size > 1) this.journal.fail(`a batch was answered with versions ${versions}`);
    const revision = "revision" in reply ? reply.revision : undefined;
    const made = reply.kind === "createSession" ? reply.session.revision : revision;
    if (made === undefined) throw new Error(`${reply.kind} has no revision`);
    this.journal.acknowledge(write, made, versions[0]);
    return made;
  }

  /** Sends a write once more. It has to be carried out once, whether it had been or not. */
  async #retry(write: Write, transport: GrpcTransport, before: ReadonlyMap<string, View>): Promise<void> {
    const { command, slot } = write;
    const shown = this.journal.shows(write, before);
    const then = before.get(command.sessionId)?.revision;
    this.retried += 1;
    if (shown) this.foundDone += 1;
    try {
      const { incarnation, number } = await this.#carryOut(write, transport);
      if (shown === undefined || incarnation !== then?.incarnation) return;
      if (shown && number > then.number) this.journal.fail(`a ${command.kind} was carried out twice`);
      if (!shown && number <= then.number) this.journal.fail(`a ${command.kind} was lost after its answer`);
    } catch (error) {
      // The only write without a request id; that there is nothing left to delete says the same.
      if (command.kind !== "deleteSession" || nameOf(error) !== SessionNotFoundError.name) throw error;
      if (slot !== undefined) this.journal.settleDeleted(write, slot);
    }
  }

  async #views(transport: GrpcTransport): Promise<Map<string, View>> {
    const ids = new Set(this.journal.slots.map(({ sessionId }) => sessionId));
    const views = await Promise.all(
      [...ids].map(async (id) => [id, await this.#view(transport, id)] as const),
    );
    return new Map(views.filter((entry): entry is [string, View] => entry[1] !== undefined));
  }

  async #view(transport: GrpcTransport, sessionId: string): Promise<View | undefined> {
    try {
      const reply = await transport.call({
        kind: "listVariables",
        sessionId,
        pageSize: 1_000,
        pageToken: "",
      });
      if (reply.nextPageToken !== "") throw new Error("a page is too small");
      const { revision } = reply;
      const some = reply.variables[below(reply.variables.length, this.#random)];
      if (some !== undefined) await this.#checkHistory(transport, sessionId, some, revision);
      const variables = reply.variables.map(
        ({ name, value, version }) => [name, { value: String(value), version }] as const,
      );
      return { revision, variables: new Map(variables) };
    } catch (error) {
      if (nameOf(error) === SessionNotFoundError.name) return undefined;
      throw error;
    }
  }

  /** The history of a variable ends with what the variable is, and has no gaps. */
  async #checkHistory(
    transport: GrpcTransport,
    sessionId: string,
    { name, version, value, id }: Variable,
    { number }: Revision,
  ): Promise<void> {
    const reply = await transport.call({ kind: "getVariableHistory", sessionId, identifier: name });
    const versions = reply.entries.map((entry) => entry.version);
    const [newest] = reply.entries;
    const right =
      reply.id === id &&
      reply.revision.number === number &&
      newest?.value === value &&
      versions.every((each, i) => each === version - i);
    if (!right) this.journal.fail(`the history of ${name} of ${sessionId} at ${number} has ${versions}`);
  }
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : "";
}
