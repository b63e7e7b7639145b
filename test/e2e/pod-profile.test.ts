/**
 * What somebody types who looks at a pod: status, top and record, by the way through kubelet and containerd to the controller, as who has the
 * roles that docs/cli.md names, and as who has a client certificate and no token. No gate compares the pod.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { type Load, podAddresses, startLoad } from '../../scripts/demo/load.ts';
import { readProfiles } from '../../src/cli/profile-files.ts';
import type { ProfilingPolicy } from '../../src/crds/profiling-policy.ts';
import { totalCount } from '../../src/profile/stack-counts.ts';
import { documentedCommands } from '../bare/documented-commands.ts';
import { clusterKubeconfig, eventually, getJson, kubectl } from '../cluster/cluster.ts';
import { installFlamegate, profilingPolicy } from './support/install.ts';
import { applyObjects, namespace, ordersDeployment, rolledOut } from './support/orders.ts';

const NS = 'looked-at';
const ACCOUNT = 'developer';
const ENTRY = new URL('../../src/cli/main.ts', import.meta.url).pathname;
const COMMAND_MS = 240_000; // two minutes of patience, and a busy machine
const WARM_SECONDS = 300;
const LOAD_SECONDS = 900;
const RATE = 5;
const isSurcharge = (name: string): boolean => name.startsWith('shop.Surcharge.');
const directory = mkdtempSync(join(tmpdir(), 'flamegate-looked-at-'));

describe('a pod that somebody looks at, on a real cluster', () => {
  let load: Load;
  let pod: string;
  let developer: string;

  before(async () => {
    await installFlamegate();
    applyObjects(namespace(NS), profilingPolicy(NS, 'shop', { cpu: { frequencyHz: 199 } }));
    const env = { SURCHARGE_SHARE: '0.5' }; // half of its CPU in one function
    applyObjects(ordersDeployment({ namespace: NS, name: 'orders', replicas: 1, jvmArgs: [], env }));
    await rolledOut(NS, 'orders');
    pod = `${NS}/${await kubectl('get', 'pods', '-n', NS, '-o', 'jsonpath={.items[0].metadata.name}')}`;
    load = startLoad({ orders: await podAddresses(NS, 'app=orders') }, RATE, LOAD_SECONDS);
    developer = await grantedAccount();
    await eventually('the pod is profiled', 120, async () => {
      const policy = await getJson<ProfilingPolicy>('profilingpolicy', 'shop', '-n', NS);
      return policy?.status?.profiled === 1 || undefined;
    });
  });

  after(async () => {
    await load.stop();
    rmSync(directory, { recursive: true });
    await kubectl('delete', 'rolebinding', ACCOUNT, '-n', 'flamegate-system', '--ignore-not-found');
    await kubectl('delete', 'rolebinding', ACCOUNT, '-n', 'flamegate-agents', '--ignore-not-found');
    await kubectl('delete', 'namespace', NS, '--wait=false');
  });

  test('status reaches the controller, and says that the pod is profiled', () => {
    const { stdout } = flamegate(developer, 'status', '-n', NS);

    assert.match(stdout, /^controller {2}1 of 1 ready; [\s\S]* leads,\s+renewed \d+ s ago;\s+answers$/m);
    assert.match(stdout, new RegExp(`^${NS}/shop +1/1 `, 'm'));
  });

  // A JVM that is young compiles for most of its CPU, for minutes where others want the machine, too.
  test('top names the function that takes half of its CPU, to who has a client certificate and no token', async () => {
    await eventually('the function among those of the pod', WARM_SECONDS, () => {
      const { stdout } = flamegate(clusterKubeconfig(), 'top', '--pod', pod, '--times', '1', '-o', 'json');

      const { of, functions } = JSON.parse(stdout);
      assert.equal(of, `pod ${pod}`);
      return functions.some(({ function: name }: { function: string }) => isSurcharge(name)) || undefined;
    });
  });

  test('record writes a profile with that function in it, to who has the roles for it', async () => {
    await eventually('a fifth of the samples in the function', WARM_SECONDS, async () => {
      const output = join(directory, 'pod.pb.gz');

      const { stdout } = flamegate(developer, 'record', '--pod', pod, '--duration', '10s', '-o', output);

      assert.match(stdout, /^wrote .*pod\.pb\.gz: [\d,]+ samples of \d+\.\d s; at 199 Hz; container orders/);
      const { baseline: stacks } = await readProfiles(output, output);
      const surcharge = stacks.filter(({ frames }) => frames.some(isSurcharge));
      return totalCount(surcharge) > 0.2 * totalCount(stacks) || undefined;
    });
  });

  function flamegate(kubeconfig: string, ...args: string[]): { readonly stdout: string } {
    const done = spawnSync(process.execPath, [ENTRY, ...args], {
      ...{ encoding: 'utf8', timeout: COMMAND_MS, env: { ...process.env, KUBECONFIG: kubeconfig } },
    });
    assert.equal(done.status, 0, `${done.stdout}\n${done.stderr}`);
    return done;
  }
});

/** A kubeconfig with a token of an account that has been given what docs/cli.md says, by its commands. */
async function grantedAccount(): Promise<string> {
  await kubectl('create', 'serviceaccount', ACCOUNT, '-n', NS);
  for (const line of documentedCommands('docs/cli.md', 'rights').trim().split('\n')) {
    const args = line.replace('--user=jo@example.com', `--serviceaccount=${NS}:${ACCOUNT}`).split(' ');
    await kubectl(...args.slice(1).map((arg) => (arg === 'shop' ? NS : arg === 'jo' ? ACCOUNT : arg)));
  }
  const token = (await kubectl('create', 'token', ACCOUNT, '-n', NS)).trim();
  const { users, ...config } = parse(readFileSync(clusterKubeconfig(), 'utf8'));
  const file = join(directory, 'kubeconfig');
  writeFileSync(file, stringify({ ...config, users: [{ name: users[0].name, user: { token } }] }));
  return file;
}
