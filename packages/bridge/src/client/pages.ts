/** Long lists come in pages. They are gathered here, so that one form of a list is enough. */
import { errorFor } from "../core/errors.js";

/** A part of a list. */
export interface Page<T> {
  readonly items: readonly T[];
  /** Empty: this was the last one. */
  readonly nextPageToken: string;
}

/** Reads page after page until the last. */
export async function gather<T>(read: (pageToken: string) => Promise<Page<T>>): Promise<readonly T[]> {
  const all: T[] = [];
  let token = "";
  do {
    const { items, nextPageToken } = await read(token);
    // Each page ends behind the one before, so a token that stands still would be read for ever.
    if (nextPageToken !== "" && nextPageToken === token)
      throw errorFor("PROTOCOL", "the bridge answered the same page of a list again and again");
    all.push(...items);
    token = nextPageToken;
  } while (token !== "");
  return Object.freeze(all);
}
