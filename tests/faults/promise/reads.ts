/** What live reads were answered, held against all commits (ORD-1, ORD-8): pure, as the checks of `writes.ts`. */
import type { RunCommit } from "./commits.js";
import type { ReadTold, WriteTold } from "./tale.js";

/** What one loop told: it does one thing after the other. */
type Tale = readonly (ReadTold | WriteTold)[];

/** What was read was so, at the point that it names; a pair is of one revision. */
export function so(commits: readonly RunCommit[], tale: Tale): string[] {
  const places = placesOf(commits);
  const values = new Values(commits);
  return tale.flatMap((told) => {
    if (told.tells !== "read") return [];
    const text = JSON.stringify(told);
    if (told.point === undefined) {
      const sides = Object.values(told.values);
      return sides.every((side) => side === sides[0]) ? [] : [`torn: ${text}`];
    }
    const place = places.get(told.point);
    if (place === undefined) return [`never was: ${text}`];
    return Object.entries(told.values).flatMap(([name, value]) => {
      const was = values.at(name, place);
      return was === value ? [] : [`it was ${was}: ${text}`];
    });
  });
}

/** What is read never goes back, and includes what the same program was acknowledged before. */
export function forward(commits: readonly RunCommit[], tale: Tale): string[] {
  const places = placesOf(commits);
  const known = new Map<string, number>();
  return tale.flatMap((told) => {
    const place = told.point === undefined ? undefined : places.get(told.point);
    if (place === undefined) return [];
    const before = known.get(told.loop) ?? -1;
    known.set(told.loop, Math.max(place, before));
    return place >= before ? [] : [`${commits[before]?.point} was known before: ${JSON.stringify(told)}`];
  });
}

export const READ_CHECKS = [so, forward] as const;

function placesOf(commits: readonly RunCommit[]): Map<string, number> {
  return new Map(commits.map(({ point }, place) => [point, place]));
}

/** What each variable was at each place. */
export class Values {
  readonly #sides = new Map<string, { readonly place: number; readonly value: unknown }[]>();

  constructor(commits: readonly RunCommit[]) {
    for (const [place, { changes }] of commits.entries())
      for (const { name, after } of changes) {
        const sides = this.#sides.get(name) ?? [];
        sides.push({ place, value: after?.value });
        this.#sides.set(name, sides);
      }
  }

  at(name: string, place: number): unknown {
    const sides = this.#sides.get(name) ?? [];
    let [low, high] = [0, sides.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sides[middle]?.place ?? 0) <= place) low = middle + 1;
      else high = middle;
    }
    return sides[low - 1]?.value;
  }
}
