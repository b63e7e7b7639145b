/**
 * For tests: a process or worker that opens a sampler, tells by one line of JSON how it went, and stays a while or, with
 * `exit` as its last argument, leaves by process.exit with the sampler open.
 */
import { isMainThread, parentPort } from 'node:worker_threads';
import { openSampler } from './sampler.ts';
import { SamplerError } from './sampler-error.ts';
import { samplerOptions } from './sampler-fixture.ts';

/** How the opening went. */
export type Opening =
  | { readonly opened: true }
  | { readonly opened: false; readonly code: string; readonly message: string };

const STAYS_MS = 20_000; // for the case that nobody kills it

const opening = open();
if (isMainThread) console.log(JSON.stringify(opening));
else parentPort?.postMessage(opening);
if (process.argv.at(-1) === 'exit') process.exit(0);
if (opening.opened) setTimeout(() => undefined, STAYS_MS);

function open(): Opening {
  try {
    openSampler(samplerOptions({ filter: 'pid' })).addTarget(BigInt(process.pid));
    return { opened: true };
  } catch (error) {
    if (!(error instanceof SamplerError)) throw error;
    return { opened: false, code: error.code, message: error.message };
  }
}
