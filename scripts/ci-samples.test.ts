/** The samples for build servers, as far as they can be tried without one. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { COMPARE_TAKES } from '../src/cli/compare/compare-options.ts';

const text = (file: string): string =>
  readFileSync(new URL(`../samples/ci/${file}`, import.meta.url), 'utf8');

function checkScript(script: string, shell: 'bash' | 'sh'): void {
  const checked = spawnSync('shellcheck', ['-s', shell, '-'], { input: script, encoding: 'utf8' });
  assert.equal(checked.status, 0, checked.stdout || String(checked.error));
  const used = [...script.matchAll(/(?<=[\s(])--([a-z-]+)/g)].map(([, option]) => option);
  const known = used.filter((option) => COMPARE_TAKES.some((taken) => taken === option));
  assert.deepEqual(
    used.filter((option) => option !== 'preserve-env'),
    known,
  );
  assert.ok(known.length >= 5);
}

test('the GitHub Action hands each input over by the environment, to options that exist', () => {
  const action = parse(text('flamegate-compare/action.yml'));
  const [step] = action.runs.steps;
  assert.equal(action.runs.using, 'composite');
  const given = Object.values<string>(step.env).map(
    (value) => /^\$\{\{ inputs\.([a-z-]+) \}\}$/.exec(value)?.[1],
  );
  assert.deepEqual(given.sort(), Object.keys(action.inputs).sort());
  assert.ok(!step.run.includes('${{'));
  checkScript(step.run, 'bash');
});

test('the workflow gives the action what it needs and nothing it does not know', () => {
  const action = parse(text('flamegate-compare/action.yml'));
  const workflow = parse(text('github-workflow.yaml'));
  const steps: { readonly uses?: string; readonly with?: Readonly<Record<string, string>> }[] =
    workflow.jobs.compare.steps;
  const [ours] = steps.filter(({ uses }) => uses?.endsWith('samples/ci/flamegate-compare') === true);
  const given = Object.keys(ours?.with ?? {});
  const inputs = Object.entries<{ required: boolean }>(action.inputs);
  assert.deepEqual(
    given.filter((name) => !Object.hasOwn(action.inputs, name)),
    [],
  );
  for (const [name, { required }] of inputs) if (required) assert.ok(given.includes(name), name);
});

test('the Tekton task hands each parameter over by the environment, and asks for no more than capabilities', () => {
  const { spec, apiVersion, kind } = parse(text('tekton-task.yaml'));
  const [step] = spec.steps;
  assert.deepEqual([apiVersion, kind], ['tekton.dev/v1', 'Task']);
  const used = [...JSON.stringify(step).matchAll(/\$\(params\.([a-z-]+)\)/g)].map(([, name]) => name);
  const declared: string[] = spec.params.map(({ name }: { readonly name: string }) => name);
  assert.deepEqual(used.sort(), declared.sort());
  assert.equal(step.securityContext.privileged, undefined);
  assert.ok(!step.script.includes('$('));
  checkScript(step.script, 'sh');
});
