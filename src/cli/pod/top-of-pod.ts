/** `flamegate top --pod`: the functions that take a pod's CPU, with each window that its node's agent pushes. */
import { mergeStacks } from '../../profile/stack-counts.ts';
import type { RecordedWindow } from '../../wire/window-lines.ts';
import type { ObjectName } from '../command.ts';
import type { ControllerConnection } from '../controller-connection.ts';
import type { TopTerminal } from '../top/top-command.ts';
import { topText } from '../top/top-table.ts';
import type { PodTop } from './pod-options.ts';
import { coveredMs, nothingCame, podWindows } from './pod-windows.ts';
import type { PodSurroundings } from './record-pod.ts';

export async function topOfPod(
  controller: ControllerConnection,
  { pod, times, format }: PodTop & { readonly pod: ObjectName },
  around: TopTerminal & PodSurroundings,
): Promise<string> {
  const of = `pod ${pod.namespace}/${pod.name}`;
  around.say?.(`waiting for the next window of ${of}; the first takes some 20 s`);
  let tables = 0;
  for await (const { windows, areOld } of podWindows(controller, pod, around)) {
    const shown = areOld ? newestOf(windows) : windows;
    if (shown.length === 0) continue;
    const cpuUsec = shown.reduce((sum, { meta }) => sum + meta.cpuUsec, 0);
    const look = {
      ...{ of, atMs: Math.max(...shown.map(({ meta }) => meta.endMs)) },
      cpuPercentOfCore: cpuUsec / 10 / Math.max(1, coveredMs(shown)),
      stacks: mergeStacks(...shown.map(({ stacks }) => stacks)),
    };
    around.write(topText(look, { ...around, format }));
    if (++tables === times) return '';
  }
  if (around.signal.aborted) return '';
  throw nothingCame(pod);
}

/** A gate compares the pod: what it did last is known at once. */
function newestOf(windows: readonly RecordedWindow[]): readonly RecordedWindow[] {
  const newestMs = Math.max(...windows.map(({ meta }) => meta.startMs));
  return windows.filter(({ meta }) => meta.startMs === newestMs);
}
