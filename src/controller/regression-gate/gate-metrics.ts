/**
 * What gates say, for Prometheus, read from the caches whenever it asks: so that it is the same before and after a restart. Labels
 * are OpenTelemetry's, as those of http_server_request_duration_seconds are, and no target label of a scrape hides them.
 */
import { Gauge, type Registry } from 'prom-client';
import { GATE_VERDICTS, type RegressionGate } from '../../crds/regression-gate.ts';
import type { ClusterView } from '../cluster-view.ts';
import { findArms } from './arms.ts';

export function exposeGates(registry: Registry, view: ClusterView): void {
  const registers = [registry];
  new Gauge({
    name: 'flamegate_gate_verdict',
    help: '1 for the verdict that a RegressionGate shows, 0 for those it does not.',
    labelNames: ['k8s_namespace_name', 'gate', 'verdict'],
    registers,
    collect() {
      this.reset();
      for (const gate of view.gates()) {
        const shown = gate.status?.verdict ?? 'Waiting';
        for (const verdict of GATE_VERDICTS)
          this.set({ ...labelsOf(gate), verdict }, verdict === shown ? 1 : 0);
      }
    },
  });
  new Gauge({
    name: 'flamegate_gate_regressed',
    help: '1 while the canary that runs is proven to be worse than its baseline, as the condition Regressed.',
    labelNames: ['k8s_namespace_name', 'gate'],
    registers,
    collect() {
      this.reset();
      for (const gate of view.gates()) this.set(labelsOf(gate), isRegressed(gate) ? 1 : 0);
    },
  });
  new Gauge({
    name: 'flamegate_gate_pod_info',
    help: '1 for each running pod that a RegressionGate compares, with the arm it belongs to; of several gates the first by name.',
    labelNames: ['k8s_namespace_name', 'k8s_pod_name', 'gate', 'arm'],
    registers,
    collect() {
      this.reset();
      for (const { pod, ...labels } of comparedPods(view)) this.set({ ...labels, k8s_pod_name: pod }, 1);
    },
  });
}

const labelsOf = ({ metadata }: RegressionGate) => ({
  k8s_namespace_name: metadata.namespace,
  gate: metadata.name,
});

const isRegressed = ({ status }: RegressionGate): boolean =>
  status?.conditions?.some((condition) => condition.type === 'Regressed' && condition.status === 'True') ===
  true;

interface ComparedPod {
  readonly k8s_namespace_name: string;
  readonly gate: string;
  readonly arm: 'baseline' | 'canary';
  readonly pod: string;
}

/** Each pod once: a query that joins on it fails as a whole where a pod is there twice. */
function comparedPods(view: ClusterView): readonly ComparedPod[] {
  const byName = view.gates().toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const compared = byName.flatMap((gate) => podsComparedBy(gate, view));
  return [
    ...Map.groupBy(compared, ({ k8s_namespace_name, pod }) => `${k8s_namespace_name}/${pod}`).values(),
  ].flatMap(([first]) => first ?? []);
}

function podsComparedBy(gate: RegressionGate, view: ClusterView): readonly ComparedPod[] {
  const arms = findArms(gate, view);
  if (arms.kind !== 'Pair') return [];
  return (['baseline', 'canary'] as const).flatMap((arm) =>
    arms[arm].pods.map(({ metadata }) => ({ ...labelsOf(gate), arm, pod: metadata?.name ?? '' })),
  );
}
