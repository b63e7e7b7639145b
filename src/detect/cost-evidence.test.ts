import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../test/reference/simulated-pods.ts';
import { countOf } from '../requests/latency-sketch.ts';
import { aRequestWindow, aRoute } from '../requests/testing/a-request-window.ts';
import { CostCells, weighCost } from './cost-evidence.ts';
import type { PodWindow } from './pod-window.ts';

const BLOCKS = 10;
const FIXED_USEC = 60_000; // a second, without any request
const PER_REQUEST_USEC = 1_000;

interface Service {
  readonly pods: number;
  readonly requestsPerSecond: number;
  /** What a request costs, beside the baseline's. */
  readonly cost?: number;
  readonly fixedUsec?: number;
  readonly seed: number;
}

/** Pods that differ by 1 % and stray by 1 %, whose load goes up and down by a third. */
function cellsOf({ pods, requestsPerSecond, cost = 1, fixedUsec = FIXED_USEC, seed }: Service): CostCells {
  const random = seededRandom(seed);
  const about = (spread: number): number => 1 + spread * (2 * random() - 1) * Math.sqrt(3);
  const cells = new CostCells();
  for (let pod = 0; pod < pods; pod++) {
    const speed = about(0.01);
    for (let at = 0; at < BLOCKS * 12; at++) {
      const requests = Math.round(10 * requestsPerSecond * (1 + 0.33 * Math.sin(at / 9)));
      const cpuUsec = Math.round((10 * fixedUsec + requests * PER_REQUEST_USEC * cost) * speed * about(0.01));
      cells.add(Math.floor(at / 12), aWindow(`pod-${pod}`, at, cpuUsec, requests));
    }
  }
  return cells;
}

function aWindow(pod: string, at: number, cpuUsec: number, requests: number): PodWindow {
  const latency = [426, requests];
  return {
    ...{ pod, startMs: at * 10_000, endMs: (at + 1) * 10_000, podStartedAtMs: -600_000 },
    ...{ samplesTaken: 0, samplesLost: 0, hz: 49, cpuUsec, throttledUsec: 0, flags: '', stacks: [] },
    requests: aRequestWindow({ routes: [aRoute({ latency, answers: [0, 0, countOf(latency), 0, 0, 0] })] }),
  };
}

const BASELINE: Service = { pods: 12, requestsPerSecond: 100, seed: 1 };

const weighed = (canary: Partial<Service>, baseline: Service = BASELINE) =>
  weighCost({
    cells: {
      canary: cellsOf({ pods: 3, requestsPerSecond: 35, seed: 2, ...canary }),
      baseline: cellsOf(baseline),
    },
    ...{ margin: 0.1, alpha: 0.001, boundFactor: 2.5 },
  });

test('a canary with a third of the load is no dearer for what it burns without requests', () => {
  const evidence = weighed({});

  // Divided by its requests alone it would seem dearer by two thirds: (60 + 35) / 35 against (60 + 100) / 100.
  assert.ok(Math.abs(evidence?.effect ?? 1) < 0.05, `${evidence?.effect}`);
  assert.equal(evidence?.isProven, false);
});

test('requests that cost half as much again are proven, at the same load and at another', () => {
  const same = weighed({ requestsPerSecond: 100, cost: 1.5 });
  const less = weighed({ cost: 1.5 });

  assert.equal(same?.isProven, true);
  assert.ok(Math.abs(same.effect - Math.log(210 / 160)) < 0.03, `${same.effect}`);
  assert.equal(less?.isProven, true);
});

test('where load never differed, another load is paid for with a wider interval', () => {
  const steady = (service: Service): CostCells => {
    const cells = new CostCells();
    for (let pod = 0; pod < service.pods; pod++) {
      for (let at = 0; at < 120; at++) {
        const requests = 10 * service.requestsPerSecond;
        const cpuUsec = 10 * FIXED_USEC + requests * PER_REQUEST_USEC;
        cells.add(Math.floor(at / 12), aWindow(`pod-${pod}`, at, cpuUsec, requests));
      }
    }
    return cells;
  };
  const at = (requestsPerSecond: number) =>
    weighCost({
      cells: { canary: steady({ pods: 3, requestsPerSecond, seed: 1 }), baseline: steady(BASELINE) },
      ...{ margin: 0.1, alpha: 0.001, boundFactor: 2.5 },
    });

  const equal = at(100);
  const third = at(35);

  assert.ok(Math.abs(equal?.effect ?? 1) < 1e-9);
  assert.ok((equal?.half ?? 1) < 0.1);
  assert.ok((third?.half ?? 0) > 0.3);
  assert.equal(third?.isProven, false);
});

test('windows without requests to divide by are no part of it', () => {
  const cells = new CostCells();
  const { requests: _, ...unwatched } = aWindow('pod-1', 0, 5_000_000, 10);
  cells.add(0, unwatched);

  assert.equal(
    weighCost({ cells: { canary: cells, baseline: cells }, margin: 0.1, alpha: 0.001, boundFactor: 2 }),
    undefined,
  );
});
