// Loaded into a server before its own program: at SIGUSR2 it says how many bytes are in use there, after a collection.
process.on("SIGUSR2", () => {
  // What the first finds to be finished is free after the second.
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  console.log(`in use: ${heapUsed + external}`);
});
