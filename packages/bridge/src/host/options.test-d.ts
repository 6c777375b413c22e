/** What the compiler lets through. */
import { expectTypeOf, test } from "vitest";
import { type PythonWorker, startWorker, type WorkerOptions, type WorkerState } from "./index.js";

test("a worker has one program", () => {
  expectTypeOf<{ script: string }>().toExtend<WorkerOptions>();
  expectTypeOf<{ script: URL }>().toExtend<WorkerOptions>();
  expectTypeOf<{ module: string }>().toExtend<WorkerOptions>();
  expectTypeOf<{ script: string; module: string }>().not.toExtend<WorkerOptions>();
  expectTypeOf<{ args: string[] }>().not.toExtend<WorkerOptions>();
});

test("options have types", () => {
  type Options<T> = { script: string } & T;
  expectTypeOf<Options<{ bridge: { address: string } }>>().toExtend<WorkerOptions>();
  expectTypeOf<Options<{ restart: false }>>().toExtend<WorkerOptions>();
  expectTypeOf<Options<{ restart: true }>>().not.toExtend<WorkerOptions>();
  expectTypeOf<Options<{ ready: "soon" }>>().not.toExtend<WorkerOptions>();
  expectTypeOf<Options<{ env: { A: number } }>>().not.toExtend<WorkerOptions>();
});

test("a worker is disposed of, and its states tell what they have", () => {
  expectTypeOf(startWorker).returns.resolves.toEqualTypeOf<PythonWorker>();
  expectTypeOf<PythonWorker>().toExtend<AsyncDisposable>();
  expectTypeOf<Extract<WorkerState, { kind: "ready" }>["address"]>().toEqualTypeOf<string | undefined>();
  expectTypeOf<Extract<WorkerState, { kind: "ended"; reason: "failed" }>["error"]["reason"]>().toEqualTypeOf<
    "NO_PYTHON" | "VERSION_MISMATCH" | "NO_PACKAGE" | "NOT_READY" | "EXITED" | "HUNG"
  >();
});
