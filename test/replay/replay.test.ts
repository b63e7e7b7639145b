/** `flamegate replay` and `flamegate plan` on pods that have been: what was Failed, what other margins would make of it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '../..');
const RECORDING = join(ROOT, 'test/fixtures/recordings/orders-c1');

const flamegate = (...args: string[]) =>
  spawnSync(process.execPath, [join(ROOT, 'src/cli/main.ts'), ...args], {
    encoding: 'utf8',
    timeout: 120_000,
  });

const replay = (canary: string, ...args: string[]) =>
  flamegate('replay', RECORDING, '--baseline', 'stable', '--canary', canary, '--deadline', '11m', ...args);

test('the canary with a surcharge would have failed by that function, and scripts see it', () => {
  const { status, stdout, stderr } = replay('surcharge', '--margin-cpu', '2%', '-o', 'json');

  assert.equal(status, 1, stderr);
  const [evaluation] = JSON.parse(stdout);
  assert.equal(evaluation.evaluation, 'stable → surcharge');
  assert.equal(evaluation.would.verdict, 'Failed');
  assert.match(evaluation.would.by[0], /^shop\.Surcharge\./);
  assert.match(evaluation.would.after, /^\dm(30s)?$/);
  assert.deepEqual(evaluation.pods, { baseline: 3, canary: 3 });
});

test('under a margin above what it costs it would have passed', () => {
  const { status, stdout } = replay('surcharge', '--margin-cpu', '20%');

  assert.equal(status, 0, stdout);
  const [header, row, , message] = stdout.split('\n');
  assert.match(header ?? '', /^EVALUATION +BEGAN +SAID +AFTER +BY +WOULD SAY +AFTER +BY$/);
  assert.match(row ?? '', /^stable → surcharge +2026-[0-9T:-]+ +- +- +- +Passed +3m +-$/);
  assert.match(message ?? '', /^stable → surcharge: no function grew by the margin of 20\.00 % of CPU/);
});

test('a margin that nobody can prove anything about leaves an unchanged canary undecided', () => {
  const { status, stdout } = replay('clean-a', '--margin-cpu', '0.1%', '-o', 'yaml');

  assert.equal(status, 3, stdout);
  assert.match(stdout, /verdict: Inconclusive/);
  assert.match(stdout, /windowsFor: 11m/);
});

test('a recording without a rollout asks for the arms, and that is no verdict', () => {
  const { status, stderr } = flamegate('replay', RECORDING);

  assert.equal(status, 4);
  assert.match(stderr, /^flamegate: NO_EVALUATIONS: .*name the arms with --baseline and --canary/);
});

test('pods of one version certify a gate, with the steps of a rollout', () => {
  const { status, stdout, stderr } = flamegate(
    'plan',
    RECORDING,
    '--baseline',
    'clean',
    '--margin-cpu',
    '3%',
    '--placebos',
    '10',
  );

  assert.equal(status, 0, stderr + stdout);
  assert.match(stdout, /^0 of 10 placebos failed .*; sees ≥ [\d.]+ % of CPU in 10 min with 3 canary pods/);
  assert.match(stdout, /^3 +- +[\d.]+% +10m/m);
  assert.match(stdout, /^# Argo Rollouts, 3 canary pods of 9: 2m warm-up and \d+m.* until growth/m);
  assert.match(stdout, /^steps:\n {2}- setWeight: 33\n {2}- pause: \{duration: \d+m\}$/m);
});

test('three pods are too few to stand in for two arms', () => {
  const { status, stderr } = flamegate('plan', RECORDING, '--baseline', 'clean-a');

  assert.equal(status, 4);
  assert.match(stderr, /NOT_CERTIFIED: TooFewPods: 3 baseline pods have windows/);
});
