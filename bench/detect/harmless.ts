/** Changes that cost nothing, by family. Each kind is simulated and judged like any cell, and should hardly ever be Failed. */
import type { GateOutcome } from './gate-outcome.ts';
import { CODE_KINDS, RENAMES_WITH_REGRESSION } from './harmless-code.ts';
import { POD_KINDS } from './harmless-pods.ts';
import type { Chance } from './random.ts';

export interface HarmlessKind {
  readonly name: string;
  /** One gate; its mark `labelled` says that the report names the change. */
  readonly simulate: (gate: number, chance: Chance) => GateOutcome;
}

/** Of code, and of pods. What is Failed beside the latter when something is wrong, too: bench/harmless-pods.ts. */
export const HARMLESS: readonly HarmlessKind[] = [
  ...CODE_KINDS,
  ...POD_KINDS.map(({ name, simulate }) => ({
    name,
    simulate: (gate: number, chance: Chance) => simulate(gate, chance, 'None'),
  })),
];

/** Renames that cost more, too: nearly always to be Failed. */
export const RENAMES: readonly HarmlessKind[] = RENAMES_WITH_REGRESSION;
