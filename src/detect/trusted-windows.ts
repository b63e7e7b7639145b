/**
 * The windows of a block that nothing is the matter with: no throttling that only the canary has, no compiler at work, no larger load
 * of a pod, and beside each pod some of the other arm on the same model of CPU. What a latency shows in all windows has to be
 * there in these too. Which they are is told by what windows say beside their latencies, never by these.
 */
import type { WindowTrouble } from './doubt.ts';
import type { ArmWindows } from './looks.ts';
import { type GateFacts, loadRatioIn, partOf, servedIn, windowIsThrottled } from './pod-facts.ts';
import type { PodWindow } from './pod-window.ts';

export interface TrustedPart {
  /** Windows to be compared with each other; undefined: all of the block, as they are. */
  readonly groups: readonly ArmWindows[] | undefined;
  /** Time of the canary's windows that are in no group, by what is the matter. */
  readonly leftOut: ReadonlyMap<WindowTrouble, number>;
  /** Pods of the block are on several models of CPU. */
  readonly byCpu: boolean;
  /** Of all of the canary's windows. */
  readonly canaryMs: number;
}

const LARGEST_LOAD_RATIO = 1.3;
const LOST_PART = 0.05; // of the requests of a window
// Throttled windows of both arms alike are how the service lives. More than a half more, and a twentieth, are not alike.
const MORE_THROTTLED = { times: 1.5, plus: 0.05 };
const FEWEST_BESIDE = 2; // baseline pods, in a group

/** `facts`: with this block. */
export function trustedPart(block: ArmWindows, facts: GateFacts): TrustedPart {
  const left = new LeftOutTime();
  const trouble = troubleIn(facts);
  const trusted = (windows: readonly PodWindow[]): PodWindow[] =>
    windows.filter((window) => trouble(window) === undefined);
  const isOverloaded = loadRatioIn(block) > LARGEST_LOAD_RATIO;
  for (const window of block.canary) {
    const kind = trouble(window) ?? (isOverloaded ? 'UnequalLoad' : undefined);
    if (kind !== undefined) left.add(kind, window);
  }
  const canaryMs = msOf(block.canary);
  const baseline = trusted(block.baseline);
  const canary = isOverloaded ? [] : trusted(block.canary);
  const groups = groupsByCpu({ baseline, canary });
  const compared = groups.filter((group) => podsIn(group.baseline) >= FEWEST_BESIDE);
  for (const group of groups) {
    if (!compared.includes(group) && groups.length > 1) {
      for (const window of group.canary) left.add('SlowerCpu', window);
    }
  }
  const isWhole = left.byKind.size === 0 && groups.length === 1 && baseline.length === block.baseline.length;
  return { groups: isWhole ? undefined : compared, leftOut: left.byKind, byCpu: groups.length > 1, canaryMs };
}

class LeftOutTime {
  readonly byKind = new Map<WindowTrouble, number>();

  add(kind: WindowTrouble, { startMs, endMs }: PodWindow): void {
    this.byKind.set(kind, (this.byKind.get(kind) ?? 0) + endMs - startMs);
  }
}

const msOf = (windows: readonly PodWindow[]): number =>
  windows.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);

const podsIn = (windows: readonly PodWindow[]): number => new Set(windows.map(({ pod }) => pod)).size;

function troubleIn(facts: GateFacts): (window: PodWindow) => WindowTrouble | undefined {
  const throttledApart = isThrottledApart(facts);
  return (window) => {
    if (throttledApart && windowIsThrottled(window)) return 'Throttled';
    if (facts.maturity.isBehind(window.pod)) return 'WarmUp';
    const { requests } = window;
    if (requests !== undefined && requests.lost > LOST_PART * (requests.lost + servedIn(window)))
      return 'SamplesLost';
    return undefined;
  };
}

/** Whether the canary is throttled and the baseline is not, or much less. */
export function isThrottledApart({ baseline, canary }: GateFacts): boolean {
  const usual = partOf(baseline, 'throttledMs', 'windowMs');
  return partOf(canary, 'throttledMs', 'windowMs') > MORE_THROTTLED.times * usual + MORE_THROTTLED.plus;
}

/** Where one window does not tell its CPU, nothing is known of any. */
function groupsByCpu({ baseline, canary }: ArmWindows): ArmWindows[] {
  const modelOf = ({ host }: PodWindow): string => host?.cpuModel ?? '';
  if ([...baseline, ...canary].some((window) => modelOf(window) === '')) return [{ baseline, canary }];
  const models = [...new Set([...baseline, ...canary].map(modelOf))].sort();
  return models.map((model) => ({
    baseline: baseline.filter((window) => modelOf(window) === model),
    canary: canary.filter((window) => modelOf(window) === model),
  }));
}
