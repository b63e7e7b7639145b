/**
 * How often a harmless canary is failed, and how soon one that is slower: simulated gates, judged by the engine. Writes
 * bench/results/detect.json after each part and goes on where the run before ended, unless the code has changed since.
 * GATES (default 5000): of each harmless cell. EFFECT_GATES (default 2000): of each slower one. CPU_GATES
 * (default 300), FULL_GATES (default 500): of each that is judged from windows. HARMLESS_GATES (default 1000): of each harmless
 * change; RENAME_GATES (default 300): of renames that cost more. CELLS: a pattern of
 * names, of which `judging` is what judging costs. WORKERS (1). OUTPUT (detect): name of the result file.
 */
import { once } from 'node:events';
import { resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import { CELLS, type NamedCell } from './detect/cells.ts';
import { type JudgeCost, measureJudging } from './detect/judge-cost.ts';
import { fingerprint, readProgress, type Tallies, writeProgress } from './detect/progress.ts';
import { summaryOf } from './detect/summary.ts';
import { addTally, emptyTally, failedWithin, type Tally } from './detect/tally.ts';
import type { Part, PartDone } from './detect/worker.ts';
import { writeResult } from './machine.ts';

const ROOT = resolve(import.meta.dirname, '..');
const output = process.env['OUTPUT'] ?? 'detect';
const PROGRESS = `${ROOT}/build/bench-detect/${output}.progress.json`;
const GATES_A_PART = 250; // some seconds
const GATES_OF_WINDOWS_A_PART = 25;

const gates = numberFrom('GATES', 5_000);
const effectGates = numberFrom('EFFECT_GATES', 2_000);
const cpuGates = numberFrom('CPU_GATES', 300);
const fullGates = numberFrom('FULL_GATES', 500);
const harmlessGates = numberFrom('HARMLESS_GATES', 1_000);
const renameGates = numberFrom('RENAME_GATES', 300);
const workers = numberFrom('WORKERS', 1);
const pattern = new RegExp(process.env['CELLS'] ?? '');

const code = fingerprint(ROOT);
const tallies: Tallies = readProgress(PROGRESS, code);
const wanted = CELLS.filter(({ name }) => pattern.test(name));
const queue = wanted.filter((cell) => partsOf(cell).length > 0);
console.log(`${queue.length} of ${wanted.length} cells to go, code ${code}`);
await Promise.all(Array.from({ length: workers }, () => work()));
publish(pattern.test('judging') ? measureJudging() : undefined);

function numberFrom(name: string, otherwise: number): number {
  const value = Number(process.env[name] ?? otherwise);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new Error(`${name}=${process.env[name]}: a whole number from 1 on`);
}

/** What of a cell has not been simulated yet. */
function partsOf({ name, kind }: NamedCell): Part[] {
  const all = {
    ...{
      null: gates,
      otherNull: gates,
      effect: effectGates,
      numbers: effectGates,
      cpu: cpuGates,
      foretold: cpuGates,
      full: fullGates,
    },
    ...{ harmless: harmlessGates, renameWithRegression: renameGates },
  }[kind];
  const found: Part[] = [];
  const isShort = kind === 'null' || kind === 'otherNull' || kind === 'effect';
  const each = isShort ? GATES_A_PART : GATES_OF_WINDOWS_A_PART;
  for (let first = tallies[name]?.runs ?? 0; first < all; first += each) {
    found.push({ name, first, gates: Math.min(each, all - first) });
  }
  return found;
}

/** One worker, a cell at a time: parts of a cell end in order, so that its runs say where to go on. */
async function work(): Promise<void> {
  const worker = new Worker(new URL('./detect/worker.ts', import.meta.url));
  try {
    for (let cell = queue.shift(); cell !== undefined; cell = queue.shift()) {
      for (const part of partsOf(cell)) {
        worker.postMessage(part);
        const [done] = (await once(worker, 'message')) as [PartDone];
        keep(done);
      }
      console.log(lineOf(cell.name, tallies[cell.name] ?? emptyTally()));
      publish();
    }
  } finally {
    await worker.terminate();
  }
}

function keep({ name, tally }: PartDone): void {
  const sum = tallies[name] ?? emptyTally();
  tallies[name] = sum;
  addTally(sum, tally);
  writeProgress(PROGRESS, code, tallies);
}

function lineOf(name: string, tally: Tally): string {
  const { runs, failed, passed, by, marks, cpuMs, looks } = tally;
  const seconds = (part: number): string => String(failedWithin(part, tally) ?? 'never');
  const perLook = ((1_000 * cpuMs) / Math.max(1, looks)).toFixed(1);
  return `${name.padEnd(44)} ${runs} gates: ${failed} Failed ${JSON.stringify({ ...by, ...marks })}, half by ${seconds(0.5)} s, 95 % by ${seconds(0.95)} s, ${passed} Passed; ${perLook} µs a look`;
}

function publish(cost?: JudgeCost): void {
  if (cost !== undefined) console.log(`judging: ${JSON.stringify(cost)}`);
  writeResult(output, 'make bench-detect', '-', summaryOf(tallies, cost));
}
