/** Keys in the metadata of a call, which are headers over HTTP. */

/** By which our own clients say what they are, as `python/0.1.0` (DOOR-9). */
export const CLIENT_KEY = "snakepit-client";
