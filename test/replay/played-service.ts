/** What a service of three pods an arm does, window by window, on two nodes: the same whenever it is asked. */
import { aBatch, aPodWindow, WINDOW_MS } from '../../src/store/testing/a-batch.ts';
import type { Batch } from '../../src/wire/batch-schema.ts';
import { QUIET, simulateRequests } from '../reference/simulated-requests.ts';
import { type OneCluster, podsOfNode } from './one-cluster.ts';

export interface Service {
  /** Samples that the canary needs for encoding beside the baseline's 20 a window, and from which second on. */
  readonly slow: number;
  readonly slowFromS: number;
  /** A canary pod that is gone from then on. */
  readonly podGoneAtS?: number;
}

export interface PlayedService {
  batch(node: string, number: number): Batch;
  losePod(cluster: OneCluster): void;
  /** With all pods that run on it. */
  loseNode(cluster: OneCluster, node: string): void;
}

/** Of the hour of the test: certificates are good for real time only. */
export const STARTED_MS = Math.floor(Date.now() / WINDOW_MS) * WINDOW_MS;
const GONE = 'orders-bbb-2';
const STRINGS = [
  'shop.Json.encode',
  'shop.Orders.handle',
  'shop.Http.read',
  'shop.Thread.run',
  'shop.Db.query',
];
const STACKS = [
  [0, 1, 3],
  [1, 3],
  [2, 3],
  [4, 1, 3],
];

export function aService(service: Service, seconds: number): PlayedService {
  const requests = requestsBy(seconds);
  const goneFrom = (service.podGoneAtS ?? Number.POSITIVE_INFINITY) / 10;
  return {
    batch(node, number) {
      const startMs = STARTED_MS + number * WINDOW_MS;
      const pods = podsOfNode(node)
        .filter(([pod]) => pod !== GONE || number + 1 <= goneFrom)
        .map(([pod, track]) => {
          const isSlow = track === 'canary' && number * 10 >= service.slowFromS;
          const counts = countsOf(pod, number, isSlow ? service.slow : 0);
          const of = requests.get(`${pod} ${number}`);
          return aPodWindow({
            ...{ pod, podUid: `uid-${pod}`, startedAtMs: STARTED_MS - 3_600_000, counts },
            samples: counts.reduce((sum, [, count]) => sum + count, 0),
            ...(of && { requests: of }),
          });
        });
      return aBatch({
        ...{ node, boot: `boot-of-${node}`, sequence: number, startMs, endMs: startMs + WINDOW_MS },
        ...{ strings: STRINGS, stacks: STACKS, pods },
      });
    },
    losePod({ view }) {
      view.change({ pods: view.pods().filter(({ metadata }) => metadata?.name !== GONE) });
    },
    loseNode({ view }, node) {
      view.change({ pods: view.pods().filter(({ spec }) => spec?.nodeName !== node) });
    },
  };
}

const countsOf = (pod: string, number: number, slow: number): [number, number][] =>
  [20 + slow, 120, 110, 90].map((count, stack) => [
    stack,
    count + ((number * 7 + stack * 5 + pod.length + Number(pod.at(-1))) % 11),
  ]);

/** By pod and number of the window. */
function requestsBy(seconds: number): ReadonlyMap<string, Batch['pods'][number]['requests']> {
  const { baseline, canary } = simulateRequests({
    ...{ seed: 11, requestsPerSecond: 120, canaryPart: 0.5, baselinePods: 3, canaryPods: 3 },
    ...{ windows: Math.ceil(seconds / 10), noise: QUIET },
  });
  const nameOf = (pod: string) => {
    const [arm, index] = pod.split('-');
    return `orders-${arm === 'baseline' ? 'aaa' : 'bbb'}-${Number(index) + 1}`;
  };
  return new Map(
    [...baseline, ...canary].map(({ pod, startMs, requests }) => [
      `${nameOf(pod)} ${startMs / WINDOW_MS}`,
      requests,
    ]),
  );
}
