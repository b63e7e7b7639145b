/** The cluster of a bench that measures pods: one that is up already is used and left as it was, else one is booted and taken down. */
import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import type { Steps } from '../scripts/demo/step.ts';
import { kubectl } from '../test/cluster/cluster.ts';

const ROOT = resolve(import.meta.dirname, '..');

export interface TestCluster {
  /** This run booted it. */
  readonly isOurs: boolean;
  /** Takes it down if it is ours. */
  stop(): void;
}

/** `name` where CLUSTER_NAME names none. It has the images afterwards. */
export async function startTestCluster(name: string, steps: Steps): Promise<TestCluster> {
  const isOurs = await bootUnlessUp(name, steps);
  const stop = (): void => {
    if (isOurs) script('test/cluster/down.sh');
  };
  try {
    await steps.run('build and import the images', () => script('scripts/images.sh'));
    return { isOurs, stop };
  } catch (error) {
    stop();
    throw error;
  }
}

async function bootUnlessUp(name: string, steps: Steps): Promise<boolean> {
  const named = process.env['CLUSTER_NAME'] !== undefined || process.env['CLUSTER'] === 'existing';
  process.env['CLUSTER_NAME'] ??= name;
  if (named && (await clusterAnswers())) return false;
  process.env['CLUSTER_NET'] ??= '10.233'; // one of the nets that the load generator takes for a test cluster's
  await steps.run(`boot the cluster ${process.env['CLUSTER_NAME']}`, () => script('test/cluster/up.sh'));
  return true;
}

async function clusterAnswers(): Promise<boolean> {
  try {
    await kubectl('get', '--raw', '/readyz');
    return true;
  } catch {
    return false; // it is not up, which is an answer
  }
}

function script(path: string): void {
  execFileSync(`${ROOT}/${path}`, { stdio: 'inherit' });
}
