/** The version of this package. A constant, since what is bundled has no package.json beside it; a test compares the two. */
export const VERSION = "0.1.0";
