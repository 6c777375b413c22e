/** A turn of Node's event loop: what was ready, such as what a bridge has said, comes first. */
export function nodeTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
