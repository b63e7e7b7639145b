/** A real Prometheus and Alertmanager beside the cluster, with the sample rules, that read the pages of all pods of Flamegate's. */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { getJson } from '../../cluster/cluster.ts';
import { anAlertmanager, aPrometheus, type RunningPrometheus } from '../../prometheus/prometheus.ts';

const ALERTING = new URL('../../../samples/alerting/', import.meta.url);
const RULES = fileURLToPath(new URL('flamegate.rules.yaml', ALERTING));
const ROUTES = fileURLToPath(new URL('alertmanager.yaml', ALERTING));
const NAMESPACES = ['flamegate-system', 'flamegate-agents'];

export interface Monitoring extends Pick<RunningPrometheus, 'query'>, AsyncDisposable {
  /** Labels of what is firing. */
  alerts(): Promise<readonly Readonly<Record<string, string>>[]>;
}

/** Of the pods there are now. */
export async function startMonitoring(): Promise<Monitoring> {
  await using begun = new AsyncDisposableStack();
  const lifetime = { after: (end: () => void | Promise<void>) => begun.defer(end) };
  const targets = (await Promise.all(NAMESPACES.map(pagesOf))).flat();
  assert.ok(targets.length >= NAMESPACES.length, targets.join());
  const alertmanager = await anAlertmanager(lifetime, ROUTES);
  const prometheus = await aPrometheus(lifetime, {
    targets,
    ruleFiles: [RULES],
    alertmanager: alertmanager.port,
  });
  const running = begun.move();
  return {
    [Symbol.asyncDispose]: () => running.disposeAsync(),
    query: prometheus.query,
    alerts: alertmanager.active,
  };
}

interface PodList {
  readonly items: readonly {
    readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
    readonly status: { readonly podIP?: string };
  }[];
}

/** As the annotations say that Prometheus' usual configuration for pods goes by. */
async function pagesOf(namespace: string): Promise<readonly string[]> {
  const pods = await getJson<PodList>('pods', '-n', namespace, '--field-selector=status.phase=Running');
  return (pods?.items ?? [])
    .filter(({ metadata }) => metadata.annotations?.['prometheus.io/scrape'] === 'true')
    .map(({ metadata, status }) => `${status.podIP}:${metadata.annotations?.['prometheus.io/port']}`);
}
