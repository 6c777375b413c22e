// `npm run torture:model [-- SEQUENCES [SEED]]`. TypeScript is registered here and not by `--import tsx`, as every thread
// of every store would do that again, which takes longer than all that it is for.
import { register } from "tsx/esm/api";

register();
await import("./torture.ts");
