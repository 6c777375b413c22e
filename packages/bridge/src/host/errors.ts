/** Why a worker does not run, for programs and for people. */

/** What happened to a worker. */
export type WorkerFault =
  /** The interpreter could not be started: it is not there, or may not be run. */
  | "NO_PYTHON"
  /** The interpreter has no `snakepit_bridge` package. */
  | "NO_PACKAGE"
  /** Its `snakepit_bridge` is of a version that does not work with this package. */
  | "VERSION_MISMATCH"
  /** It did not become ready in time. */
  | "NOT_READY"
  /** The process ended, by an exit code or a signal. */
  | "EXITED"
  /** It did not say in time that it is alive, as it had promised. */
  | "HUNG";

/** How a process ended. */
export interface WorkerExit {
  /** Its exit code; undefined if a signal ended it. */
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
}

/** A worker could not be started, or does not run any more. */
export class WorkerError extends Error {
  /** Branch on this, never on the message. */
  readonly reason: WorkerFault;
  /** How the process ended; undefined if there was none. */
  readonly exit: WorkerExit | undefined;
  /** The last lines of its standard error, without their beginnings if there were many. */
  readonly output: readonly string[];

  constructor(
    reason: WorkerFault,
    message: string,
    { exit, output = [], cause }: { exit?: WorkerExit; output?: readonly string[]; cause?: unknown } = {},
  ) {
    const told = output.length === 0 ? message : `${message}:\n${output.join("\n")}`;
    super(told, cause === undefined ? undefined : { cause });
    this.name = "WorkerError";
    this.reason = reason;
    this.exit = exit;
    this.output = output;
  }
}

/** How a process ended, as the end of a sentence. */
export function told({ code, signal }: WorkerExit): string {
  return signal === undefined ? `exit code ${code}` : signal;
}
