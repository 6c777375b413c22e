/** What carries pinned snapshots through the awaits of a program, where Node runs it. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Pin } from "../pins.js";

export const nodeContext = new AsyncLocalStorage<Pin | undefined>();
