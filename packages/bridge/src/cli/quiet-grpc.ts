/** Keeps grpc-js from writing lines of its own beside ours. It has to be imported before anything that imports grpc-js. */
process.env["GRPC_VERBOSITY"] ??= "NONE";
