import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { V1Container } from '@kubernetes/client-node';
import { FLAG_LINE, type FlagVariable } from './flag-variables.ts';
import type { JvmEvidence } from './jvm-evidence.ts';
import { injectionsOf, planCreation, type WorkloadSeen } from './plan-creation.ts';
import { aContainer, ours } from './testing/samples.ts';

const [TOOL, JDK] = ['JAVA_TOOL_OPTIONS', 'JDK_JAVA_OPTIONS'] as const;
const main = aContainer('main');
const of = (variable: FlagVariable, value = '-Xmx1g') => ({ name: variable, value });

interface Seen extends Partial<Pick<WorkloadSeen, 'kind' | 'asked'>> {
  readonly evidence?: Partial<JvmEvidence>;
  readonly before?: readonly FlagVariable[];
  readonly carried?: readonly FlagVariable[];
  readonly stopped?: boolean;
}

const BOTH_FREE: Partial<JvmEvidence> = {
  jvm: 'Jvm',
  jdk: 17,
  imageSets: { JAVA_TOOL_OPTIONS: false, JDK_JAVA_OPTIONS: false },
};

function plan(containers: readonly V1Container[], seen: Seen = {}, named: readonly string[] = []) {
  const { kind = 'Deployment', asked, evidence = BOTH_FREE, before, carried = [], stopped = false } = seen;
  return planCreation(
    {
      ...{ kind, containers, asked },
      evidence: () => ({ jvm: 'Unknown', imageSets: {}, ...evidence }),
      carried: () => carried,
      before: () => before,
      stopped: () => stopped,
    },
    { named: new Set(named), everyJvm: named.length === 0 },
  );
}

/** `outcome variables` of the first container. */
function told(container: V1Container, seen: Seen = {}): string {
  const [first] = plan([container], seen);
  return `${first?.outcome} ${first?.variables?.join(',') ?? 'unknown'}`;
}

test('a JVM that sets neither variable gets the flags in the first that its pod leaves free', () => {
  assert.equal(told(main), `Injected ${TOOL},${JDK}`);
  assert.equal(told(aContainer('main', [of(TOOL)])), `Injected ${TOOL},${JDK}`);
});

test('JDK 8 does not read the second variable', () => {
  const evidence = { ...BOTH_FREE, jdk: 8 };

  assert.equal(told(main, { evidence }), `Injected ${TOOL}`);
  assert.equal(told(aContainer('main', [of(TOOL)]), { evidence }), `EnvOwnedByUser ${TOOL}`);
});

test('what the image sets is not given, and where it sets all the line to paste is said', () => {
  const imageSets = { JAVA_TOOL_OPTIONS: true, JDK_JAVA_OPTIONS: false };
  assert.equal(told(main, { evidence: { jvm: 'Jvm', imageSets } }), `Injected ${JDK}`);

  const evidence = { jvm: 'Jvm', imageSets: { JAVA_TOOL_OPTIONS: true, JDK_JAVA_OPTIONS: true } } as const;
  const [both] = plan([main], { evidence });
  assert.deepEqual([both?.outcome, both?.variables], ['EnvOwnedByUser', []]);
  assert.match(both?.advice ?? '', /image’s value in front: .*DebugNonSafepoints/);
});

test('with both variables the user’s, theirs stays and what to append is said', () => {
  const [taken] = plan([aContainer('main', [of(TOOL), of(JDK)])]);

  assert.equal(taken?.outcome, 'EnvOwnedByUser');
  assert.equal(taken.advice, `its own ${TOOL} stays; append to the value: ${FLAG_LINE}`);
});

test('flags that the user has set already are enough', () => {
  assert.match(told(aContainer('main', [of(JDK, `-Da=b ${FLAG_LINE}`)])), /^SetByUser/);
});

test('envFrom may hide anything, so nothing is given beside it', () => {
  const [hidden] = plan([{ ...main, envFrom: [{ configMapRef: { name: 'settings' } }] }]);

  assert.equal(hidden?.outcome, 'EnvFromMayHideVariable');
  assert.match(hidden.advice ?? '', /DebugNonSafepoints/);
});

test('a workload of which nothing is known waits, named or not, unless its pods ask', () => {
  const nothing = { evidence: {} };

  assert.equal(told(main, nothing), 'WaitingForAgents unknown');
  assert.equal(plan([main], nothing, ['main'])[0]?.outcome, 'WaitingForAgents');
  assert.equal(told(main, { ...nothing, asked: 'true' }), 'Injected unknown');
  assert.equal(
    told(aContainer('main', [of(TOOL), of(JDK)]), { ...nothing, asked: 'true' }),
    'EnvOwnedByUser unknown',
  );
});

test('what was known stays known while our flags hide the image, and no longer once an agent sees otherwise', () => {
  assert.equal(told(main, { evidence: { jvm: 'Jvm' }, before: [TOOL] }), `Injected ${TOOL}`);
  assert.equal(told(main, { evidence: {}, before: [TOOL] }), `Injected ${TOOL}`);
  assert.equal(told(main, { evidence: {}, carried: [JDK] }), `Injected ${JDK}`);
  const seen = { jvm: 'Jvm', imageSets: { JAVA_TOOL_OPTIONS: true } } as const;
  assert.equal(told(main, { evidence: seen, before: [TOOL, JDK] }), `Injected ${JDK}`);
});

test('containers without a JVM, of a mesh, or that are not there get nothing', () => {
  assert.equal(told(main, { evidence: { jvm: 'NoJvm' } }), 'NoJvm ');
  assert.deepEqual(plan([aContainer('istio-proxy')]), []);
  assert.deepEqual(plan([main], {}, ['other']), [{ container: 'other', outcome: 'ContainerNotFound' }]);
});

test('pods are left alone that are annotated so, or failed with the flags', () => {
  assert.match(told(main, { asked: 'false' }), /^OptedOut/);
  assert.equal(told(main, { stopped: true, before: [TOOL] }), 'PodsFail ');
});

test('of what makes no more pods nothing is told to the API server', () => {
  assert.match(told(main, { kind: 'Job' }), /^NotMadeAgain/);
  assert.match(told(main, { kind: 'Job', asked: 'true' }), /^Injected/);
  assert.deepEqual(injectionsOf({ kind: 'Job', name: 'nightly' }, plan([main], { kind: 'Job' })), []);
});

test('what is known of each container becomes an entry, an empty one too', () => {
  const plans = plan([main, aContainer('side', [ours(TOOL)])]);

  assert.deepEqual(injectionsOf({ kind: 'Deployment', name: 'orders' }, plans), [
    { kind: 'Deployment', name: 'orders', container: 'main', variables: [TOOL, JDK] },
    { kind: 'Deployment', name: 'orders', container: 'side', variables: [TOOL, JDK] },
  ]);
  const none = plan([main], { evidence: { jvm: 'NoJvm' } });
  assert.deepEqual(injectionsOf({ kind: 'StatefulSet', name: 'ledger' }, none), [
    { kind: 'StatefulSet', name: 'ledger', container: 'main', variables: [] },
  ]);
});
