/**
 * For tests: a process or worker that watches requests, says so, and stays a while or, with `exit` as its last argument,
 * leaves by process.exit meanwhile.
 */
import { isMainThread, parentPort } from 'node:worker_threads';
import { openRequestWatcher } from '../request-watcher.ts';
import { watcherOptions } from './peers.ts';

const STAYS_MS = 20_000; // for the case that nobody kills it

const watcher = openRequestWatcher(watcherOptions());
watcher.watch(1n, 1);
if (isMainThread) console.log('watching');
else parentPort?.postMessage('watching');
if (process.argv.at(-1) === 'exit') process.exit(0);
setTimeout(() => watcher.close(), STAYS_MS);
