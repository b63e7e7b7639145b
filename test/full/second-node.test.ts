/**
 * A node with a kubelet of its own goes while a gate compares JVMs on both: kubelet, containers and agent at once, then its Node object, and
 * its pods as the pod garbage collector removes them. The gate is right about the canary, or says why it is not decided.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Load, startLoad } from '../../scripts/demo/load.ts';
import type { RegressionReport } from '../../src/crds/regression-report.ts';
import { clusterEnv, eventually, getJson, kubectl } from '../cluster/cluster.ts';
import { deployArms, REGRESSED, STABLE } from '../e2e/support/arms.ts';
import { fittingRate } from '../e2e/support/fitting-load.ts';
import { installFlamegate, regressionGate } from '../e2e/support/install.ts';
import { applyObjects } from '../e2e/support/orders.ts';

const NS = 'second-node';
const LOAD_SECONDS = 1500;
const VERDICT_SECONDS = 1080;
const PODS_PART = 0.4; // of all cores: half of the pods come a second time, on the node that is left
const SCRIPT = fileURLToPath(new URL('../cluster/second-node.sh', import.meta.url));

const secondNode = (what: 'up' | 'lose'): string =>
  execFileSync(SCRIPT, [what], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...clusterEnv() },
  })
    .trim()
    .split('\n')
    .at(-1) ?? '';

const report = async (): Promise<RegressionReport | undefined> =>
  (await getJson<{ items: RegressionReport[] }>('regressionreports', '-n', NS))?.items[0];

const podsOn = async (node: string): Promise<readonly string[]> => {
  const names = await kubectl('get', 'pods', '-A', '-o', 'name', `--field-selector=spec.nodeName=${node}`);
  return names.trim().split('\n').filter(Boolean);
};

describe('a node that goes', () => {
  let load: Load;
  let node: string;

  before(async () => {
    await installFlamegate(); // before there is another node that it could be scheduled to
    node = secondNode('up');
    const arms = { [STABLE]: {}, [REGRESSED]: { SURCHARGE_SHARE: '0.08' } };
    const policy = { cpu: { frequencyHz: 199 }, requests: { enabled: false } };
    const groups = await deployArms(NS, { arms, policy, replicas: 4 });
    load = startLoad(groups, await fittingRate({ namespace: NS, groups }, PODS_PART), LOAD_SECONDS);
    const gate = {
      baseline: { podSelector: { matchLabels: { arm: STABLE } } },
      canary: { podSelector: { matchLabels: { arm: REGRESSED } } },
      checks: { cpu: { function: { margin: '3%' } } },
      duration: { warmUp: '1m', min: '3m', deadline: '10m' },
    };
    applyObjects(regressionGate(NS, 'orders', gate));
  });

  after(async () => {
    secondNode('lose');
    await load.stop();
    await kubectl('delete', 'namespace', NS, '--wait=false');
    await kubectl('delete', 'node', node, '--ignore-not-found');
  });

  test('with its pods, its agent and its Node object: the gate fails the dearer canary, or says why it cannot', async () => {
    const ofNode = async () =>
      (await report())?.status?.members?.filter((member) => member.node === node) ?? [];
    const watched = await eventually('an evaluation that has samples of both nodes', 600, async () => {
      const samples = (await report())?.status?.samples;
      const members = await ofNode();
      return (samples?.canary ?? 0) > 0 && members.length > 0 ? members : undefined;
    });

    secondNode('lose');
    await kubectl('delete', 'node', node);
    await eventually('its pods are gone', 240, async () => (await podsOn(node)).length === 0 || undefined);
    const { status } = await eventually('a verdict', VERDICT_SECONDS, async () => {
      const seen = await report();
      return seen?.status?.decidedAt === undefined ? undefined : seen;
    });

    console.log(
      JSON.stringify({ watched: watched.length, verdict: status?.verdict, message: status?.message }),
    );
    assert.match(
      `${status?.verdict} ${status?.reason}`,
      /^(Failed (FunctionGrew|NewHotPath)|Inconclusive \w+)$/,
    );
    assert.notEqual(status?.message ?? '', '');
    const kept = await ofNode();
    assert.deepEqual(kept.map(({ uid }) => uid).sort(), watched.map(({ uid }) => uid).sort());
  });
});
