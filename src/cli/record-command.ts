/** `flamegate record`: pulls the windows of real pods, unchanged, until its time is over. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type KubeClient, kubeClient } from '../kube/client.ts';
import { windowsPath } from '../wire/endpoints.ts';
import { CliError } from './cli-error.ts';
import { clusterConfig } from './cluster-config.ts';
import type { Command } from './command.ts';
import { type ControllerConnection, openController } from './controller-connection.ts';
import { reasonOf } from './files.ts';
import { mergeEvaluations, readEvaluations, writeEvaluations } from './kept-evaluations.ts';
import { isPassing } from './passing.ts';
import type { KeptEvaluations } from './past-evaluations.ts';
import { createRecording, type RecordingWriter } from './recording.ts';
import { decodeAnswer, MAX_ANSWER_BYTES } from './window-answers.ts';

type RecordOptions = Extract<Command, { kind: 'record' }>;

interface Surroundings {
  readonly say: (line: string) => void;
  /** Ends the recording early, whole. */
  readonly signal: AbortSignal;
}

/** Agents push late after a reconnect; what came in time already is left out by its key. */
const OVERLAP_MS = 5 * 60_000;
/** The controller keeps an hour: after this many failed polls in a row windows would be missing without a word. */
const RETENTION_MS = 60 * 60_000;

export async function runRecord(options: RecordOptions, around: Surroundings): Promise<string> {
  const { namespace, selector } = options;
  const config = clusterConfig(options.cluster);
  const controller = await openController(config, options.cluster);
  const startedAtMs = Date.now();
  const recording = await createRecording(options.output, { namespace, selector, startedAtMs });
  const endsAtMs = startedAtMs + options.durationMs;
  around.say(
    `recording ${selector} in ${namespace} until ${new Date(endsAtMs).toISOString()}; Ctrl-C ends it early`,
  );
  const evaluations = keepEvaluations(kubeClient(config), options, around);
  await pollUntil(endsAtMs, { options, around, controller, recording, evaluations, startedAtMs });
  const index = await recording.finish(Date.now());
  if (index.windows === 0) {
    around.say('nothing was recorded: only pods under a RegressionGate and a ProfilingPolicy have windows');
  }
  return `wrote ${options.output}: ${index.windows} windows of ${index.pods} pods, ${index.failedPolls} polls failed\n`;
}

/** Writes what gates said meanwhile beside the windows: without it a replay does not know what it differs from. */
function keepEvaluations(
  client: KubeClient,
  options: RecordOptions,
  around: Surroundings,
): () => Promise<void> {
  let kept: KeptEvaluations = { gates: [], reports: [] };
  let isRefused = false;
  return async () => {
    try {
      kept = mergeEvaluations(kept, await readEvaluations(client, options.namespace));
      await writeEvaluations(options.output, kept);
    } catch (error) {
      if (!isRefused) around.say(`evaluations are not recorded: ${reasonOf(error)}`);
      isRefused = true;
    }
  };
}

interface Poll {
  readonly options: RecordOptions;
  readonly around: Surroundings;
  readonly controller: ControllerConnection;
  readonly recording: RecordingWriter;
  readonly evaluations: () => Promise<void>;
  readonly startedAtMs: number;
}

async function pollUntil(endsAtMs: number, poll: Poll): Promise<void> {
  let askedAtMs = poll.startedAtMs;
  while (!poll.around.signal.aborted) {
    const waitMs = Math.max(0, Math.min(poll.options.intervalMs, endsAtMs - Date.now()));
    // An abort ends the wait, not the recording's last poll.
    await sleep(waitMs, undefined, { signal: poll.around.signal }).catch(() => undefined);
    const nowMs = Date.now();
    const succeeded = await pollOnce(poll, Math.max(poll.startedAtMs, askedAtMs - OVERLAP_MS));
    await poll.evaluations();
    if (succeeded) {
      askedAtMs = nowMs;
    } else if (nowMs - askedAtMs > RETENTION_MS) {
      throw new CliError(
        'CONTROLLER_UNREACHABLE',
        'no poll succeeded for an hour: windows are lost; the recording ends here',
      );
    }
    if (nowMs >= endsAtMs) {
      return;
    }
  }
}

async function pollOnce({ options, around, controller, recording }: Poll, fromMs: number): Promise<boolean> {
  const query = new URLSearchParams({ selector: options.selector, fromMs: String(fromMs) });
  try {
    const body = await controller.get(`${windowsPath(options.namespace)}?${query}`, MAX_ANSWER_BYTES);
    const added = await recording.append(decodeAnswer(body.toString('utf8')));
    around.say(`${new Date().toISOString()} ${added} new windows`);
    return true;
  } catch (error) {
    // What is forbidden stays forbidden; everything else may be gone a minute later.
    if (error instanceof CliError && !isPassing(error)) throw error;
    recording.pollFailed();
    around.say(`${new Date().toISOString()} poll failed, will be repeated: ${reasonOf(error)}`);
    return false;
  }
}
