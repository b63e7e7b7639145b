/**
 * The whole suite: checks, unit, replay, integration, end to end, in that order, on real parts.
 * Prints the seconds of each stage, what failed and why, and, alone on the last line, `N passed, N failed`.
 * Usage: run.ts [verify|unit|matrix|replay|integration|e2e|full]...
 * (nothing: all but matrix and full, which take too long for every day)
 */
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { clusterEnv, clusterKubeconfig } from './cluster/cluster.ts';
import { type Failure, failuresText, type Outcome, slowestText } from './outcome.ts';
import { runFiles } from './run-files.ts';
import { lanesOf, type Stage } from './stages.ts';

type Step = 'verify' | Stage;
const EVERY_DAY: readonly Step[] = ['verify', 'unit', 'replay', 'integration', 'e2e'];
const STEPS: readonly Step[] = [...EVERY_DAY, 'matrix', 'full'];
const NEEDS_CLUSTER: ReadonlySet<Step> = new Set<Step>(['integration', 'e2e', 'full']);

const wanted = process.argv.slice(2).map((arg) => STEPS.find((step) => step === arg) ?? unknown(arg));
const steps = wanted.length > 0 ? wanted : EVERY_DAY;
Object.assign(process.env, { CLUSTER_NAME: 'flamegate-test', CLUSTER_NET: '10.232', CLUSTER_VETH: 'fgt' });
// Hundreds of processes load the same files: what was made of their types is kept.
process.env['NODE_COMPILE_CACHE'] ??= resolve('build/compile-cache');

const outcomes: Outcome[] = [];
const failures = (): readonly Failure[] => outcomes.flatMap((outcome) => outcome.failures);
const cluster = { isUp: false };
try {
  for (const step of steps) {
    if (NEEDS_CLUSTER.has(step)) needCluster();
    // what is broken in seconds needs no minutes on top
    if (NEEDS_CLUSTER.has(step) && failures().length > 0)
      console.log(`\n== ${step}: not run, something failed before`);
    else outcomes.push(step === 'verify' ? script('verify', ['scripts/verify.sh']) : await tests(step));
  }
} finally {
  if (cluster.isUp && process.env['KEEP_CLUSTER'] !== '1') {
    const { failures: left } = script('cluster down', ['test/cluster/down.sh']);
    outcomes.push({ passed: 0, failures: left });
  }
}
const passed = outcomes.reduce((sum, outcome) => sum + outcome.passed, 0);
if (failures().length > 0) console.log(`\n== failed\n${failuresText(failures())}\n`);
console.log(`${passed} passed, ${failures().length} failed`);
process.exitCode = failures().length === 0 && passed > 0 ? 0 : 1;

/** A stage that is misspelt must not be taken for all of them. */
function unknown(arg: string): never {
  console.error(`there is no stage "${arg}": ${STEPS.join(', ')}`);
  process.exit(2);
}

/** Boots nothing for what will not be run. */
function needCluster(): void {
  if (cluster.isUp || failures().length > 0) return;
  cluster.isUp = true; // or half of it
  outcomes.push(script('cluster', ['test/cluster/up.sh']));
  if (failures().length > 0) return;
  outcomes.push(script('images', ['scripts/images.sh']));
  process.env['FLAMEGATE_TEST_KUBECONFIG'] = clusterKubeconfig();
}

/** A script counts as one test: it passes or it fails. */
function script(name: string, [command, ...args]: [string, ...string[]]): Outcome {
  const started = performance.now();
  console.log(`\n== ${name}`);
  const { status, error } = spawnSync(command, args, {
    stdio: 'inherit',
    env: { ...process.env, ...clusterEnv() },
  });
  report(name, started);
  if (status === 0) return { passed: 1, failures: [] };
  const why = error ?? `it ended with ${status}; what it said is above`;
  return { passed: 0, failures: [{ where: command, name, why }] };
}

async function tests(stage: Stage): Promise<Outcome> {
  const started = performance.now();
  console.log(`\n== ${stage}`);
  const outcome = await runFiles(lanesOf(stage));
  if (stage === 'unit') console.log(`-- its slowest files:\n${slowestText(outcome.seconds)}`);
  report(stage, started);
  return outcome;
}

function report(name: string, started: number): void {
  console.log(`-- ${name}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
}
