/**
 * Time as the bridge sees it. It is always passed in: the domain never asks a machine for the time, so tests move it
 * by hand and a jump of the wall clock cannot end a session.
 */
export interface Clock {
  /** Milliseconds on a clock that never jumps or goes back. Decides about expiry and deadlines; its zero means nothing. */
  now(): number;
  /** Milliseconds since 1970 by the wall clock. For people and records only; it may jump. */
  wallTime(): number;
  /** Calls `fire` once after at least `ms` milliseconds, without keeping the process alive. Returns how to cancel it. */
  setTimer(ms: number, fire: () => void): () => void;
}
