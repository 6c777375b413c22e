// `npm run torture:live [-- HISTORIES [SEED]]`
import { register } from "tsx/esm/api";

register();
await import("./torture.ts");
