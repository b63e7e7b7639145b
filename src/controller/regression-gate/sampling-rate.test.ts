import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Forecast } from '../../detect/forecast.ts';
import { agentReports } from '../agent-reports-memory.ts';
import { chooseRate, type RateBounds, rateBounds } from './sampling-rate.ts';
import { aPod, aPolicy, START_MS } from './testing/a-cluster.ts';

const CANARY = { matchLabels: { track: 'canary' } };
const MINUTE_MS = 60_000;
const DEADLINE_MS = 30 * MINUTE_MS;

const aForecast = (fields: Partial<Forecast> = {}): Forecast => ({
  ...{ afterMs: 5 * MINUTE_MS, samplesPerSecond: 1.2, hz: 49, detectableByDeadline: 0.02, remedies: {} },
  byRate: [
    { hz: 97, passesAfterMs: 45 * MINUTE_MS, detectableByDeadline: 0.015 },
    { hz: 199, passesAfterMs: 25 * MINUTE_MS, detectableByDeadline: 0.011 },
  ],
  passesAfterMs: 80 * MINUTE_MS,
  ...fields,
});

const bounds = (fields: Partial<RateBounds> = {}): RateBounds => ({
  ...{ baseHz: 49, mostHz: 199, agentCpu: 0.05 },
  nodes: [{ node: 'node-a', agentCpu: 0.01, ofGate: 0.005 }],
  ...fields,
});

const chosen = (...of: Parameters<typeof chooseRate>) => {
  const { frequencyHz, rateReason } = chooseRate(...of);
  return [frequencyHz, rateReason];
};

test('the rate is the lowest by which a harmless canary passes in time', () => {
  const soon = aForecast({ passesAfterMs: 20 * MINUTE_MS });
  const sooner = aForecast({
    byRate: [
      { hz: 97, passesAfterMs: 29 * MINUTE_MS },
      { hz: 199, passesAfterMs: 1 },
    ],
  });

  assert.deepEqual(chosen(bounds(), undefined, soon, DEADLINE_MS), [49, 'Enough']);
  assert.deepEqual(chosen(bounds(), undefined, aForecast(), DEADLINE_MS), [199, 'Raised']);
  assert.deepEqual(chosen(bounds(), undefined, sooner, DEADLINE_MS), [97, 'Raised']);
});

test('where none is in time, the highest is taken if more is seen by it, and none if pods are what is lacking', () => {
  const never = { passesAfterMs: 90 * MINUTE_MS };
  const byRate = (high: number) => [
    { hz: 97, detectableByDeadline: 0.0195, ...never },
    { hz: 199, detectableByDeadline: high, ...never },
  ];

  assert.deepEqual(chosen(bounds(), 49, aForecast({ byRate: byRate(0.015) }), DEADLINE_MS), [199, 'Raised']);
  assert.deepEqual(chosen(bounds(), 49, aForecast({ byRate: byRate(0.019) }), DEADLINE_MS), [49, 'NoUse']);
});

test('a raised rate stays when it has made a verdict possible, and before anything is known it is as it was', () => {
  const inTime = aForecast({ hz: 199, passesAfterMs: 20 * MINUTE_MS, byRate: [] });

  assert.deepEqual(chosen(bounds(), 199, inTime, DEADLINE_MS), [199, 'Raised']);
  assert.deepEqual(chosen(bounds(), 199, undefined, DEADLINE_MS), [199, 'Raised']);
  assert.deepEqual(chosen(bounds(), undefined, undefined, DEADLINE_MS), [49, 'Collecting']);
});

test('no rate is above what the policies allow, and no agent is foretold to take more than its budget', () => {
  const few = bounds({ mostHz: 97 });
  const never = bounds({ mostHz: 20 });
  // A core's hundredth of its three is the gate's: 1 % more at 97 Hz and 3 % more at 199.
  const busy = bounds({ nodes: [{ node: 'node-a', agentCpu: 0.03, ofGate: 0.01 }] });
  const busier = bounds({ nodes: [{ node: 'node-a', agentCpu: 0.049, ofGate: 0.01 }] });

  assert.deepEqual(chosen(few, 49, aForecast(), DEADLINE_MS), [97, 'Raised']);
  assert.deepEqual(chosen(never, 49, aForecast(), DEADLINE_MS), [49, 'BudgetReached']);
  assert.deepEqual(chosen(busy, 49, aForecast(), DEADLINE_MS), [97, 'Raised']);
  assert.deepEqual(chosen(busier, 49, aForecast(), DEADLINE_MS), [49, 'BudgetReached']);
  assert.match(
    chooseRate(few, 49, aForecast(), DEADLINE_MS).rateMessage,
    /on both arms: 1\.2 canary samples/,
  );
});

test('an agent well above its budget has the rate lowered a step at a time', () => {
  const over = bounds({ nodes: [{ node: 'node-a', agentCpu: 0.07, ofGate: 0.04 }] });

  assert.deepEqual(chosen(over, 199, aForecast({ hz: 199 }), DEADLINE_MS), [97, 'BudgetReached']);
  assert.deepEqual(chosen(over, 97, aForecast({ hz: 97 }), DEADLINE_MS), [49, 'BudgetReached']);
  assert.deepEqual(chosen(over, 49, aForecast(), DEADLINE_MS), [49, 'BudgetReached']);
});

test('a policy that is changed to allow less lowers what was raised', () => {
  const inTime = aForecast({ hz: 199, passesAfterMs: 20 * MINUTE_MS });
  assert.deepEqual(chosen(bounds({ mostHz: 97 }), 199, inTime, DEADLINE_MS), [97, 'Raised']);
});

test('of the policies that count for the pods the highest rate and the strictest bounds, and nobody’s pods have none', () => {
  const policies = [
    aPolicy({
      name: 'canaries',
      spec: { podSelector: CANARY, cpu: { frequencyHz: 19, maxFrequencyHz: 97 } },
    }),
    aPolicy({ name: 'others', spec: { cpu: { frequencyHz: 49 }, budget: { agentCpu: '2%' } } }),
    aPolicy({ name: 'overruled', spec: { cpu: { frequencyHz: 199 }, budget: { agentCpu: '1%' } } }),
  ];
  const pods = [aPod(), aPod({ name: 'canary', labels: { app: 'orders', ...CANARY.matchLabels } })];
  const found = rateBounds(pods, policies, agentReports(), START_MS);

  assert.deepEqual(found, { baseHz: 49, mostHz: 97, agentCpu: 0.02, nodes: [] });
  assert.equal(
    rateBounds([aPod({ labels: { app: 'other' } })], policies, agentReports(), START_MS),
    undefined,
  );
});
