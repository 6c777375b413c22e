/** Every row. A new one is a file beside this one and a line here. */
import type { Row } from "../harness/case.js";
import { pythonClient, typescriptClient } from "./clients.js";
import { durable } from "./durable.js";
import { engine } from "./engine.js";
import { fanOut } from "./fan-out.js";
import { freeze } from "./freeze.js";
import { hit } from "./hit.js";
import { memory } from "./memory.js";
import { restart } from "./restart.js";
import { unary } from "./unary.js";
import { visibility } from "./visibility.js";

export const rows: readonly Row[] = [
  unary,
  typescriptClient,
  pythonClient,
  hit,
  visibility,
  fanOut,
  freeze,
  memory,
  durable,
  restart,
  engine,
];
