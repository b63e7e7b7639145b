/**
 * Makes a recording that the tests beside this file judge again: the arms of the e2e gates under a constant load, on the
 * cluster CLUSTER_NAME that is up and has the images. Twenty minutes, or MINUTES.
 * Usage: record-arms.ts DIRECTORY
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { startLoad } from '../../scripts/demo/load.ts';
import { clusterKubeconfig, kubectl } from '../cluster/cluster.ts';
import { applyGates, deployArms } from '../e2e/support/arms.ts';
import { fittingRate } from '../e2e/support/fitting-load.ts';
import { installFlamegate } from '../e2e/support/install.ts';

const NAMESPACE = 'recorded-arms';
const CLI = fileURLToPath(new URL('../../dist/cli/main.mjs', import.meta.url));
const SECONDS_AFTER = 60; // of load, so that the last window is as the others

const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error('usage: record-arms.ts DIRECTORY');
const minutes = Number(process.env['MINUTES'] ?? '20');

await installFlamegate();
const groups = await deployArms(NAMESPACE);
const rate = await fittingRate({ namespace: NAMESPACE, groups });
const load = startLoad(groups, rate, minutes * 60 + SECONDS_AFTER);
applyGates(NAMESPACE); // agents send stacks of gated pods only
try {
  const what = ['--namespace', NAMESPACE, '--selector', 'app=orders', '--duration', `${minutes}m`];
  const recorder = spawn(process.execPath, [CLI, 'record', ...what, '-o', directory], {
    stdio: 'inherit',
    env: { ...process.env, KUBECONFIG: clusterKubeconfig() },
  });
  const [code] = await once(recorder, 'exit');
  if (code !== 0) throw new Error(`flamegate record ended with ${String(code)}`);
} finally {
  console.log(await load.stop());
  await kubectl('delete', 'namespace', NAMESPACE, '--wait=false');
}
