/** The field `live` of bench/results/jvm.json, step by step: a run that is cut short keeps what it has. */
import { execFileSync } from 'node:child_process';
import { RELEASES } from '../../src/jvm/testing/a-jvm.ts';
import {
  type LiveCost,
  type LiveLeaf,
  type Met,
  measureLiveCost,
  measureLiveLeaf,
  measureMet,
} from './live.ts';
import { readResult } from './written-result.ts';

export type LiveFigures = ReturnType<typeof liveFigures>;

const STARTS = Number(process.env['LIVE_STARTS'] ?? 100);
const SECONDS = Number(process.env['LIVE_SECONDS'] ?? 30);
const ROUNDS = Number(process.env['LIVE_ROUNDS'] ?? 3);
const COST_RELEASE = 17; // of which the code cache holds the debug information too

/** `write`: called after each step. */
export async function measureLive(write: (figures: LiveFigures) => void): Promise<void> {
  const met = await measureMet(STARTS);
  console.log(met);
  write(liveFigures(met, [], undefined));
  const leaves: LiveLeaf[] = [];
  for (const release of RELEASES) {
    leaves.push(await measureLiveLeaf(release, SECONDS));
    console.log(leaves.at(-1));
    write(liveFigures(met, leaves, undefined));
  }
  if (ROUNDS === 0) return;
  const cost = await measureLiveCost(COST_RELEASE, ROUNDS, SECONDS);
  console.log(cost);
  write(liveFigures(met, leaves, cost));
}

/** Of the result that is there. */
export function liveFiguresEarlier(): LiveFigures | null {
  return readResult().live;
}

function liveFigures(met: Met, leaves: readonly LiveLeaf[], cost: LiveCost | undefined) {
  const of = (release: number) => leaves.find((leaf) => leaf.release === release);
  return {
    metWithin300msShare: met.within300ms,
    selfDistanceToFlag: Object.fromEntries(
      RELEASES.map((release) => [String(release), of(release)?.live ?? null]),
    ),
    codeCacheGrowthShare: cost ? median(cost.codeCache) : null,
    cpuPerRequestRatio: cost ? median(cost.cpuPerRequest) : null,
    noise: { cpuPerRequestRatio: cost ? median(cost.cpuPerRequestNoise) : null },
    ...{ met, leaves, cost: cost ?? null },
    date: new Date().toISOString(),
    commit: execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim(),
  };
}

function median(values: readonly number[]): number | null {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? null;
}
