/** Definitions in TypeScript, under a name. */
import { type Definitions, defineVariables, integer } from "snakepit-bridge";

export const variables = defineVariables({ seed: integer(1) } satisfies Definitions);
