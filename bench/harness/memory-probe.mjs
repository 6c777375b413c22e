// Loaded into a server before its own program: at SIGUSR2 it says how many bytes are in use there, after a collection.
process.on("SIGUSR2", () => {
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  console.log(`in use: ${heapUsed + external}`);
});
