/**
 * The whole suite: checks, unit, replay, integration, end to end, in that order, on real parts.
 * Prints the seconds of each stage and, alone on the last line, `N passed, N failed`.
 * Usage: run.ts [verify|unit|replay|integration|e2e|full]...   (nothing: all but full, which takes too long for every day)
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { clusterEnv, clusterKubeconfig } from './cluster/cluster.ts';

interface Tally {
  passed: number;
  failed: number;
}
type Stage = 'verify' | 'unit' | 'replay' | 'integration' | 'e2e' | 'full';
const EVERY_DAY: readonly Stage[] = ['verify', 'unit', 'replay', 'integration', 'e2e'];
const STAGES: readonly Stage[] = [...EVERY_DAY, 'full'];
const NEEDS_CLUSTER: ReadonlySet<Stage> = new Set<Stage>(['integration', 'e2e', 'full']);

const FILES: Record<Exclude<Stage, 'verify'>, readonly string[]> = {
  unit: ['src/**/*.test.ts', 'web/**/*.test.ts', 'scripts/**/*.test.ts', 'bench/**/*.test.ts'],
  replay: ['test/replay/**/*.test.ts'],
  integration: ['test/integration/**/*.test.ts'],
  e2e: ['test/e2e/**/*.test.ts'],
  full: ['test/full/**/*.test.ts'],
};
/** Unit files are short; gates wait for minutes beside the other e2e files; integration files share one API server. */
const CONCURRENCY: Record<Exclude<Stage, 'verify'>, number> = {
  unit: 2,
  replay: 2,
  integration: 1,
  e2e: 3,
  full: 1,
};
/** Longest a single file may take: the gates of the e2e suite need minutes of samples. */
const FILE_TIMEOUT_MS = 25 * 60_000;

const wanted = process.argv.slice(2).filter((arg): arg is Stage => STAGES.some((stage) => stage === arg));
const stages = wanted.length > 0 ? wanted : EVERY_DAY;
const total: Tally = { passed: 0, failed: 0 };
const usesCluster = stages.some((stage) => NEEDS_CLUSTER.has(stage));
const cluster = { CLUSTER_NAME: 'flamegate-test', CLUSTER_NET: '10.232', CLUSTER_VETH: 'fgt' };
Object.assign(process.env, cluster);

let clusterUp = false;
try {
  for (const stage of stages) {
    if (NEEDS_CLUSTER.has(stage) && !clusterUp) {
      clusterUp = true;
      add(script('cluster', ['test/cluster/up.sh']));
      add(script('images', ['scripts/images.sh']));
      process.env['FLAMEGATE_TEST_KUBECONFIG'] = clusterKubeconfig();
    }
    if (total.failed > 0 && NEEDS_CLUSTER.has(stage)) break; // what is broken in seconds needs no minutes on top
    add(stage === 'verify' ? script('verify', ['scripts/verify.sh']) : await tests(stage));
  }
} finally {
  if (usesCluster && process.env['KEEP_CLUSTER'] !== '1') script('cluster down', ['test/cluster/down.sh']);
}
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;

function add(tally: Tally): void {
  total.passed += tally.passed;
  total.failed += tally.failed;
}

/** A script counts as one test: it passes or it fails. */
function script(name: string, [command, ...args]: [string, ...string[]]): Tally {
  const started = performance.now();
  console.log(`\n== ${name}`);
  const { status } = spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, ...clusterEnv() } });
  report(name, started);
  return status === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

async function tests(stage: Exclude<Stage, 'verify'>): Promise<Tally> {
  const started = performance.now();
  console.log(`\n== ${stage}`);
  const files = globSync(FILES[stage]).sort();
  const tally: Tally = { passed: 0, failed: 0 };
  const stream = run({ files, concurrency: CONCURRENCY[stage], timeout: FILE_TIMEOUT_MS });
  stream.on('test:pass', (event) => {
    if (event.skip !== undefined || event.todo !== undefined) tally.failed += 1;
    else if (event.details.type !== 'suite') tally.passed += 1;
  });
  stream.on('test:fail', () => {
    tally.failed += 1;
  });
  const reporter = stream.compose(new spec());
  reporter.pipe(process.stdout, { end: false });
  await new Promise<void>((done) => reporter.on('end', done));
  report(stage, started);
  return tally;
}

function report(name: string, started: number): void {
  console.log(`-- ${name}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
}
