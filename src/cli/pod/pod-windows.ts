/**
 * What agents push of one pod of a cluster, window by window, as it runs. What is new is told by what was there at the first question, not
 * by a clock: this machine's may differ from the nodes'.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { podWindowsPath } from '../../wire/endpoints.ts';
import type { RecordedWindow } from '../../wire/window-lines.ts';
import { CliError } from '../cli-error.ts';
import type { ObjectName } from '../command.ts';
import type { ControllerConnection } from '../controller-connection.ts';
import { reasonOf } from '../files.ts';
import { isPassing } from '../passing.ts';
import { decodeAnswer, MAX_ANSWER_BYTES } from '../window-answers.ts';

export interface Followed {
  /** Of all its containers, those that came since the last time; may be none. */
  readonly windows: readonly RecordedWindow[];
  /** Whether they were there before anybody asked: at the first time only. */
  readonly areOld: boolean;
}

export interface FollowOptions {
  readonly signal: AbortSignal;
  readonly everyMs?: number;
  /** Ends when nothing new has come for so long. */
  readonly patienceMs?: number;
  /** Undefined where nobody watches. */
  readonly say: ((line: string) => void) | undefined;
}

const EVERY_MS = 3_000; // windows of a pod that is looked at are of 10 s
/** The agent learns of it within a second, ends its window within ten, and pushes it. Of a busy node names take a while. */
const PATIENCE_MS = 120_000;
const OVERLAP_MS = 60_000; // an agent that was away pushes late

/** Ends when it is aborted, or when its patience does. Throws CONTROLLER_REFUSED with what the controller says. */
export async function* podWindows(
  controller: ControllerConnection,
  { namespace, name }: ObjectName,
  options: FollowOptions,
): AsyncGenerator<Followed> {
  const { signal, everyMs = EVERY_MS, patienceMs = PATIENCE_MS } = options;
  const path = podWindowsPath(namespace, name);
  let seen = new Set<string>();
  let fromMs = 0;
  let cameAtMs = performance.now();
  let isFirst = true;
  while (!signal.aborted) {
    const answer = await ask(() => controller.get(`${path}?fromMs=${fromMs}`, MAX_ANSWER_BYTES), options);
    if (answer !== undefined) {
      const windows = answer.filter((window) => !seen.has(keyOf(window)));
      seen = new Set(answer.map(keyOf));
      fromMs = Math.max(fromMs, ...answer.map(({ meta }) => meta.startMs - OVERLAP_MS));
      if (windows.length > 0) cameAtMs = performance.now();
      yield { windows, areOld: isFirst };
      isFirst = false;
    }
    if (performance.now() - cameAtMs > patienceMs) return;
    await sleep(everyMs, undefined, { signal }).catch(() => undefined); // aborted: the loop ends
  }
}

async function ask(
  get: () => Promise<Buffer>,
  { say }: FollowOptions,
): Promise<readonly RecordedWindow[] | undefined> {
  try {
    return decodeAnswer((await get()).toString('utf8'));
  } catch (error) {
    if (!isPassing(error)) throw error;
    say?.(`asked in vain, will be repeated: ${reasonOf(error)}`);
    return undefined;
  }
}

const keyOf = ({ meta }: RecordedWindow): string => `${meta.podUid}/${meta.container}/${meta.startMs}`;

/** Of windows of containers that were open at the same time, how long that was. */
export function coveredMs(windows: readonly RecordedWindow[]): number {
  const ends = new Map<number, number>();
  for (const { meta } of windows) {
    ends.set(meta.startMs, Math.max(meta.endMs, ends.get(meta.startMs) ?? 0));
  }
  return [...ends].reduce((sum, [startMs, endMs]) => sum + endMs - startMs, 0);
}

export function nothingCame({ namespace, name }: ObjectName): CliError {
  const sentence = `nothing of pod ${namespace}/${name} came in two minutes: it has no JVM, or its node no agent that is ready; "flamegate status -n ${namespace}" says which`;
  return new CliError('NOTHING_SAMPLED', sentence);
}
