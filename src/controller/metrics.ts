/** prom-client metrics under controller-runtime's names, so that its dashboards and alerts fit. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { QueueObserver, QueueResult } from '../kube/work-queue.ts';

export interface ControllerMetrics {
  readonly registry: Registry;
  queue(controller: string): QueueObserver;
  request(method: string, status: number, host: string): void;
  leader(name: string, leads: boolean): void;
  policies(count: number): void;
  /** `hash`: of the settings in force; `valid`: whether the file is what is in force. */
  settings(hash: string, valid: boolean): void;
  injection(result: InjectionResult): void;
  eventFailed(): void;
  informerError(resource: string): void;
}

export type InjectionResult = 'injected' | 'removed' | 'released' | 'refused' | 'conflicted';

/** controller-runtime's buckets, thinned. */
const SECONDS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export function controllerMetrics(): ControllerMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const requests = new Counter({
    name: 'rest_client_requests_total',
    help: 'Requests to the API server by status code, method and host; code 0 means no answer.',
    labelNames: ['code', 'method', 'host'],
    registers: [registry],
  });
  const leader = new Gauge({
    name: 'leader_election_master_status',
    help: '1 while this process holds the lease.',
    labelNames: ['name'],
    registers: [registry],
  });
  const plain = ownMetrics(registry);
  const queues = queueMetrics(registry);
  return {
    registry,
    queue: queues,
    request: (method, code, host) => requests.inc({ code: String(code), method, host }),
    leader: (name, leads) => leader.set({ name }, leads ? 1 : 0),
    ...plain,
  };
}

function ownMetrics(registry: Registry) {
  const registers = [registry];
  const policies = new Gauge({
    name: 'flamegate_policies',
    help: 'ProfilingPolicies and ClusterProfilingPolicies known.',
    registers,
  });
  const injections = new Counter({
    name: 'flamegate_injections_total',
    help: 'Changes to pod templates for JVM flags, by what became of them.',
    labelNames: ['result'],
    registers,
  });
  const events = new Counter({
    name: 'flamegate_events_failed_total',
    help: 'Events that could not be written.',
    registers,
  });
  const informers = new Counter({
    name: 'flamegate_informer_errors_total',
    help: 'Lists and watches that failed and were started again.',
    labelNames: ['resource'],
    registers,
  });
  return {
    ...settingsMetrics(registry),
    policies: (count: number) => policies.set(count),
    injection: (result: InjectionResult) => injections.inc({ result }),
    eventFailed: () => events.inc(),
    informerError: (resource: string) => informers.inc({ resource }),
  };
}

function settingsMetrics(registry: Registry) {
  const registers = [registry];
  const isValid = new Gauge({
    name: 'flamegate_settings_valid',
    help: '1 while the settings file is what is in force; 0 while it is refused and what it said before is.',
    registers,
  });
  const info = new Gauge({
    name: 'flamegate_settings_info',
    help: 'Always 1; hash is of the settings in force.',
    labelNames: ['hash'],
    registers,
  });
  return {
    settings(hash: string, valid: boolean) {
      isValid.set(valid ? 1 : 0);
      info.reset();
      info.set({ hash }, 1);
    },
  };
}

function queueMetrics(registry: Registry): (controller: string) => QueueObserver {
  const registers = [registry];
  const counter = (name: string, help: string, labelNames: string[]) =>
    new Counter({ name, help, labelNames, registers });
  const seconds = (name: string, help: string, labelNames: string[]) =>
    new Histogram({ name, help, labelNames, buckets: SECONDS, registers });
  const total = counter('controller_runtime_reconcile_total', 'Reconciles by result.', [
    'controller',
    'result',
  ]);
  const errors = counter('controller_runtime_reconcile_errors_total', 'Reconciles that failed.', [
    'controller',
  ]);
  const time = seconds('controller_runtime_reconcile_time_seconds', 'Time of a reconcile.', ['controller']);
  const depth = new Gauge({
    name: 'workqueue_depth',
    help: 'Keys waiting.',
    labelNames: ['name'],
    registers,
  });
  const adds = counter('workqueue_adds_total', 'Keys added.', ['name']);
  const waited = seconds('workqueue_queue_duration_seconds', 'Time a key waited.', ['name']);
  const worked = seconds('workqueue_work_duration_seconds', 'Time a key was worked on.', ['name']);
  const retries = counter('workqueue_retries_total', 'Keys that came back after an error.', ['name']);
  return (controller) => ({
    added(size) {
      adds.inc({ name: controller });
      depth.set({ name: controller }, size);
    },
    started(size, waitedMs) {
      depth.set({ name: controller }, size);
      waited.observe({ name: controller }, waitedMs / 1000);
    },
    finished(result: QueueResult, workedMs) {
      total.inc({ controller, result });
      time.observe({ controller }, workedMs / 1000);
      worked.observe({ name: controller }, workedMs / 1000);
      if (result === 'error') {
        errors.inc({ controller });
        retries.inc({ name: controller });
      }
    },
  });
}
