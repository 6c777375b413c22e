/**
 * The version of this package, as in its package.json and in the Python package; a test compares them. A constant and not
 * read from the file, so that a program which is bundled with the client knows it too.
 */
export const VERSION = "0.1.0";
