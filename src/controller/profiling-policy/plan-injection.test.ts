import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FLAG_LINE, type FlagItem } from './flag-variables.ts';
import type { JvmEvidence } from './jvm-evidence.ts';
import { planInjection, type Wanted } from './plan-injection.ts';
import { aContainer, aDeployment, ours } from './testing/samples.ts';

const everyJvm: Wanted = { named: new Set(), everyJvm: true };
const named = (...names: string[]): Wanted => ({ named: new Set(names), everyJvm: false });
const NEITHER: JvmEvidence['imageSets'] = { JAVA_TOOL_OPTIONS: false, JDK_JAVA_OPTIONS: false };
const evidence =
  (jvm: JvmEvidence['jvm'], jdk = 17, imageSets = NEITHER) =>
  (): JvmEvidence =>
    jvm === 'Jvm' ? { jvm, jdk, imageSets } : { jvm, imageSets: {} };
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

  const itself = evidence('Jvm', 17, { JAVA_TOOL_OPTIONS: true, JDK_JAVA_OPTIONS: false });
  for (const said of [evidence('Unknown'), evidence('NoJvm'), itself]) {
    const plan = planInjection(deployment, everyJvm, said);
    assert.deepEqual(plan.step, { kind: 'none' });
    assert.deepEqual(plan.containers, [
      { container: 'main', outcome: 'Injected', variable: 'JAVA_TOOL_OPTIONS' },
    ]);
  }
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
});

test('7: envFrom keeps us out, since it may set the variable', () => {
  const container = { ...aContainer('main'), envFrom: [{ configMapRef: { name: 'settings' } }] };
  const [plan] = planInjection(aDeployment([container]), everyJvm, evidence('Jvm')).containers;

  assert.equal(plan?.outcome, 'EnvFromMayHideVariable');
  assert.match(plan.advice ?? '', /JAVA_TOOL_OPTIONS.*-XX:\+PreserveFramePointer/);
});

test('8: while no agent has seen what the image sets, nothing enters, even when the container is named', () => {
  const free = aDeployment([aContainer('main')]);
  const owned = aDeployment([aContainer('main', [{ name: 'JAVA_TOOL_OPTIONS', value: '-Xmx1g' }])]);

  for (const deployment of [free, owned]) {
    const plan = planInjection(deployment, named('main'), evidence('Unknown'));
    assert.deepEqual(plan.step, { kind: 'none' });
    assert.deepEqual(plan.containers, [{ container: 'main', outcome: 'WaitingForAgents' }]);
  }
  const unseen = evidence('Jvm', 17, {});
  assert.deepEqual(outcomes(free, everyJvm, unseen), ['main: WaitingForAgents']);
  const half = evidence('Jvm', 17, { JAVA_TOOL_OPTIONS: true });
  assert.deepEqual(outcomes(free, everyJvm, half), ['main: WaitingForAgents']);
});

test('9: a free JAVA_TOOL_OPTIONS takes the flags, and other variables do not matter', () => {
  const deployment = aDeployment([aContainer('main', [{ name: 'PORT', value: '8080' }])]);
  const seen = evidence('Jvm', 17, { JAVA_TOOL_OPTIONS: false });

  const { step } = planInjection(deployment, everyJvm, seen);

  assert.deepEqual(step, { kind: 'apply', items: [item('main')] });
});

test('10: JDK_JAVA_OPTIONS takes them when JAVA_TOOL_OPTIONS is the user’s', () => {
  const deployment = aDeployment([aContainer('main', [{ name: 'JAVA_TOOL_OPTIONS', value: '-Xmx1g' }])]);
  const seen = evidence('Jvm', 17, { JDK_JAVA_OPTIONS: false });

  const { step } = planInjection(deployment, everyJvm, seen);

  assert.deepEqual(step, { kind: 'apply', items: [item('main', 'JDK_JAVA_OPTIONS')] });
});

test('10: JDK_JAVA_OPTIONS takes them when the image sets JAVA_TOOL_OPTIONS', () => {
  const deployment = aDeployment([aContainer('main')]);
  const seen = evidence('Jvm', 17, { JAVA_TOOL_OPTIONS: true, JDK_JAVA_OPTIONS: false });

  const { step } = planInjection(deployment, named('main'), seen);

  assert.deepEqual(step, { kind: 'apply', items: [item('main', 'JDK_JAVA_OPTIONS')] });
});

