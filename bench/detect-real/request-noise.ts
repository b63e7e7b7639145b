/**
 * How far unchanged pods stray in what gates compare of requests: quantiles of latency and CPU a request. Each pod is held against all
 * of them in the same two minutes, so that what a moment did to everybody is no noise. The counts are those that src/detect
 * weighs; nothing here is filled up with an assumption.
 */
import { ASSUMED_OF_COST } from '../../src/detect/cost-evidence.ts';
import { AGEING_SD, ASSUMED_OF_LATENCY, slowerThan } from '../../src/detect/latency-evidence.ts';
import { LOOK_MS } from '../../src/detect/looks.ts';
import { BLOCK_MS } from '../../src/detect/request-spread.ts';
import { addSketch, createHistogram, densityAt, logQuantile } from '../../src/requests/latency-histogram.ts';
import { comparableRow, type RouteWindow, requestsIn } from '../../src/requests/request-window.ts';
import type { RecordedPod } from './recorded-pods.ts';

export interface RequestNoise {
  /** `P50 latency`, `P99 latency of /orders/{id}`, `CPU a request`. */
  readonly measure: string;
  /** Of all pods together, in milliseconds. */
  readonly ms: number;
  readonly pods: number;
  readonly blocks: number;
  /** Of the logarithm, between pods: what stays. */
  readonly podSd: number;
  /** Of a pod's block of two minutes beyond what sampling explains; of CPU all of it. */
  readonly waveSd: number;
  /** Between what a pod was in the first and the second half of its time. */
  readonly ageingSd: number;
  /** Variance of blocks over that of independent requests; null: CPU is no count. */
  readonly phi120: number | null;
  readonly phi600: number | null;
  /** Of a pod's blocks that begin 120 and 600 s apart. */
  readonly correlation120: number;
  readonly correlation600: number;
  readonly assumed: { readonly podSd: number; readonly waveSd: number; readonly ageingSd: number | null };
}

/** A pod in a block of time. */
interface Cell {
  readonly block: number;
  /** Of the logarithm, from that of all pods in the block. */
  readonly off: number;
  /** Variance of it by sampling alone. */
  readonly sampling: number;
}
type Rows = readonly (readonly Cell[])[];

const LONG = 5; // blocks in 600 s
const FEWEST_BLOCKS = 3 * LONG;
const WHOLE_PART = 0.5; // of the median block's requests; the first and last blocks of a pod are cut

interface Block {
  readonly block: number;
  readonly routes: readonly RouteWindow[];
  readonly requests: number;
  readonly cpuUsec: number;
}

const LEAST_OF_A_ROUTE = 0.1; // of all requests

/**
 * A line for each quantile, of all requests and of each route that has many, and one for CPU; none where pods served for too short a
 * time. The quantile of all may fall between a fast and a slow route, where few requests are: there it strays most.
 */
export function measureRequestNoise(
  pods: readonly RecordedPod[],
  quantiles: readonly number[],
): readonly RequestNoise[] {
  const served = wholeBlocks(pods.map(blocksOfPod)).filter(({ length }) => length >= FEWEST_BLOCKS);
  if (served.length < 2) return [];
  const latency = [undefined, ...routesOf(served)].flatMap((route) =>
    quantiles.map((quantile) => latencyNoise(served, quantile, route)),
  );
  return [...latency, costNoise(served)];
}

/** None where there is but one. */
function routesOf(pods: readonly Block[][]): string[] {
  const rows = pods.flat().flatMap(({ routes }) => routes);
  const routes = [...Map.groupBy(rows, ({ route }) => route)]
    .filter(([, ofRoute]) => requestsIn(ofRoute) >= LEAST_OF_A_ROUTE * requestsIn(rows))
    .map(([route]) => route);
  return routes.length > 1 ? routes.sort() : [];
}

function blocksOfPod({ looks }: RecordedPod): Block[] {
  const byBlock = Map.groupBy(looks.values(), ({ startMs }) => Math.floor(startMs / BLOCK_MS));
  return [...byBlock]
    .filter(([, windows]) => windows.length === BLOCK_MS / LOOK_MS)
    .map(([block, windows]) => {
      const routes = windows.flatMap(({ requests }) => requests?.routes.map(comparableRow) ?? []);
      return {
        block,
        routes,
        requests: requestsIn(routes),
        cpuUsec: windows.reduce((sum, { cpuUsec }) => sum + cpuUsec, 0),
      };
    })
    .sort((a, b) => a.block - b.block);
}

function wholeBlocks(pods: readonly Block[][]): Block[][] {
  const sizes = pods.flatMap((blocks) => blocks.map(({ requests }) => requests)).sort((a, b) => a - b);
  const least = Math.max(1, WHOLE_PART * (sizes[Math.floor(sizes.length / 2)] ?? 0));
  return pods.map((blocks) => blocks.filter(({ requests }) => requests >= least));
}

