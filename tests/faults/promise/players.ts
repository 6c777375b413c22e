/** A program in each language, all in one session, and who listens to what they tell. */
import { type Language, Player } from "./player.js";
import type { Told } from "./tale.js";

const LANGUAGES: readonly Language[] = ["typescript", "aio", "sync"];

export class Players {
  readonly all: readonly Player[];
  readonly #hearing = new Set<(told: Told, player: Player) => void>();

  /** Starts them: the bridge is asked at this address. */
  constructor(address: string, sessionId: string) {
    this.all = LANGUAGES.map(
      (language) =>
        new Player(language, address, sessionId, (told, player) => {
          for (const hear of this.#hearing) hear(told, player);
        }),
    );
  }

  /** Calls back with all that is told from now on. Returns how to stop that. */
  listen(hear: (told: Told, player: Player) => void): () => void {
    this.#hearing.add(hear);
    return () => this.#hearing.delete(hear);
  }

  /** Waits until so much of a kind is told. Throws if a program ends meanwhile. */
  async hears(count: number, isOne: (told: Told, player: Player) => boolean): Promise<void> {
    let stop = (): void => {};
    const heard = new Promise<void>((resolve) => {
      let left = count;
      stop = this.listen((told, player) => {
        if (isOne(told, player) && --left === 0) resolve();
      });
    });
    await Promise.race([heard, ...this.all.map(({ failed }) => failed)]).finally(stop);
  }

  /** Waits until something is so of each program, which is looked at whenever it tells something. */
  async each(isSo: (player: Player) => boolean): Promise<void> {
    await this.do(async (player) => {
      while (!isSo(player)) await this.hears(1, (_, who) => who === player);
    });
  }

  /** Has all do something at once. */
  do(work: (player: Player) => Promise<void>): Promise<unknown> {
    return Promise.all(this.all.map(work));
  }

  async end(): Promise<void> {
    await Promise.all(this.all.map((player) => player.end()));
  }
}
