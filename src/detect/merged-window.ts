/** One pod's windows between two looks as one: what an evaluation adds up is the same, and a tenth as much is kept. */
import { addJavaSamples } from '../profile/java-samples.ts';
import type { WindowStacks } from '../profile/shared-stacks.ts';
import { mergeRows, type RequestWindow, type RouteWindow } from '../requests/request-window.ts';
import type { PodWindow, StackCount } from './pod-window.ts';

type MergeStacks = (windows: readonly PodWindow[]) => WindowStacks;

/** Of windows of one pod, at least one. Places are left out: no verdict looks at them. */
export function mergeWindows(
  windows: readonly [PodWindow, ...PodWindow[]],
  stacksOf: MergeStacks = mergeStacks,
): PodWindow {
  const [first] = windows;
  const sum = (numberOf: (window: PodWindow) => number): number =>
    windows.reduce((whole, window) => whole + numberOf(window), 0);
  const java = windows.map((window) => window.java).reduce(addJavaSamples, undefined);
  const requests = mergeRequests(windows.flatMap((window) => window.requests ?? []));
  return {
    pod: first.pod,
    startMs: Math.min(...windows.map(({ startMs }) => startMs)),
    endMs: Math.max(...windows.map(({ endMs }) => endMs)),
    podStartedAtMs: first.podStartedAtMs,
    samplesTaken: sum(({ samplesTaken }) => samplesTaken),
    samplesLost: sum(({ samplesLost }) => samplesLost),
    hz: first.hz,
    cpuUsec: sum(({ cpuUsec }) => cpuUsec),
    throttledUsec: sum(({ throttledUsec }) => throttledUsec),
    flags: first.flags,
    ...(first.host && { host: first.host }),
    stacks: stacksOf(windows),
    ...(java && { java }),
    ...(requests && { requests }),
  };
}

/** By the array of frames, which windows of a store share. */
function mergeStacks(windows: readonly PodWindow[]): readonly StackCount[] {
  const counts = new Map<readonly string[], number>();
  for (const { stacks } of windows) {
    for (const { frames, count } of stacks) counts.set(frames, (counts.get(frames) ?? 0) + count);
  }
  return [...counts].map(([frames, count]) => ({ frames, count }));
}

/** Of windows of one pod; undefined of none. */
export function mergeRequests(windows: readonly RequestWindow[]): RequestWindow | undefined {
  const [first] = windows;
  if (first === undefined || windows.length === 1) return first;
  const rows = new Map<string, RouteWindow>();
  for (const row of windows.flatMap(({ routes }) => routes)) {
    const key = `${row.method} ${row.route} ${row.byPattern === true}`;
    const known = rows.get(key);
    rows.set(key, known === undefined ? row : mergeRows(known, row));
  }
  return {
    ...(windows.find(({ state }) => state === 'Seen') ?? first),
    lost: windows.reduce((lost, window) => lost + window.lost, 0),
    routes: [...rows.values()],
  };
}
