/** Applications as their controller tells of them: made, asked to look at git again, waited for, and watched for drift. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { type KubeClient, pathOf } from '../../src/kube/client.ts';
import { eventually } from '../cluster/cluster.ts';
import { ARGO_CD } from './argo-cd.ts';

export interface Application {
  readonly metadata: { readonly name: string };
  readonly status?: {
    readonly sync?: {
      readonly status?: string;
      readonly revision?: string;
      readonly revisions?: readonly string[];
    };
    readonly health?: { readonly status?: string };
    readonly operationState?: {
      readonly phase?: string;
      readonly message?: string;
      readonly syncResult?: { readonly revision?: string; readonly revisions?: readonly string[] };
    };
    readonly conditions?: readonly object[];
    readonly resources?: readonly ApplicationResource[];
  };
}

export interface ApplicationResource {
  readonly kind: string;
  readonly name: string;
  readonly status?: string;
  readonly health?: { readonly status?: string; readonly message?: string };
}

export interface Drift {
  readonly looks: number;
  readonly watchedS: number;
  /** Over all Applications. */
  readonly outOfSyncS: number;
  /** What was seen that is not Synced, for a failed test. */
  readonly seen: readonly string[];
}

export interface Applications {
  make(manifest: object): Promise<void>;
  get(name: string): Promise<Application>;
  /** Has them look at git again, as a webhook of the repository would, and waits until each has synced this revision. */
  synced(names: readonly string[], revision: string): Promise<void>;
  until(name: string, what: string, isSo: (application: Application) => boolean): Promise<Application>;
  /** Looks at all Applications a few times a second until it is stopped. */
  watchDrift(): { stop(): Promise<Drift> };
}

const API = 'argoproj.io/v1alpha1';
const WAIT_S = 600; // a gate decides within minutes
const LOOK_MS = 250;
const MERGE = 'application/merge-patch+json';
const applications = { apiVersion: API, plural: 'applications', namespace: ARGO_CD };

/** `explain`: what else to tell when something did not come true. */
export async function argoApplications(client: KubeClient, explain: () => string): Promise<Applications> {
  await makeProject(client);
  const get = async (name: string): Promise<Application> =>
    (await client.get<Application>({ ...applications, name })) ?? assert.fail(`there is no ${name}`);
  const until: Applications['until'] = async (name, what, isSo) => {
    const seen: { last?: Application } = {};
    return eventually(`${name} ${what}`, WAIT_S, async () => {
      seen.last = await get(name);
      return isSo(seen.last) ? seen.last : undefined;
    }).catch((error: unknown) =>
      assert.fail(`${String(error)}: ${JSON.stringify(seen.last?.status, undefined, 1)}\n${explain()}`),
    );
  };
  return {
    ...{ get, until },
    async make(manifest) {
      await client.create(applications, manifest);
    },
    async synced(names, revision) {
      const metadata = { annotations: { 'argocd.argoproj.io/refresh': 'normal' } };
      for (const name of names)
        await client.request('PATCH', pathOf({ ...applications, name }), { metadata }, MERGE);
      for (const name of names)
        await until(name, `has synced ${revision}`, (each) => hasSynced(each, revision));
    },
    watchDrift: () => watchDrift(client),
  };
}

async function makeProject(client: KubeClient): Promise<void> {
  const any = { group: '*', kind: '*' };
  const spec = {
    ...{ sourceRepos: ['*'], destinations: [{ namespace: '*', server: '*' }] },
    ...{ clusterResourceWhitelist: [any], namespaceResourceWhitelist: [any] },
  };
  const project = { apiVersion: API, kind: 'AppProject', metadata: { name: 'default' }, spec };
  await eventually('its kinds are served', 60, () =>
    client.create({ ...applications, plural: 'appprojects' }, project),
  );
}

/** The revision is that of what is compared, and a sync of it has ended well. */
function hasSynced({ status }: Application, revision: string): boolean {
  const { sync, operationState } = status ?? {};
  const isOf = (one?: { readonly revision?: string; readonly revisions?: readonly string[] }): boolean =>
    one?.revision === revision || (one?.revisions?.every((each) => each === revision) ?? false);
  return (
    sync?.status === 'Synced' &&
    isOf(sync) &&
    operationState?.phase === 'Succeeded' &&
    isOf(operationState.syncResult)
  );
}

const isSynced = ({ status }: Application): boolean => status?.sync?.status === 'Synced';

function watchDrift(client: KubeClient): { stop(): Promise<Drift> } {
  const end = new AbortController();
  const startedMs = performance.now();
  const drift = { looks: 0, outOfSyncMs: 0 };
  const seen = new Set<string>();
  const watching = (async () => {
    let beforeMs = performance.now();
    while (!end.signal.aborted) {
      const { items } = await client.request<{ items: Application[] }>('GET', pathOf(applications));
      const nowMs = performance.now();
      const adrift = items.filter((application) => !isSynced(application));
      drift.looks += 1;
      drift.outOfSyncMs += adrift.length * (nowMs - beforeMs);
      for (const { metadata, status } of adrift) {
        const resources = status?.resources?.filter((resource) => resource.status !== 'Synced') ?? [];
        seen.add(`${metadata.name} ${status?.sync?.status}: ${JSON.stringify(resources)}`);
      }
      beforeMs = nowMs;
      await delay(LOOK_MS);
    }
  })();
  return {
    async stop() {
      end.abort();
      await watching;
      const watchedS = (performance.now() - startedMs) / 1_000;
      return { looks: drift.looks, watchedS, outOfSyncS: drift.outOfSyncMs / 1_000, seen: [...seen] };
    },
  };
}