test('11: with both variables the user’s, or JDK 8, the line to paste is given', () => {
  const tool = { name: 'JAVA_TOOL_OPTIONS', value: '-Xmx1g' };
  const both = aDeployment([aContainer('main', [tool, { name: 'JDK_JAVA_OPTIONS', value: '-Da=b' }])]);
  const eight = aDeployment([aContainer('main', [tool])]);

  assert.deepEqual(outcomes(both, everyJvm, evidence('Jvm', 17)), ['main: EnvOwnedByUser']);
  assert.deepEqual(outcomes(both, named('main'), evidence('Unknown')), ['main: EnvOwnedByUser']);
  assert.deepEqual(outcomes(eight, everyJvm, evidence('Jvm', 8)), ['main: EnvOwnedByUser']);
  const [plan] = planInjection(eight, everyJvm, evidence('Jvm', 8)).containers;
  assert.equal(plan?.advice, `its own JAVA_TOOL_OPTIONS stays; append to the value: ${FLAG_LINE}`);
});

test('11: with variables of the image, the advice says so and keeps the image’s value', () => {
  const both = evidence('Jvm', 17, { JAVA_TOOL_OPTIONS: true, JDK_JAVA_OPTIONS: true });
  const eight = evidence('Jvm', 8, { JAVA_TOOL_OPTIONS: true, JDK_JAVA_OPTIONS: false });

  for (const seen of [both, eight]) {
    const { step, containers } = planInjection(aDeployment([aContainer('main')]), everyJvm, seen);
    assert.deepEqual(step, { kind: 'none' });
    assert.equal(containers[0]?.outcome, 'EnvOwnedByUser');
    assert.match(containers[0].advice ?? '', /^its image sets JAVA_TOOL_OPTIONS.*"<value of the image> -XX:/);
  }
});

test('11: with one variable the image’s and one the user’s, the user’s can be appended to', () => {
  const own = aDeployment([aContainer('main', [{ name: 'JDK_JAVA_OPTIONS', value: '-Da=b' }])]);
  const seen = evidence('Jvm', 17, { JAVA_TOOL_OPTIONS: true });

  const [plan] = planInjection(own, everyJvm, seen).containers;

  assert.equal(plan?.outcome, 'EnvOwnedByUser');
  assert.match(plan.advice ?? '', /^its own JDK_JAVA_OPTIONS stays; append/);
});

test('12: a container waits for a named one that no agent has seen, so that the workload rolls once', () => {
  const containers = [aContainer('main'), aContainer('worker')];
  const seen = (container: string) => evidence(container === 'main' ? 'Jvm' : 'Unknown')();

  const both = named('main', 'worker');
  assert.deepEqual(planInjection(aDeployment(containers), both, seen).step, { kind: 'none' });
  assert.deepEqual(outcomes(aDeployment(containers), both, seen), [
    'main: WaitingForAgents',
    'worker: WaitingForAgents',
  ]);
  assert.deepEqual(outcomes(aDeployment(containers), everyJvm, seen), [
    'main: Injected',
    'worker: WaitingForAgents',
  ]);
  const flagged = [aContainer('main', [ours('JAVA_TOOL_OPTIONS')]), aContainer('worker')];
  assert.deepEqual(planInjection(aDeployment(flagged, [item('main')]), both, seen).step, { kind: 'none' });
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

  const more = planInjection(deployment, named('main', 'worker'), evidence('Jvm')).step;
  const other = planInjection(deployment, named('worker'), evidence('Jvm')).step;

  assert.deepEqual(more, { kind: 'apply', items: [item('main'), item('worker')] });
  assert.deepEqual(other, { kind: 'apply', items: [item('worker')] });
});

test('planning again after a plan was carried out changes nothing', () => {
  const deployment = aDeployment([aContainer('main', [ours('JAVA_TOOL_OPTIONS')])], [item('main')]);

  assert.deepEqual(planInjection(deployment, named('main'), evidence('Jvm')).step, { kind: 'none' });
});
