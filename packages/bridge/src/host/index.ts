/** `snakepit-bridge/worker`: starts Python workers and keeps them running, and nothing of the bridge. */
export { WorkerError, type WorkerExit, type WorkerFault } from "./errors.js";
export type { LogLevel, LogLine } from "./log.js";
export type { WorkerOptions, WorkerProgram, WorkerSettings } from "./options.js";
export type { RestartOptions } from "./restarts.js";
export type { WorkerEnd, WorkerState } from "./state.js";
export { type PythonWorker, startWorker } from "./worker.js";
