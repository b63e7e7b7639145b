/** Changes that cost nothing, by family. Each kind is simulated and judged like any cell, and should hardly ever be Failed. */
import type { GateOutcome } from './gate-outcome.ts';
import { CODE_KINDS, RENAMES_WITH_REGRESSION } from './harmless-code.ts';
import type { Chance } from './random.ts';

export interface HarmlessKind {
  readonly name: string;
  /** One gate; its mark `labelled` says that the report names the change. */
  readonly simulate: (gate: number, chance: Chance) => GateOutcome;
}

export const HARMLESS: readonly HarmlessKind[] = [...CODE_KINDS];

/** Renames that cost more, too: nearly always to be Failed. */
export const RENAMES: readonly HarmlessKind[] = RENAMES_WITH_REGRESSION;
