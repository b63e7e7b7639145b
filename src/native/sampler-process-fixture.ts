/**
 * For tests: a process or worker that opens a sampler, tells by one line of JSON how it went, and stays a while or, with
 * `exit` as its last argument, leaves by process.exit with the sampler open.
 */
import { isMainThread, parentPort } from 'node:worker_threads';
import { openSampler, type Sampler } from './sampler.ts';
import { SamplerError } from './sampler-error.ts';
import { samplerOptions } from './sampler-fixture.ts';

/** How the opening went. */
export type Opening =
  | { readonly opened: true }
  | { readonly opened: false; readonly code: string; readonly message: string };

const STAYS_MS = 20_000; // for the case that nobody kills it

try {
  const sampler = openSampler(samplerOptions({ filter: 'pid' }));
  sampler.addTarget(BigInt(process.pid));
  tell({ opened: true });
  stayOrExitWith(sampler);
} catch (error) {
  if (!(error instanceof SamplerError)) throw error;
  tell({ opened: false, code: error.code, message: error.message });
}

function tell(opening: Opening): void {
  if (isMainThread) console.log(JSON.stringify(opening));
  else parentPort?.postMessage(opening);
}

// The timer holds on to the sampler, which the garbage collector would close otherwise.
function stayOrExitWith(sampler: Sampler): void {
  if (process.argv.at(-1) === 'exit') process.exit(0);
  setTimeout(() => sampler.close(), STAYS_MS);
}
