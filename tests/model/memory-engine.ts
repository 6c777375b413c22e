/** Engines on memory stores, as the model test wants them. */
import { Engine } from "../../packages/bridge/src/engine/engine.js";
import { MemoryStore } from "../../packages/bridge/src/storage/memory/memory-store.js";
import type { Store } from "../../packages/bridge/src/storage/store.js";
import { OutlivingStore } from "../../packages/bridge/src/testing/bench.contract.js";
import type { MakeEngine, Parts, Subject } from "./subject.js";

/** `wrap` may put something around the store. */
export function memoryEngine(wrap: (store: Store) => Store = (store) => store): MakeEngine {
  return (parts) => engineOn(wrap(new MemoryStore()), parts);
}

/** The engine on a memory store that outlives it, so that it can be stopped and started. */
export function restartingEngine(): MakeEngine {
  return (parts) => {
    const store = new OutlivingStore();
    const start = async (): Promise<Subject> => {
      const engine = await engineOn(store, parts);
      const restart = async (): Promise<Subject> => {
        await engine.close();
        return start();
      };
      return { ...engine, restart };
    };
    return start();
  };
}

async function engineOn(store: Store, parts: Parts): Promise<Subject> {
  const engine = new Engine({ ...parts, store });
  await engine.open();
  return {
    dispatch: (principal, command, deadline) => engine.dispatch(principal, command, deadline),
    store,
    close: () => engine.close(),
  };
}
