/** A constant, bounded load on the pods of one arm, straight to their addresses so that every pod gets the same. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { getJson } from '../../test/cluster/cluster.ts';

const ROOT = resolve(import.meta.dirname, '../..');

interface PodList {
  readonly items: readonly {
    readonly metadata: { readonly deletionTimestamp?: string };
    readonly status: {
      readonly podIP?: string;
      readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    };
  }[];
}

/** Addresses of the ready pods a selector finds, as host:port. */
export async function podAddresses(namespace: string, selector: string): Promise<readonly string[]> {
  const pods = await getJson<PodList>('pods', '-n', namespace, '-l', selector);
  return (pods?.items ?? [])
    .filter((pod) => pod.metadata.deletionTimestamp === undefined)
    .filter((pod) => pod.status.conditions?.some((c) => c.type === 'Ready' && c.status === 'True'))
    .flatMap((pod) => (pod.status.podIP === undefined ? [] : [`${pod.status.podIP}:8080`]));
}

export interface Load {
  /** Settles when the load has come to its own end, or was stopped. */
  readonly ended: Promise<unknown>;
  /** Ends the load and returns its summary, by group. Stopping twice is fine. */
  stop(): Promise<LoadSummary>;
}
export interface GroupSummary {
  readonly requests: number;
  readonly errors: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}
export type LoadSummary = Readonly<Record<string, GroupSummary>>;

/** Builds the load generator if needed and starts it: `ratePerPod` requests per second on each address. */
export function startLoad(
  groups: Readonly<Record<string, readonly string[]>>,
  ratePerPod: number,
  maxSeconds: number,
): Load {
  const built = execFileSync(`${ROOT}/test/load/build.sh`, { encoding: 'utf8' }).trim();
  const directory = mkdtempSync(join(tmpdir(), 'flamegate-load-'));
  const out = join(directory, 'summary.json');
  const flags = Object.entries(groups).flatMap(([name, pods]) => ['-group', `${name}=${pods.join(',')}`]);
  const child: ChildProcess = spawn(
    join(built, 'flamegate-load'),
    ['-rate', String(ratePerPod), '-duration', `${maxSeconds}s`, '-path-ids', '1000', '-out', out, ...flags],
    { stdio: 'ignore' },
  );
  const ended = once(child, 'exit')
    .then(() => summaryIn(out))
    .finally(() => rmSync(directory, { recursive: true }));
  return {
    ended,
    async stop() {
      child.kill('SIGTERM');
      return (await ended) ?? Promise.reject(new Error('the load ended without a summary'));
    },
  };
}

/** Undefined where it was killed before it wrote one. */
function summaryIn(file: string): LoadSummary | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).groups;
  } catch {
    return undefined;
  }
}
