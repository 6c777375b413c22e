/** `snakepit-bridge/testing`: for the tests of programs that share variables. */
export { ManualClock } from "./manual-clock.js";
export { startTestBridge, type TestBridgeOptions } from "./test-bridge.js";
