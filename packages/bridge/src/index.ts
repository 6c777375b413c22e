/** `snakepit-bridge`: the bridge and its client. A program that only connects takes `snakepit-bridge/client`. */
export * from "./client/index.js";
export { type Bridge, type BridgeOptions, type EngineSettings, startBridge } from "./server.js";
