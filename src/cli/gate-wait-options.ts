/** The options of `flamegate gate wait`. */
import { REVISION_HASH } from '../crds/revision-verdict.ts';
import { usageError } from './cli-error.ts';
import { REVISION_KINDS, type WorkloadName } from './newest-revision.ts';
import { durationOption } from './quantity-options.ts';

const text = { type: 'string' } as const;

/** For node:util's parseArgs; --canary and --baseline are replay's, too. */
export const GATE_WAIT_OPTIONS = { 'canary-of': text, timeout: text, inconclusive: text } as const;
export const INCONCLUSIVE_AS = ['fail', 'pass'] as const;
export const WAIT_FORMATS = ['text', 'json'] as const;

/** By its hash, or as what a workload is rolling out when the waiting begins. */
export type AskedCanary = { readonly hash: string } | { readonly newestOf: WorkloadName };

const DEFAULT_TIMEOUT = '1h'; // gates decide within 30 minutes by default, and the canary's pods have to start first
const LONGEST_MS = 25 * 3_600_000; // a gate's deadline is 24 hours at most

export function askedCanary(hash: string | undefined, workload: string | undefined): AskedCanary {
  if ((hash === undefined) === (workload === undefined)) {
    throw usageError(
      'gate wait needs one of --canary HASH, the revision whose verdict is waited for, and --canary-of KIND/NAME',
    );
  }
  if (hash !== undefined) return { hash: revisionHash('canary', hash) };
  const [, kindText = '', name = ''] = /^([A-Za-z]{1,32})\/([a-z0-9.-]{1,253})$/.exec(workload ?? '') ?? [];
  const kind = REVISION_KINDS.find((known) => known.toLowerCase() === kindText.toLowerCase());
  if (kind !== undefined) return { newestOf: { kind, name } };
  throw usageError(`--canary-of is ${REVISION_KINDS.join('/NAME, ')}/NAME`);
}

export function revisionHash(option: 'canary' | 'baseline', text: string): string {
  if (REVISION_HASH.test(text)) return text;
  throw usageError(`--${option}: "${text.slice(0, 64)}" is no hash of a revision`);
}

export function timeoutMs(text = DEFAULT_TIMEOUT): number {
  const ms = durationOption('timeout', text);
  if (ms > LONGEST_MS) throw usageError('--timeout may be 25h at most: no gate takes longer');
  return ms;
}

/** What Inconclusive is to whoever asks. */
export function inconclusiveAs(text = 'fail'): (typeof INCONCLUSIVE_AS)[number] {
  const known = INCONCLUSIVE_AS.find((each) => each === text);
  if (known !== undefined) return known;
  throw usageError(`--inconclusive is fail or pass, not "${text.slice(0, 64)}"`);
}

export function waitFormat(text = 'text'): (typeof WAIT_FORMATS)[number] {
  const known = WAIT_FORMATS.find((each) => each === text);
  if (known !== undefined) return known;
  throw usageError(`--output of gate wait is text or json, not "${text.slice(0, 64)}"`);
}
