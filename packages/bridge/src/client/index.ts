/**
 * `snakepit-bridge/client`: the client of a bridge, and nothing of the server.
 *
 * The client of a bridge in the same process is not exported from here, because it is of the server's world:
 * `startBridge` gives it.
 */
export { connect } from "./connect.js";
export * from "./exports.js";
