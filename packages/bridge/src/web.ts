/** `snakepit-bridge/web`: the client of a bridge for web pages. The classes are those of `snakepit-bridge/client`. */
export * from "./client/exports.js";
export { connect } from "./client/web-connect.js";
