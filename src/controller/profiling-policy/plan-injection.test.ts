import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FLAG_LINE, type FlagItem } from './flag-variables.ts';
import { type JvmEvidence, planInjection, type Wanted } from './plan-injection.ts';
import { aContainer, aDeployment, ours } from './testing/samples.ts';

const everyJvm: Wanted = { named: new Set(), everyJvm: true };
const named = (...names: string[]): Wanted => ({ named: new Set(names), everyJvm: false });
const evidence =
  (jvm: JvmEvidence['jvm'], jdk = 17) =>
  (): JvmEvidence =>
    jvm === 'Jvm' ? { jvm, jdk } : { jvm };
const item = (container: string, variable: FlagItem['variable'] = 'JAVA_TOOL_OPTIONS'): FlagItem => ({
  container,
  variable,
});
const outcomes = (...args: Parameters<typeof planInjection>) =>
  planInjection(...args).containers.map(({ container, outcome }) => `${container}: ${outcome}`);

test('1: a container that a policy names and the template lacks is reported', () => {
  const deployment = aDeployment([aContainer('main')]);

  assert.deepEqual(outcomes(deployment, named('worker'), evidence('Unknown')), ['worker: ContainerNotFound']);
});

test('2: a mesh proxy is left out unless it is named', () => {
  const deployment = aDeployment([aContainer('main'), aContainer('istio-proxy')]);

  assert.deepEqual(outcomes(deployment, everyJvm, evidence('Jvm')), ['main: Injected']);
  assert.deepEqual(outcomes(deployment, named('istio-proxy'), evidence('Jvm')), ['istio-proxy: Injected']);
});

test('3: our item stays, whatever agents say meanwhile', () => {
  const deployment = aDeployment([aContainer('main', [ours('JAVA_TOOL_OPTIONS')])], [item('main')]);

  const plan = planInjection(deployment, everyJvm, evidence('Unknown'));

  assert.deepEqual(plan.step, { kind: 'none' });
  assert.equal(plan.containers[0]?.outcome, 'Injected');
});

test('4: flags that a user has set are enough, and stay the user’s', () => {
  const own = { name: 'JAVA_TOOL_OPTIONS', value: `-Xmx1g ${FLAG_LINE}` };
  const plan = planInjection(aDeployment([aContainer('main', [own])]), everyJvm, evidence('Jvm'));

  assert.deepEqual(plan.step, { kind: 'none' });
  assert.equal(plan.containers[0]?.outcome, 'SetByUser');
});

test('5: a container without a JVM gets nothing, even when it is named', () => {
  const deployment = aDeployment([aContainer('main')]);

  assert.deepEqual(outcomes(deployment, everyJvm, evidence('NoJvm')), ['main: NoJvm']);
  assert.deepEqual(outcomes(deployment, named('main'), evidence('NoJvm')), ['main: NoJvm']);
});

test('6: a container that is not named waits for an agent’s word', () => {
  const deployment = aDeployment([aContainer('main')]);

  assert.deepEqual(outcomes(deployment, everyJvm, evidence('Unknown')), ['main: WaitingForAgents']);
  assert.deepEqual(outcomes(deployment, named('main'), evidence('Unknown')), ['main: Injected']);
});

test('7: envFrom keeps us out, since it may set the variable', () => {
  const container = { ...aContainer('main'), envFrom: [{ configMapRef: { name: 'settings' } }] };
  const [plan] = planInjection(aDeployment([container]), everyJvm, evidence('Jvm')).containers;

  assert.equal(plan?.outcome, 'EnvFromMayHideVariable');
  assert.match(plan.advice ?? '', /JAVA_TOOL_OPTIONS.*-XX:\+PreserveFramePointer/);
});

test('8: a free JAVA_TOOL_OPTIONS takes the flags, and other variables do not matter', () => {
  const deployment = aDeployment([aContainer('main', [{ name: 'PORT', value: '8080' }])]);

  const { step } = planInjection(deployment, everyJvm, evidence('Jvm'));

  assert.deepEqual(step, { kind: 'apply', items: [item('main')] });
});

