/** Who asks. Every command carries a principal from its door on, also while everybody may do everything. */
export interface Principal {
  /** For logs; never a secret. */
  readonly name: string;
}

/** The principal of a door that asks for no credentials. */
export const ANYONE: Principal = Object.freeze({ name: "anyone" });
