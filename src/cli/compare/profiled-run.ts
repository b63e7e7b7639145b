/** One run of one build: started, waited for, put under load, profiled and ended, whole. */
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { profileProcesses } from '../../agent/local-profile.ts';
import type { ProfiledRun } from '../../detect/run-counts.ts';
import { CliError } from '../cli-error.ts';
import { SILENT } from '../local/begun-target.ts';
import { nativeFiles } from '../native-files.ts';
import { visible } from '../visible.ts';
import type { Compare } from './compare-options.ts';
import { type MarkedCommand, startMarked } from './marked-command.ts';
import { freePort, isReady } from './ready.ts';

const PROC_ROOT = '/proc';
const READY_MS = 120_000;
const LOOK_MS = 200;

/** Undefined when it was interrupted. Throws COMMAND_FAILED where the service or the load ends before the run is over. */
export async function profiledRun(
  command: string,
  options: Compare,
  signal: AbortSignal,
): Promise<ProfiledRun | undefined> {
  await using scratch = await mkdtempDisposable(join(tmpdir(), 'flamegate-compare-'));
  const port = await freePort();
  const environment = { PORT: String(port) };
  const service = startMarked(command, environment);
  let load: MarkedCommand | undefined;
  const isInterrupted = () => signal.aborted;
  const isOver = () => isInterrupted() || service.ended() !== undefined;
  try {
    const wasReady = await isReady(options.ready, port, { patienceMs: READY_MS, isOver });
    if (isInterrupted()) return undefined;
    requireRunning(command, service);
    if (!wasReady) {
      const where = options.ready.kind === 'url' ? options.ready.url : `port ${port}`;
      throw new CliError('COMMAND_FAILED', `${visible(command)} was not ready at ${visible(where)} in time`);
    }
    if (options.load !== undefined) load = startMarked(options.load, environment);
    await waited(options.warmUpMs, () => isOver() || load?.ended() !== undefined);
    const profile = await profileProcesses({
      ...{ pids: service.pids, durationMs: options.runMs, frequencyHz: options.frequencyHz, signal },
      ...{ directory: scratch.path, log: SILENT, procRoot: PROC_ROOT, ...nativeFiles() },
    });
    if (isInterrupted()) return undefined;
    requireRunning(command, service);
    if (load !== undefined) requireRunning(options.load ?? '', load);
    if (profile.stacks.length === 0) {
      throw new CliError(
        'NOTHING_SAMPLED',
        `${visible(command)} used no CPU: is there load on port ${port}?`,
      );
    }
    return { stacks: profile.stacks, seconds: (profile.endMs - profile.startMs) / 1_000 };
  } finally {
    await (load?.end() ?? Promise.resolve()).finally(service.end); // whatever becomes of the load
  }
}

function requireRunning(command: string, { ended }: MarkedCommand): void {
  const how = ended();
  if (how === undefined) return;
  throw new CliError('COMMAND_FAILED', `${visible(command)} ended ${how} before its run was over`);
}

async function waited(ms: number, isOver: () => boolean): Promise<void> {
  const endsMs = Date.now() + ms;
  while (!isOver() && Date.now() < endsMs) await delay(Math.min(LOOK_MS, endsMs - Date.now()));
}
