/** Whether what a gate says of latency is true: does its interval hold the growth there is, and is growth of the size it names seen. */
import { type EffectEvidence, growthIsProven } from '../../src/detect/effect-evidence.ts';
import type { GateOutcome } from './gate-outcome.ts';

/** Second of the gate at which the growth it says it would see is compared with what it has seen. */
export const READ_AT_S = 600;

export class SeenNumbers {
  readonly #from: number;
  readonly #truth: number;
  #isCovered = true;
  #wasCovered = true;
  #isProven = false;
  #detectable: number | undefined;

  /** `from`: second from which on an interval has to hold the truth; what is shown before decides nothing. */
  constructor(from: number, truth: number) {
    this.#from = from;
    this.#truth = truth;
  }

  look(atS: number, evidence: EffectEvidence | undefined): void {
    if (evidence === undefined) return;
    if (atS >= this.#from) {
      this.#isCovered = Math.abs(evidence.effect - this.#truth) <= evidence.half;
      this.#wasCovered &&= this.#isCovered;
    }
    if (atS <= READ_AT_S) this.#isProven ||= growthIsProven(evidence);
    if (atS === READ_AT_S) this.#detectable = evidence.detectable;
  }

  get outcome(): Pick<GateOutcome, 'marks' | 'detectable'> {
    const marks = { covered: this.#wasCovered, coveredAtEnd: this.#isCovered, proven: this.#isProven };
    return {
      marks: Object.entries(marks).flatMap(([mark, is]) => (is ? [mark] : [])),
      ...(this.#detectable !== undefined && { detectable: this.#detectable }),
    };
  }
}
