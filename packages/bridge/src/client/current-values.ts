/** Variables as properties: what is read is what the variable holds at that moment. */

/**
 * Makes an object with a property for each name, which can be read only.
 *
 * @param read gives a variable's value at once, or throws
 */
export function currentValues(names: readonly string[], read: (name: string) => unknown): object {
  const properties = names.map((name) => [name, { enumerable: true, get: () => read(name) }] as const);
  // Without a prototype, so that nothing is found in it that is no variable.
  return Object.freeze(Object.create(null, Object.fromEntries(properties)));
}
