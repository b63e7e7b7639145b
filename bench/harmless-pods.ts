/**
 * What differs between pods without a change of version, judged by the whole engine: how often it is Failed, and how often a canary that
 * is slower, or burns more, besides. Writes build/bench-detect/harmless-pods.json after each kind. GATES (default 1000), EFFECT_GATES
 * (200), KINDS: a pattern of names.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { POD_KINDS, REGRESSIONS } from './detect/harmless-pods.ts';
import { chanceOf, seedOf } from './detect/random.ts';
import { addOutcome, emptyTally, failedWithin } from './detect/tally.ts';

const RESULT = resolve(import.meta.dirname, '../build/bench-detect/harmless-pods.json');
const gates = Number(process.env['GATES'] ?? 1_000);
const effectGates = Number(process.env['EFFECT_GATES'] ?? 200);
const pattern = new RegExp(process.env['KINDS'] ?? '');

const harmless = [];
for (const { name, simulate } of POD_KINDS.filter((kind) => pattern.test(kind.name))) {
  for (const regression of REGRESSIONS) {
    const runs = regression === 'None' ? gates : effectGates;
    if (runs === 0) continue;
    const seed = seedOf(`judged ${name} ${regression}`);
    const tally = emptyTally();
    for (let gate = 0; gate < runs; gate++)
      addOutcome(tally, simulate(gate, chanceOf(seed, gate), regression));
    const { failed, by, marks } = tally;
    const line = { kind: name, regression, runs, falseFailedShare: failed / runs, by, marks };
    const half = failedWithin(0.5, tally);
    harmless.push(
      regression === 'None' ? line : { ...line, falseFailedShare: undefined, power: failed / runs, half },
    );
    console.log(
      `${name} | ${regression}: ${failed} of ${runs} Failed, half by ${half ?? 'never'} s ${JSON.stringify({ ...by, ...marks })}`,
    );
    mkdirSync(resolve(RESULT, '..'), { recursive: true });
    writeFileSync(RESULT, JSON.stringify({ harmless }, null, 2));
  }
}
