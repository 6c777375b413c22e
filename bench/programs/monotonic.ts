/**
 * The clock that all processes of a machine share, so that one of them may say how long ago another did something. In Python
 * it is `time.monotonic_ns()`.
 */
export function monotonicUs(): number {
  return Number(process.hrtime.bigint()) / 1_000;
}
