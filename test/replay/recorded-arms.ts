/** Windows of a recording by arm (the Deployment they belong to), in the form src/detect judges. */
import { fileURLToPath } from 'node:url';
import { podWindowOf } from '../../src/cli/past-evaluations.ts';
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

function inArm(recorded: RecordedWindow): { readonly arm: string; readonly window: PodWindow } {
  // A Deployment's pod is called DEPLOYMENT-HASH-ID.
  const arm = recorded.meta.pod.split('-').slice(0, -2).join('-');
  return { arm, window: podWindowOf(recorded) };
}
