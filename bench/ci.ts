/** Two builds compared on one machine, as in CI: of so many comparisons each how many are right, and how long they take (COMPARISONS=10). */
import { compareOrders, type OrdersComparison } from '../test/full/orders-comparison.ts';
import { writeResult } from './machine.ts';

const comparisons = Number(process.env['COMPARISONS'] ?? 10);
const deadline = process.env['DEADLINE'] ?? '20m';
const WANTED = { slow: 1, fast: 0 } as const;

const found: Record<keyof typeof WANTED, OrdersComparison[]> = { slow: [], fast: [] };
for (let i = 0; i < comparisons; i++) {
  for (const canary of ['slow', 'fast'] as const) {
    const compared = await compareOrders(canary, deadline);
    found[canary].push(compared);
    console.log(canary, compared.exitCode, JSON.stringify(compared.document));
  }
}
const path = writeResult('ci', 'make bench-ci', '25', { deadline, slow: told('slow'), fast: told('fast') });
console.log(`written to ${path}`);

function told(canary: keyof typeof WANTED) {
  const all = found[canary];
  return {
    comparisons: all.length,
    right: all.filter(({ exitCode }) => exitCode === WANTED[canary]).length,
    verdicts: all.map(({ document }) => document.verdict),
    named: all.map(({ document }) => document.functions[0]?.name ?? null),
    rounds: all.map(({ document }) => document.rounds),
    seconds: all.map(({ document }) => Math.round(document.seconds)),
  };
}
