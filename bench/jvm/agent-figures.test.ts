import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Batch } from '../../src/wire/batch-schema.ts';
import { agentFigures, slope } from './agent-figures.ts';

const losses = { ringFull: 1, tableFull: 0, noUserStack: 0, truncated: 0, unnamed: 0 };
const pod = { samples: 99, losses, cpuUsec: 1_000_000, hz: 100 };
const batch = {
  ...{ startMs: 0, endMs: 10_000, agent: { cpuUsec: 50_000, bpfRunNs: 10_000_000 }, pods: [pod, pod] },
} as unknown as Batch;

test('costs and samples are shares of what the windows had', () => {
  assert.deepEqual(agentFigures([batch, batch], { tickMicros: 10, cpus: 2 }), {
    samples: 396,
    corePercent: 0.5,
    corePercentWithKernel: 0.8, // 10 ms of the program and 2,000 ticks of 10 µs in 10 s
    cpuMicrosPerSample: 252.5,
    samplesGotShare: 0.99,
    samplesLostShare: 0.01,
  });
});

test('nothing was measured where nothing came', () => {
  assert.equal(agentFigures([], { tickMicros: 10, cpus: 2 }).samplesGotShare, null);
  assert.equal(slope([[1, 1]]), null);
});

test('a slope is that of the line through the points', () => {
  assert.equal(
    slope([
      [0, 60],
      [100, 60.5],
      [200, 61],
    ]),
    0.005,
  );
});
