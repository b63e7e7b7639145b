/** `flamegate record --pid`: one profile of processes of this machine. Neither controller nor cluster are needed; CAP_BPF and CAP_PERFMON are. */
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LocalProcess, type LocalProfile, profileProcesses } from '../../agent/local-profile.ts';
import { totalCount } from '../../profile/stack-counts.ts';
import { CliError } from '../cli-error.ts';
import { checkWritable } from '../files.ts';
import { functionsText } from '../functions-text.ts';
import { nativeFiles } from '../native-files.ts';
import { visible } from '../visible.ts';
import { writeProfile } from '../write-profile.ts';
import { begin, SILENT } from './begun-target.ts';
import type { LocalRecord } from './local-options.ts';

export interface LocalSurroundings {
  /** Undefined where nobody watches. */
  readonly say: ((line: string) => void) | undefined;
  /** Ends the recording early, whole. */
  readonly signal: AbortSignal;
}

const PROC_ROOT = '/proc';
const MOST_ROWS = 10;
export async function runLocalRecord(command: LocalRecord, around: LocalSurroundings): Promise<string> {
  const { output, durationMs, frequencyHz } = command;
  await checkWritable(output);
  await using scratch = await mkdtempDisposable(join(tmpdir(), 'flamegate-record-'));
  const target = begin(command.target, around.signal);
  around.say?.(`recording ${target.name} for up to ${durationMs / 1000} s; Ctrl-C ends it early`);
  try {
    const profile = await profileProcesses({
      ...{
        pids: target.pids,
        frequencyHz,
        durationMs,
        signal: around.signal,
        directory: scratch.path,
        log: SILENT,
      },
      ...{ procRoot: PROC_ROOT, ...nativeFiles() },
    });
    if (profile.stacks.length === 0) {
      throw new CliError('NOTHING_SAMPLED', `${target.name} used no CPU in ${seconds(profile)} s`);
    }
    await writeProfile(output, profile.stacks, profile);
    return `wrote ${output}: ${told(profile).join('; ')}\n\n${functionsText(profile.stacks, MOST_ROWS)}`;
  } finally {
    await target.end();
  }
}

const seconds = ({ startMs, endMs }: LocalProfile): string => ((endMs - startMs) / 1_000).toFixed(1);

function told(profile: LocalProfile): readonly string[] {
  const { stacks, lost, truncated, frequencyHz, processes, unsampled } = profile;
  const samples = totalCount(stacks).toLocaleString('en');
  return [
    `${samples} samples of ${seconds(profile)} s at ${frequencyHz} Hz`,
    ...processes.flatMap(jvmText),
    ...(lost > 0 ? [`${lost.toLocaleString('en')} samples lost`] : []),
    ...(truncated > 0 ? [`${truncated.toLocaleString('en')} stacks lack their root`] : []),
    ...(unsampled > 0 ? [`${unsampled.toLocaleString('en')} more processes at a time were not sampled`] : []),
  ];
}

function jvmText({ pid, jvm }: LocalProcess): readonly string[] {
  if (!jvm) return [];
  const leaf = jvm.leaf === undefined ? '' : `, leaf ${jvm.leaf}`;
  return [`JVM ${pid}${jvm.jdk === '' ? '' : ` (${visible(jvm.jdk)})`}: ${jvm.state}, ${jvm.message}${leaf}`];
}
