/** What pods that were just started take more than old ones of the same version: by their age, and by what they have served since. */
import { LOOK_MS } from '../../src/detect/looks.ts';
import { servedIn } from '../../src/detect/pod-facts.ts';
import type { PodWindow } from '../../src/detect/pod-window.ts';
import {
  addSketch,
  createHistogram,
  type LatencyHistogram,
  logQuantile,
} from '../../src/requests/latency-histogram.ts';
import { requestsIn } from '../../src/requests/request-window.ts';
import type { RecordedPod } from './recorded-pods.ts';

export interface YoungPods {
  /** `age`: minutes since the container started; `served`: requests of one pod since then. */
  readonly by: 'age' | 'served';
  readonly from: number;
  /** Null: all beyond. */
  readonly to: number | null;
  readonly requests: number;
  /** Over that of old pods in the same looks. */
  readonly cpuRatio: number;
  /** The same of the median latency, route by route, weighted by requests. */
  readonly p50Ratio: number;
}

const AGE_EDGES = [0, 2, 4, 6, 8, 12, 16, 24];
const SERVED_EDGES = [0, 100, 200, 400, 600, 800, 1_600, 3_200];
const FEWEST = 100; // requests of a line

/** What an unchanged pod did in a look, and what old ones did in it. */
interface Beside {
  readonly ageMinutes: number;
  readonly served: number;
  readonly young: PodWindow;
  readonly old: readonly PodWindow[];
}

/** `old`: those that were there, warm, from the recording's begin. */
export function measureYoungPods(
  young: readonly RecordedPod[],
  old: readonly RecordedPod[],
): readonly YoungPods[] {
  const looks = young.flatMap((pod) => besideOld(pod, old));
  return [
    ...lines('age', AGE_EDGES, looks, ({ ageMinutes }) => ageMinutes),
    ...lines('served', SERVED_EDGES, looks, ({ served }) => served),
  ];
}

function besideOld({ looks, cold }: RecordedPod, old: readonly RecordedPod[]): Beside[] {
  let served = 0;
  const all = [...cold, ...looks].sort(([a], [b]) => a - b);
  return all.map(([look, young]) => {
    const before = served;
    served += servedIn(young);
    return {
      ageMinutes: (look * LOOK_MS - young.podStartedAtMs) / 60_000,
      served: before,
      young,
      old: old.flatMap((pod) => pod.looks.get(look) ?? []),
    };
  });
}

function lines(
  by: YoungPods['by'],
  edges: readonly number[],
  looks: readonly Beside[],
  positionOf: (look: Beside) => number,
): YoungPods[] {
  return edges.flatMap((from, at) => {
    const to = edges[at + 1];
    const within = looks.filter(
      (look) => positionOf(look) >= from && (to === undefined || positionOf(look) < to),
    );
    const requests = within.reduce((sum, { young }) => sum + servedIn(young), 0);
    if (requests < FEWEST) return [];
    return [
      { by, from, to: to ?? null, requests, cpuRatio: cpuRatioOf(within), p50Ratio: p50RatioOf(within) },
    ];
  });
}

/** As if the old pods had served as many in each look: what a moment costs everybody is in both. */
function cpuRatioOf(looks: readonly Beside[]): number {
  let burnt = 0;
  let expected = 0;
  for (const { young, old } of looks) {
    const oldRequests = old.reduce((sum, window) => sum + servedIn(window), 0);
    if (oldRequests === 0) continue;
    burnt += young.cpuUsec;
    expected += (servedIn(young) * old.reduce((sum, { cpuUsec }) => sum + cpuUsec, 0)) / oldRequests;
  }
  return burnt / expected;
}

function p50RatioOf(looks: readonly Beside[]): number {
  const routes = new Set(
    looks.flatMap(({ young }) => young.requests?.routes.map(({ route }) => route) ?? []),
  );
  let weighted = 0;
  let weight = 0;
  for (const route of routes) {
    const young = histogramOf(
      looks.map((look) => look.young),
      route,
    );
    const old = histogramOf(
      looks.flatMap((look) => look.old),
      route,
    );
    const log = logQuantile(young.histogram, 0.5) - logQuantile(old.histogram, 0.5);
    if (young.requests < FEWEST / 4 || !Number.isFinite(log)) continue;
    weighted += young.requests * log;
    weight += young.requests;
  }
  return Math.exp(weighted / weight);
}

function histogramOf(
  windows: readonly PodWindow[],
  route: string,
): { readonly histogram: LatencyHistogram; readonly requests: number } {
  const histogram = createHistogram();
  const rows = windows.flatMap(({ requests }) => requests?.routes.filter((row) => row.route === route) ?? []);
  for (const { latency } of rows) addSketch(histogram, latency);
  return { histogram, requests: requestsIn(rows) };
}
