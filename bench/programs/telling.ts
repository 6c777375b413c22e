/** What one program tells many: where, and what a message says. */
import { defineVariables, float } from "snakepit-bridge";

/** How it is told. */
export type Way =
  /** Set in a session of a bridge; a process has one client, and all its watchers are on that one's channel. */
  | "bridge"
  /** The same with a client, and so a channel, for each watcher. */
  | "bridge, a client each"
  /** As the first, with copies of the session that are told its state in the place of watchers that are told its events. */
  | "bridge, copies"
  /** By the bare server of streams. */
  | "stream"
  /** Published to a channel of Redis; each watcher has a connection, as Redis tells a connection once. */
  | "redis";

export interface Telling {
  readonly way: Way;
  readonly address: string;
  /** The session or the channel. */
  readonly topic: string;
}

/** What is set in a session: when that was. */
export const variables = defineVariables({ sent: float(0, { min: 0 }, { metadata: { unit: "µs" } }) });

/** A message for those who know no variables: its place among all, when it was sent, and as many bytes as an event has. */
export interface Message {
  readonly sequence: number;
  readonly sentUs: number;
  /** The place of what was told before, where that is known: what lies between the two is told with this one. */
  readonly after?: number;
}

export function toBytes({ sequence, sentUs }: Message, bytes: number): Buffer {
  const message = Buffer.alloc(Math.max(16, bytes));
  message.writeDoubleLE(sequence, 0);
  message.writeDoubleLE(sentUs, 8);
  return message;
}

export function fromBytes(message: Buffer): Message {
  return { sequence: message.readDoubleLE(0), sentUs: message.readDoubleLE(8) };
}

export function toText({ sequence, sentUs }: Message, bytes: number): string {
  return `${sequence} ${sentUs}`.padEnd(bytes);
}

export function fromText(message: string): Message {
  const [sequence, sentUs] = message.split(" ", 2);
  return { sequence: Number(sequence), sentUs: Number(sentUs) };
}
