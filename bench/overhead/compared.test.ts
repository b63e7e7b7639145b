import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../test/reference/simulated-pods.ts';
import { compare, savedAgainst } from './compared.ts';
import type { Window } from './window.ts';

const PAIR = ['bare', 'bare2'] as const;

function aWindow(variant: string, round: number, more: Partial<Window> = {}): Window {
  return {
    ...{
      variant,
      round,
      seconds: 10,
      requests: 1000,
      leadRequests: 0,
      errors: 0,
      achievedRate: 100,
      p50Ms: 15,
      p99Ms: 70,
    },
    ...{ serviceCpuMs: 2000, agentCpuMs: 0, bpfCpuMs: 0, rssMb: 300, agentRssMb: 0 },
    ...more,
  };
}

/** Four rounds in which both bare services differ by 1 % to either side. */
function rounds(others: Readonly<Record<string, Partial<Window>>>): readonly Window[] {
  return [0, 1, 2, 3].flatMap((round) => [
    aWindow('bare', round, { serviceCpuMs: round % 2 ? 1990 : 2010 }),
    aWindow('bare2', round, { serviceCpuMs: round % 2 ? 2010 : 1990 }),
    ...Object.entries(others).map(([name, more]) => aWindow(name, round, more)),
  ]);
}

test('what the agent and its BPF programs use is in the cost of a request, and told apart', () => {
  const windows = rounds({ flamegate: { agentCpuMs: 50, bpfCpuMs: 10, agentRssMb: 60 } });

  const flamegate = compare(windows, PAIR, seededRandom(1)).variants.find(({ name }) => name === 'flamegate');

  assert(flamegate);
  assert.equal(flamegate.cpuMsPerRequest, 2.06);
  assert.equal(flamegate.agentCpuMsPerRequest, 0.05);
  assert.equal(flamegate.bpfCpuMsPerRequest, 0.01);
  assert.equal(flamegate.nodeCpuPercent, 0.5);
  assert.equal(flamegate.nodeRssMb, 60);
  assert(Math.abs((flamegate.ratioToBare ?? 0) - 1.03) < 1e-9);
});

test('a variant within the noise of the pair is not claimed, one beyond it is, and the pair itself never', () => {
  const windows = rounds({ flags: { serviceCpuMs: 2005 }, otel: { serviceCpuMs: 2400 } });

  const { variants, noise } = compare(windows, PAIR, seededRandom(1));

  assert(noise?.floor && noise.floor < 0.02);
  const claimed = variants.filter(({ beyondNoise }) => beyondNoise).map(({ name }) => name);
  assert.deepEqual(claimed, ['otel']);
});

test('BPF time that was not measured is missing, not zero', () => {
  const [flamegate] = compare([aWindow('flamegate', 0, { bpfCpuMs: null })], PAIR, seededRandom(1)).variants;

  assert.equal(flamegate?.bpfCpuMsPerRequest, null);
});

test('without the pair there are costs, but no ratios', () => {
  const { variants, noise } = compare([aWindow('flags', 0)], PAIR, seededRandom(1));

  assert.equal(noise, null);
  assert.deepEqual([variants[0]?.cpuMsPerRequest, variants[0]?.ratioToBare], [2, null]);
});

test('a round that lacks a window is left out of the ratios', () => {
  const windows = rounds({ otel: { serviceCpuMs: 2400 } }).filter(
    ({ variant, round }) => variant !== 'otel' || round !== 2,
  );

  const { variants } = compare(windows, PAIR, seededRandom(1));

  const otel = variants.find(({ name }) => name === 'otel');
  assert(Math.abs((otel?.ratioToBare ?? 0) - 1.2) < 1e-9);
});

test('a share is saved only against what was measured in the same rounds', () => {
  const windows = rounds({ flamegate: { agentCpuMs: 40 }, otel: { serviceCpuMs: 2400 } });
  const names = { variant: 'flamegate', other: 'otel', bases: PAIR };

  const saved = savedAgainst(windows, names, seededRandom(1));

  assert(saved && Math.abs(saved.value - 0.9) < 1e-9);
  assert.equal(savedAgainst(rounds({ flamegate: {} }), names, seededRandom(1)), null);
});