test('9: JDK_JAVA_OPTIONS takes them when JAVA_TOOL_OPTIONS is the user’s', () => {
  const deployment = aDeployment([aContainer('main', [{ name: 'JAVA_TOOL_OPTIONS', value: '-Xmx1g' }])]);

  const { step } = planInjection(deployment, everyJvm, evidence('Jvm', 17));

  assert.deepEqual(step, { kind: 'apply', items: [item('main', 'JDK_JAVA_OPTIONS')] });
});

test('10: with both variables the user’s, or JDK 8, the line to paste is given', () => {
  const tool = { name: 'JAVA_TOOL_OPTIONS', value: '-Xmx1g' };
  const both = aDeployment([aContainer('main', [tool, { name: 'JDK_JAVA_OPTIONS', value: '-Da=b' }])]);
  const eight = aDeployment([aContainer('main', [tool])]);

  assert.deepEqual(outcomes(both, everyJvm, evidence('Jvm', 17)), ['main: EnvOwnedByUser']);
  assert.deepEqual(outcomes(eight, everyJvm, evidence('Jvm', 8)), ['main: EnvOwnedByUser']);
  const [plan] = planInjection(eight, everyJvm, evidence('Jvm', 8)).containers;
  assert.ok(plan?.advice?.endsWith(FLAG_LINE));
});

test('a variable that comes from a reference counts as the user’s', () => {
  const env = { name: 'JAVA_TOOL_OPTIONS', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } };
  const { step } = planInjection(aDeployment([aContainer('main', [env])]), everyJvm, evidence('Jvm'));

  assert.deepEqual(step, { kind: 'apply', items: [item('main', 'JDK_JAVA_OPTIONS')] });
});

test('A: a Deployment that nobody wants, or that is being deleted, is left alone', () => {
  const free = aDeployment([aContainer('main')]);
  const going = aDeployment([aContainer('main', [ours('JAVA_TOOL_OPTIONS')])], [item('main')]);
  going.metadata = { ...going.metadata, deletionTimestamp: new Date() };

  assert.deepEqual(planInjection(free, undefined, evidence('Jvm')).step, { kind: 'none' });
  assert.deepEqual(planInjection(going, undefined, evidence('Jvm')).step, { kind: 'none' });
});

test('B: an item whose value a user has changed is released, never applied away', () => {
  const changed = aContainer('main', [{ name: 'JAVA_TOOL_OPTIONS', value: '-Xmx1g' }]);
  const kept = aContainer('worker', [ours('JAVA_TOOL_OPTIONS')]);
  const deployment = aDeployment([changed, kept], [item('main'), item('worker')]);

  const release = { kind: 'release', keep: [item('worker')] };
  assert.deepEqual(planInjection(deployment, undefined, evidence('Jvm')).step, release);
  assert.deepEqual(planInjection(deployment, everyJvm, evidence('Jvm')).step, release);
});

test('C: items that nobody wants any more are taken out', () => {
  const deployment = aDeployment([aContainer('main', [ours('JAVA_TOOL_OPTIONS')])], [item('main')]);

  assert.deepEqual(planInjection(deployment, undefined, evidence('Jvm')).step, { kind: 'remove' });
});

test('E: what is wanted is applied whole: one more container, or one less', () => {
  const containers = [aContainer('main', [ours('JAVA_TOOL_OPTIONS')]), aContainer('worker')];
  const deployment = aDeployment(containers, [item('main')]);

  const more = planInjection(deployment, named('main', 'worker'), evidence('Unknown')).step;
  const other = planInjection(deployment, named('worker'), evidence('Unknown')).step;

  assert.deepEqual(more, { kind: 'apply', items: [item('main'), item('worker')] });
  assert.deepEqual(other, { kind: 'apply', items: [item('worker')] });
});

test('planning again after a plan was carried out changes nothing', () => {
  const deployment = aDeployment([aContainer('main', [ours('JAVA_TOOL_OPTIONS')])], [item('main')]);

  assert.deepEqual(planInjection(deployment, named('main'), evidence('Jvm')).step, { kind: 'none' });
});
