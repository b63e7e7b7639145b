/**
 * Two builds compared on one machine, as in CI: of so many comparisons of each kind (COMPARISONS=10) how many are right, and how long they
 * take (DEADLINE=12m, each). A comparison takes minutes: what was found by the same code is kept, and a run goes on where the one
 * before ended. Writes bench/results/ci.json.
 */
import { resolve } from 'node:path';
import { compareOrders, type OrdersComparison } from '../test/full/orders-comparison.ts';
import { keyOf, openResults } from './kept-results.ts';
import { writeResult } from './machine.ts';

const ROOT = resolve(import.meta.dirname, '..');
const CODE = [
  ...[
    'src/cli/compare/*.ts',
    'src/detect/{paired-runs,run-counts,run-spread,attribution,stack-index,quantiles}.ts',
  ],
  ...['bpf/cpu.bpf.c', 'native/*.cc', 'src/agent/local-profile.ts', 'samples/orders/src/**/*.kt'],
  'test/full/orders-comparison.ts',
];
const WANTED = { slow: 1, fast: 0 } as const;
type Canary = keyof typeof WANTED;

const comparisons = Number(process.env['COMPARISONS'] ?? 10);
const deadline = process.env['DEADLINE'] ?? '12m';
const results = openResults(`${ROOT}/build/bench-ci.ndjson`, keyOf(ROOT, CODE, deadline));

const found: Record<Canary, OrdersComparison[]> = { slow: [], fast: [] };
for (let number = 1; number <= comparisons; number++) {
  for (const canary of ['slow', 'fast'] as const) {
    const compared = await results.onceCome(`${canary} ${number}`, () => compareOrders(canary, deadline));
    found[canary].push(compared);
    const { verdict, rounds, seconds, functions, most } = compared.document;
    const what = functions[0]?.name ?? `at most ${(100 * most.growth).toFixed(2)} % (${most.name})`;
    console.log(`${canary} ${number}: ${verdict} after ${rounds} rounds, ${Math.round(seconds)} s: ${what}`);
  }
}
const regressed = { runs: found.slow.length, caught: rightOf('slow'), ...told('slow') };
const unchanged = { runs: found.fast.length, passed: rightOf('fast'), ...told('fast') };
/** Of equal builds: the largest growth that could not be ruled out. */
const noise = Math.max(...unchanged.mostGrowth);
console.log(
  `written to ${writeResult('ci', 'make bench-ci', '25', { deadline, noise, regressed, unchanged })}`,
);

function rightOf(canary: Canary): number {
  return found[canary].filter(({ exitCode }) => exitCode === WANTED[canary]).length;
}

function told(canary: Canary) {
  const documents = found[canary].map(({ document }) => document);
  return {
    verdicts: documents.map(({ verdict }) => verdict),
    named: documents.map(({ functions }) => functions[0]?.name ?? null),
    mostGrowth: documents.map(({ most }) => most.growth),
    rounds: documents.map(({ rounds }) => rounds),
    seconds: documents.map(({ seconds }) => Math.round(seconds)),
  };
}
