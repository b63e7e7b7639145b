/** Runs test files, each in a process of its own, and reports them. */
import { once } from 'node:events';
import { relative } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { type BareApiServer, bareApiServer } from './bare/api-server.ts';
import type { Failure, FileSeconds, Outcome } from './outcome.ts';
import type { Lane } from './stages.ts';

/** Longest a single file may take: the gates of the e2e suite need minutes of samples. */
const FILE_TIMEOUT_MS = 25 * 60_000;
/** Of what a file writes to stderr, the end is kept, should it end before its tests do. */
const STDERR_CHARACTERS = 1500;

export interface FilesOutcome extends Outcome {
  readonly seconds: readonly FileSeconds[];
}

/** Lanes run side by side, and so does what they report: a line is of one test or the other. */
export async function runFiles(lanes: readonly Lane[]): Promise<FilesOutcome> {
  const bare = lanes.some((lane) => lane.bare) ? await bareApiServer() : undefined;
  try {
    const controllers = lanes.flatMap((lane) => lane.bare ?? []);
    if (controllers.length > 0) await bare?.runControllers(controllers);
    return await runLanes(lanes, bare);
  } finally {
    await bare?.close();
  }
}

async function runLanes(
  lanes: readonly Lane[],
  bare: Pick<BareApiServer, 'kubeconfigFile'> | undefined,
): Promise<FilesOutcome> {
  const bareEnv = { ...process.env, FLAMEGATE_TEST_KUBECONFIG: bare?.kubeconfigFile };
  const running = lanes.map((lane) => start(lane, lane.bare ? bareEnv : process.env));
  await Promise.all(running.map(({ report }) => once(report, 'end')));
  return {
    passed: running.reduce((sum, { passed }) => sum + passed(), 0),
    failures: running.flatMap(({ failures }) => failures),
    seconds: running.flatMap(({ seconds }) => seconds),
  };
}

function start({ files, concurrency }: Lane, env: NodeJS.ProcessEnv) {
  let passed = 0;
  const failures: Failure[] = [];
  const seconds: FileSeconds[] = [];
  const stderr = new Map<string, string>();
  const stream = run({ files: [...files], concurrency, env, timeout: FILE_TIMEOUT_MS });
  stream.on('test:pass', ({ name, skip, todo, details, ...at }) => {
    if (skip !== undefined || todo !== undefined) {
      failures.push({ where: placeOf(at), name, why: 'it is skipped, which no test may be' });
    } else if (details.type !== 'suite') passed += 1;
  });
  stream.on('test:fail', ({ name, details: { error }, ...at }) => {
    // those tests are told themselves
    const isOfItsTests = 'failureType' in error && error.failureType === 'subtestsFailed';
    if (isOfItsTests) return;
    const cause: unknown = 'cause' in error ? error.cause : error;
    const why = 'exitCode' in error ? endOf(error, stderr.get(pathOf(at.file))) : cause;
    failures.push({ where: placeOf(at), name, why });
  });
  stream.on('test:stderr', ({ file, message }) => {
    const path = pathOf(file);
    stderr.set(path, `${stderr.get(path) ?? ''}${message}`.slice(-STDERR_CHARACTERS));
  });
  stream.on('test:summary', ({ file, duration_ms: ms }) => {
    if (file !== undefined) seconds.push({ file: pathOf(file), seconds: ms / 1000 });
  });
  const report = stream.compose(new spec());
  report.pipe(process.stdout, { end: false });
  return { passed: () => passed, failures, seconds, report };
}

/** Of a file as a whole. */
function endOf(error: { exitCode?: unknown; signal?: unknown }, stderr = ''): string {
  return `its process ended with ${error.exitCode ?? error.signal ?? 'nothing'}\n${stderr}`;
}

function placeOf({ file, line }: { readonly file?: string; readonly line?: number }): string {
  return `${pathOf(file)}:${line ?? 1}`;
}

const pathOf = (file: string | undefined): string => (file === undefined ? 'a file' : relative('', file));
