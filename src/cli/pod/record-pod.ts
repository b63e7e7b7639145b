/**
 * `flamegate record --pod`: a profile of a pod of a cluster, as its node's agent samples it: by the rate of its policy, named as everything
 * is that agents push. Nothing is started beside the pod, and nothing restarts.
 */
import { mergeStacks, type StackCount, totalCount } from '../../profile/stack-counts.ts';
import type { RecordedWindow } from '../../wire/window-lines.ts';
import { CliError } from '../cli-error.ts';
import type { ObjectName } from '../command.ts';
import type { ControllerConnection } from '../controller-connection.ts';
import { checkWritable, reasonOf } from '../files.ts';
import { functionsText } from '../functions-text.ts';
import { visible } from '../visible.ts';
import { writeProfile } from '../write-profile.ts';
import type { PodRecord } from './pod-options.ts';
import { coveredMs, nothingCame, podWindows } from './pod-windows.ts';

export interface PodSurroundings {
  readonly signal: AbortSignal;
  /** Undefined where nobody watches. */
  readonly say: ((line: string) => void) | undefined;
  readonly everyMs?: number;
  readonly patienceMs?: number;
}

const MOST_ROWS = 10;

export async function recordPod(
  controller: ControllerConnection,
  { pod, durationMs, output }: PodRecord & { readonly pod: ObjectName },
  around: PodSurroundings,
): Promise<string> {
  const name = `pod ${pod.namespace}/${pod.name}`;
  await checkWritable(output);
  around.say?.(`recording ${name} for ${durationMs / 1_000} s; Ctrl-C ends it early`);
  const profile = createPodProfile();
  const notes: string[] = [];
  try {
    for await (const { windows, areOld } of podWindows(controller, pod, around)) {
      if (areOld) continue;
      profile.add(windows);
      if (windows.length > 0) around.say?.(`${seconds(profile.coveredMs())} of ${durationMs / 1_000} s`);
      if (profile.coveredMs() >= durationMs) break;
    }
  } catch (error) {
    if (profile.coveredMs() === 0) throw error;
    notes.push(`it ended early: ${reasonOf(error)}`);
  }
  const { stacks, startMs, endMs, frequencyHz, told } = profile.finish();
  if (profile.coveredMs() === 0) throw around.signal.aborted ? endedBefore(name) : nothingCame(pod);
  if (stacks.length === 0) {
    throw new CliError('NOTHING_SAMPLED', `${name} used no CPU in ${seconds(profile.coveredMs())} s`);
  }
  await writeProfile(output, stacks, { startMs, endMs, frequencyHz });
  const samples = `${totalCount(stacks).toLocaleString('en')} samples of ${seconds(profile.coveredMs())} s`;
  const all = [samples, ...told, ...notes].map(visible);
  return `wrote ${output}: ${all.join('; ')}\n\n${functionsText(stacks, MOST_ROWS)}`;
}

const seconds = (ms: number): string => (ms / 1_000).toFixed(1);

const endedBefore = (name: string): CliError =>
  new CliError('NOTHING_SAMPLED', `it was ended before a window of ${name} came: the first takes some 20 s`);

/** Of many windows one profile. */
function createPodProfile() {
  let stacks: readonly StackCount[] = [];
  const metas: RecordedWindow['meta'][] = [];
  let covered = 0;
  return {
    add(windows: readonly RecordedWindow[]): void {
      stacks = mergeStacks(stacks, ...windows.map((window) => window.stacks));
      metas.push(...windows.map(({ meta }) => meta));
      covered += coveredMs(windows);
    },
    coveredMs: () => covered,
    finish: () => ({
      stacks,
      startMs: Math.min(...metas.map(({ startMs }) => startMs)),
      endMs: Math.max(...metas.map(({ endMs }) => endMs)),
      frequencyHz: meanHz(metas),
      told: toldOf(metas),
    }),
  };
}

/** Where a gate has raised the rate meanwhile: that by which all samples together are as much CPU as each by its own. */
function meanHz(metas: readonly RecordedWindow['meta'][]): number {
  const samples = metas.reduce((sum, meta) => sum + meta.samples, 0);
  const cpuS = metas.reduce((sum, meta) => sum + meta.samples / meta.hz, 0);
  return samples === 0 ? 1 : samples / cpuS;
}

function toldOf(metas: readonly RecordedWindow['meta'][]): readonly string[] {
  const rates = [...new Set(metas.map(({ hz }) => hz))].sort((a, b) => a - b);
  const containers = Map.groupBy(metas, ({ container }) => container);
  const lost = metas.reduce((sum, meta) => sum + meta.lost, 0);
  return [
    `at ${rates.join(' and ')} Hz`,
    ...[...containers].map(([container, ofContainer]) => {
      const jdk = ofContainer.findLast((meta) => meta.jdk !== '')?.jdk;
      return `container ${container}${jdk === undefined ? '' : ` (JDK ${jdk})`}`;
    }),
    ...(lost > 0 ? [`${lost.toLocaleString('en')} samples lost`] : []),
  ];
}
