/** What became of one simulated gate. */
export interface GateOutcome {
  readonly failedAtS?: number;
  /** Which check failed it. */
  readonly by?: string;
  readonly passedAtS?: number;
  /** What else is counted: whether the right function was named, whether its interval held the truth. */
  readonly marks?: readonly string[];
  /** Growth of log latency that it says it would have seen. */
  readonly detectable?: number;
  readonly looks: number;
  /** By the second of the gate it says half of such canaries are failed, and a harmless one is passed. */
  readonly foretoldS?: { readonly proves: number; readonly passes: number };
}
