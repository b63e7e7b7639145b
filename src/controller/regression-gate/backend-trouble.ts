/** What a gate's backend did not give, as its judgement says it. */
import { BackendError } from '../../backends/backend-error.ts';
import type { ReadFault } from '../../backends/request-source.ts';
import type { GateJudgement } from '../../detect/verdict.ts';
import type { ScrapeFault } from '../../requests/scraped-window.ts';
import type { ReadWindows } from './window-source.ts';

export interface TroubledRead<T> {
  readonly value: T;
  /** What it was made of. */
  readonly reads: readonly ReadWindows[];
}

export class BackendTrouble {
  /** Nothing can be folded before it is known how far pods strayed before. */
  lacksHistory = false;
  #error: BackendError | undefined;
  #name = '';
  readonly #faults = new Map<Fault, number>();
  #told = 0;
  #read = 0;
  #looks = 0;

  /** Undefined: not to be had now, because the backend fails or has not seen all of it. Throws whatever is not the backend's. */
  async read<T>(read: () => Promise<TroubledRead<T>>): Promise<T | undefined> {
    try {
      if (this.#contradicts()) return undefined;
      const { value, reads } = await read();
      this.#error = undefined;
      if (reads.some(({ isWhole }) => !isWhole)) return undefined;
      this.#weigh(reads);
      if (this.#contradicts()) return undefined;
      for (const { backend } of reads) {
        for (const [fault, times] of [...(backend?.faults ?? []), ...(backend?.lost ?? [])]) {
          this.#faults.set(fault, (this.#faults.get(fault) ?? 0) + times);
        }
      }
      return value;
    } catch (error) {
      if (!(error instanceof BackendError)) throw error;
      this.#error = error;
      return undefined;
    }
  }

  get error(): BackendError | undefined {
    if (!this.#contradicts()) return this.#error;
    const what = `tells of ${this.#read} requests where agents told of ${this.#told}`;
    return new BackendError('BACKEND_CONTRADICTS', `${this.#name} ${what}`);
  }

  /**
   * Agents tell the controller of the same requests. A scrape is told up to half a minute later, which is the less the longer it goes
   * on; what goes beyond that and a tenth is of other pods, or of no time that was.
   */
  #contradicts(): boolean {
    const allowed = TOLERATED_PART + LONGEST_LAG_LOOKS / this.#looks;
    return this.#told >= FEWEST_TOLD && Math.abs(this.#read - this.#told) > allowed * this.#told;
  }

  #weigh(reads: readonly ReadWindows[]): void {
    for (const { backend } of reads) {
      this.#name = backend?.name ?? this.#name;
      this.#told += backend?.told ?? 0;
      this.#read += backend?.read ?? 0;
    }
    this.#looks += 1;
  }

  /** Undefined: nothing was wrong. */
  get sentence(): string | undefined {
    const found = [...this.#faults].map(([fault, times]) => `${times} ${FAULTS[fault]}`);
    return found.length === 0 ? undefined : `of ${this.#name}: ${found.join(', ')}`;
  }
}

const FEWEST_TOLD = 1_000;
const TOLERATED_PART = 0.1;
const LONGEST_LAG_LOOKS = 1.2; // a scrape's 35 s of a look's 30

type Fault = ReadFault | ScrapeFault;

const FAULTS: Readonly<Record<Fault, string>> = {
  Malformed: 'samples read were none',
  Future: 'samples read were of the future',
  Foreign: 'series read were of pods that nobody asked for',
  Doubled: 'windows read were there twice',
  Gap: 'requests were lost without two scrapes that are at most 30 s apart',
  Restarted: 'requests were lost as counters began anew',
  Uneven: 'requests were lost as their series do not add up',
};

/**
 * the gate is decided     → as it is
 * the backend fails now   → why, in its reason and its sentence
 * it was wrong before     → how, in its sentence
 */
export function withTrouble(judgement: GateJudgement, { error, sentence }: BackendTrouble): GateJudgement {
  if (judgement.verdict === 'Passed' || judgement.verdict === 'Failed') return judgement;
  const said = [judgement.message, error?.message, sentence].filter((part) => part !== undefined);
  return {
    ...judgement,
    ...(error && { reason: 'BackendUnreadable' as const }),
    message: said.join('; '),
  };
}