function latencyNoise(all: readonly Block[][], quantile: number, route: string | undefined): RequestNoise {
  const pods = all.map((blocks) =>
    blocks
      .map(({ block, routes }) => ({
        block,
        routes: routes.filter((row) => route === undefined || row.route === route),
      }))
      .filter(({ routes }) => routes.length > 0),
  );
  const histogram = createHistogram();
  for (const { routes } of pods.flat()) for (const { latency } of routes) addSketch(histogram, latency);
  const threshold = logQuantile(histogram, quantile);
  const density = densityAt(histogram, threshold);
  const counted = pods.map((blocks) =>
    blocks.map(({ block, routes }) => ({ block, ...slowerThan(routes, threshold) })),
  );
  const parts = new Map(
    [...Map.groupBy(counted.flat(), ({ block }) => block)].map(([block, cells]) => {
      const requests = cells.reduce((sum, cell) => sum + cell.requests, 0);
      return [block, cells.reduce((sum, cell) => sum + cell.counted, 0) / requests] as const;
    }),
  );
  const rows = counted.map((cells) =>
    cells.map((cell) => {
      const part = parts.get(cell.block) ?? 0;
      return {
        block: cell.block,
        off: (cell.counted / cell.requests - part) / density,
        sampling: (part * (1 - part)) / cell.requests / density ** 2,
      };
    }),
  );
  const { podSd, waveSd } = ASSUMED_OF_LATENCY;
  return {
    measure: `P${Number((quantile * 100).toFixed(3))} latency${route === undefined ? '' : ` of ${route}`}`,
    ms: Math.exp(threshold) / 1_000,
    ...spreadOf(rows, parts.size),
    assumed: { podSd, waveSd, ageingSd: AGEING_SD },
  };
}

function costNoise(pods: readonly Block[][]): RequestNoise {
  const sums = new Map(
    [...Map.groupBy(pods.flat(), ({ block }) => block)].map(([block, cells]) => {
      const cpuUsec = cells.reduce((sum, cell) => sum + cell.cpuUsec, 0);
      return [block, cpuUsec / cells.reduce((sum, cell) => sum + cell.requests, 0)] as const;
    }),
  );
  const rows = pods.map((blocks) =>
    blocks.map(({ block, cpuUsec, requests }) => ({
      block,
      off: Math.log(cpuUsec / requests / (sums.get(block) ?? 1)),
      sampling: 0,
    })),
  );
  const { podSd, waveSd } = ASSUMED_OF_COST;
  const usec = [...sums.values()].reduce((sum, one) => sum + one, 0) / sums.size;
  const spread = { ...spreadOf(rows, sums.size), phi120: null, phi600: null };
  return {
    measure: 'CPU a request',
    ms: usec / 1_000,
    ...spread,
    assumed: { podSd, waveSd, ageingSd: null },
  };
}

function spreadOf(rows: Rows, blocks: number) {
  const means = rows.map((row) => meanOf(row.map(({ off }) => off)));
  const short = rows.map((row, pod) => row.map((cell) => ({ ...cell, off: cell.off - (means[pod] ?? 0) })));
  const long = short.map(longBlocks);
  // Against the others' mean each cell loses a part of what it strays, and against its own mean another.
  const lost = (1 - 1 / rows.length) * (1 - rows.length / Math.max(1, rows.flat().length));
  const shortVariance = meanOf(short.flat().map(({ off }) => off ** 2)) / lost;
  const longLost = (1 - 1 / rows.length) * (1 - rows.length / Math.max(1, long.flat().length));
  const longVariance = meanOf(long.flat().map(({ off }) => off ** 2)) / longLost;
  const sampling = meanOf(short.flat().map((cell) => cell.sampling));
  // Of the mean of many blocks: waves that are longer than one do not average out as fast.
  const perBlock = Math.max(shortVariance, LONG * longVariance);
  const meanNoise = meanOf(rows.map((row) => perBlock / row.length));
  const halves = short.map(changeOf);
  return {
    pods: rows.length,
    blocks,
    podSd: rootOf(varianceOf(means) - meanNoise),
    waveSd: rootOf(shortVariance - sampling),
    ageingSd: rootOf(varianceOf(halves) - 4 * meanNoise), // two means, of half the blocks each
    phi120: shortVariance / sampling,
    phi600: (LONG * longVariance) / sampling,
    correlation120: correlation(short, 1),
    correlation600: correlation(short, LONG),
  };
}

function longBlocks(row: readonly Cell[]): Cell[] {
  return [...Map.groupBy(row, ({ block }) => Math.floor(block / LONG))]
    .filter(([, cells]) => cells.length === LONG)
    .map(([block, cells]) => ({
      block,
      off: meanOf(cells.map(({ off }) => off)),
      sampling: meanOf(cells.map((cell) => cell.sampling)) / LONG,
    }));
}

function changeOf(row: readonly Cell[]): number {
  const half = Math.floor(row.length / 2);
  const mean = (cells: readonly Cell[]): number => meanOf(cells.map(({ off }) => off));
  return mean(row.slice(half)) - mean(row.slice(0, half));
}

function correlation(rows: Rows, lag: number): number {
  const pairs = rows.flatMap((row) => {
    const byBlock = new Map(row.map(({ block, off }) => [block, off]));
    return row.flatMap(({ block, off }) => {
      const later = byBlock.get(block + lag);
      return later === undefined ? [] : [off * later];
    });
  });
  return meanOf(pairs) / meanOf(rows.flat().map(({ off }) => off ** 2));
}

const meanOf = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

function varianceOf(values: readonly number[]): number {
  const mean = meanOf(values);
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length - 1);
}

const rootOf = (variance: number): number => Math.sqrt(Math.max(0, variance));
