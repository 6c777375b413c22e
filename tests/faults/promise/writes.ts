/**
 * What writers were answered, held against all commits (P1, P2, P4, P8). Each check is one promise, pure, and looks from outside: it
 * says what is wrong in words, and nothing if nothing is.
 */
import type { RunCommit } from "./commits.js";
import type { WriteTold } from "./tale.js";

type Check = (commits: readonly RunCommit[], writes: readonly WriteTold[]) => string[];

/** Revisions begin at 1 and rise by one, in one life. */
export function numbered(commits: readonly RunCommit[]): string[] {
  const lives = new Set(commits.map(({ point }) => lifeOf(point)));
  return [
    ...commits.flatMap(({ revision }, i) =>
      revision === i + 1 ? [] : [`commit ${i + 1} has revision ${revision}`],
    ),
    ...(lives.size > 1 ? [`the session has had ${lives.size} lives`] : []),
  ];
}

/** What was acknowledged is there, at the revision and with the values that were answered. */
export function durable(commits: readonly RunCommit[], writes: readonly WriteTold[]): string[] {
  const byOp = new Map(commits.map((commit) => [commit.op, commit]));
  return writes.flatMap(({ op, outcome, point, values = {} }) => {
    if (outcome !== "ok") return [];
    const commit = byOp.get(op);
    if (commit === undefined) return [`${op} was acknowledged at ${point} and is lost`];
    const made = Object.fromEntries(commit.changes.map(({ name, after }) => [name, after?.value]));
    const isSame =
      (point === undefined || commit.point === point) &&
      Object.keys(made).length === Object.keys(values).length &&
      Object.entries(values).every(([name, value]) => made[name] === value);
    return isSame
      ? []
      : [
          `${op} was answered ${JSON.stringify(values)} at ${point}, and is ${JSON.stringify(made)} at ${commit.point}`,
        ];
  });
}

/** No write is there twice, however often it was sent. */
export function once(commits: readonly RunCommit[]): string[] {
  return [
    ...repeated(commits.map(({ op }) => op)).map((op) => `${op} was carried out more than once`),
    ...repeated(commits.map(({ request }) => request)).map(
      (id) => `request ${id} was carried out more than once`,
    ),
  ];
}

/** What is said not to have been done was not done. */
export function undone(commits: readonly RunCommit[], writes: readonly WriteTold[]): string[] {
  const ops = new Set(commits.map(({ op }) => op));
  return writes.flatMap(({ op, outcome, error }) =>
    (outcome === "refused" || outcome === "unavailable") && ops.has(op)
      ? [`${op} had ${error} and was carried out`]
      : [],
  );
}

/** What is there somebody wrote. */
export function wanted(commits: readonly RunCommit[], writes: readonly WriteTold[]): string[] {
  const ops = new Set(writes.map(({ op }) => op));
  return commits.flatMap(({ op }) => (op === undefined || ops.has(op) ? [] : [`nobody has written ${op}`]));
}

/** Both of a pair are written together. */
export function paired(commits: readonly RunCommit[]): string[] {
  return commits.flatMap(({ revision, changes }) => {
    const [a, b] = ["a", "b"].map((name) => changes.find((change) => change.name === name)?.after?.value);
    return a === b ? [] : [`at ${revision} a is ${a} and b is ${b}`];
  });
}

/** A sum is the number of commits that added to it: those that were acknowledged, and of the unknown at most all. */
export function summed(commits: readonly RunCommit[], writes: readonly WriteTold[]): string[] {
  return (["increment", "update"] as const).flatMap((what) => {
    const name = { increment: "counter", update: "total" }[what];
    const values = commits.flatMap(
      ({ changes }) => changes.find((change) => change.name === name)?.after?.value ?? [],
    );
    const added = Math.max(0, values.length - 1);
    const count = (outcome: WriteTold["outcome"]): number =>
      writes.filter((write) => write.what === what && write.outcome === outcome).length;
    const [ok, unknown] = [count("ok"), count("unknown")];
    return [
      ...values.flatMap((value, i) =>
        Number(value) === i ? [] : [`commit ${i} of ${name} made it ${value}`],
      ),
      ...(ok <= added && added <= ok + unknown
        ? []
        : [`${name} was added to ${added} times: ${ok} were acknowledged, and ${unknown} unknown`]),
    ];
  });
}

export const WRITE_CHECKS = [
  numbered,
  durable,
  once,
  undone,
  wanted,
  paired,
  summed,
] as const satisfies readonly Check[];

/** The life that a point is of. */
function lifeOf(point: string): string {
  return point.slice(0, point.indexOf("-"));
}

function repeated(ids: readonly (string | undefined)[]): string[] {
  const seen = new Set<string>();
  return ids.filter((id) => id !== undefined && seen.size === seen.add(id).size) as string[];
}
