/** Windows of a recording by arm (the Deployment they belong to), in the form src/detect judges. */
import { fileURLToPath } from 'node:url';
import { readRecording } from '../../src/cli/recording.ts';
import type { PodWindow } from '../../src/detect/pod-window.ts';
import type { RecordedWindow } from '../../src/wire/window-lines.ts';

export interface RecordedArms {
  readonly arms: ReadonlyMap<string, readonly PodWindow[]>;
  readonly startedAtMs: number;
}

export async function readArms(name: string): Promise<RecordedArms> {
  const directory = fileURLToPath(new URL(`../fixtures/recordings/${name}`, import.meta.url));
  const { windows } = await readRecording(directory);
  const arms = Map.groupBy(windows.map(inArm), ({ arm }) => arm);
  return {
    arms: new Map([...arms].map(([arm, ofArm]) => [arm, ofArm.map(({ window }) => window)])),
    startedAtMs: Math.min(...windows.map(({ meta }) => meta.startMs)),
  };
}

function inArm({ meta, stacks, requests }: RecordedWindow): {
  readonly arm: string;
  readonly window: PodWindow;
} {
  const { podUid, container, startMs, endMs, startedAtMs, samples, lost, hz, cpuUsec, throttledUsec, flags } =
    meta;
  // A Deployment's pod is called DEPLOYMENT-HASH-ID.
  const arm = meta.pod.split('-').slice(0, -2).join('-');
  const counts = { samplesTaken: samples, samplesLost: lost, hz, cpuUsec, throttledUsec };
  const times = { startMs, endMs, podStartedAtMs: startedAtMs };
  return {
    arm,
    window: {
      pod: `${podUid}/${container}`,
      ...times,
      ...counts,
      flags,
      stacks,
      ...(requests && { requests }),
    },
  };
}
