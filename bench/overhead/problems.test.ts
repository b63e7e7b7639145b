import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Deliveries, problemsOf } from './problems.ts';
import { NOTHING_PUSHED } from './pushed-windows.ts';
import type { Window } from './window.ts';

const ABSENT: Deliveries = {
  ...{ otel: undefined, pyroscope: undefined, recordingBytes: undefined, flamegate: undefined },
};
const some = (path: string) => new Map([[path, { posts: 1, bytes: 100 }]]);

function aWindow(more: Partial<Window> = {}): Window {
  return {
    ...{
      variant: 'bare',
      round: 0,
      seconds: 10,
      requests: 1000,
      leadRequests: 0,
      errors: 0,
      achievedRate: 100,
    },
    ...{ p50Ms: 1, p99Ms: 2, serviceCpuMs: 2000, agentCpuMs: 0, bpfCpuMs: 0, rssMb: 1, agentRssMb: 0 },
    ...more,
  };
}

for (const [agent, silent, working] of [
  ['otel-java-agent', { otel: some('/v1/metrics') }, { otel: some('/v1/traces') }],
  ['pyroscope-java-agent', { pyroscope: new Map() }, { pyroscope: some('/ingest') }],
  ['async-profiler', { recordingBytes: 8_000 }, { recordingBytes: 200_000 }],
  ['flamegate', { flamegate: NOTHING_PUSHED }, { flamegate: { ...NOTHING_PUSHED, named: 90 } }],
] as const) {
  test(`${agent} that exports nothing makes the run worthless`, () => {
    assert.deepEqual(problemsOf([aWindow()], { ...ABSENT, ...silent }, 100), [`${agent} exported nothing`]);
    assert.deepEqual(problemsOf([aWindow()], { ...ABSENT, ...working }, 100), []);
  });
}

test('a load with errors, or slower than asked for, was starved', () => {
  const windows = [aWindow(), aWindow({ errors: 11 }), aWindow({ variant: 'flags', achievedRate: 94 })];

  assert.deepEqual(problemsOf(windows, ABSENT, 100), [
    'the load was starved in 2 of 3 windows (bare, flags)',
  ]);
});

test('BPF time that the kernel did not measure is a problem', () => {
  assert.deepEqual(problemsOf([aWindow({ bpfCpuMs: null })], ABSENT, 100), [
    'the kernel did not measure BPF programs',
  ]);
});
