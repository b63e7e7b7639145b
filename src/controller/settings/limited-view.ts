/**
 * The cluster as it is carried out: no policy, and no gate, asks for more than the install allows, whoever looks. Those whose status is
 * to say what was asked for have `policy` and `clusterPolicy`, as they are written.
 */
import type { RegressionGate } from '../../crds/regression-gate.ts';
import type { InformedClusterView } from '../informed-cluster-view.ts';
import { withinLimits } from './policy-limits.ts';
import type { Settings } from './settings.ts';
import type { SettingsSource } from './settings-source.ts';

/** Whoever waits for changes is woken by those of the settings, too. */
export function limitedView<View extends Pick<InformedClusterView, Limited>>(
  view: View,
  settings: Pick<SettingsSource, 'current' | 'onChange'>,
): View {
  return {
    ...view,
    policies: (namespace?: string) =>
      view.policies(namespace).map((policy) => withinLimits(policy, settings.current().limits)),
    clusterPolicies: () =>
      view.clusterPolicies().map((policy) => withinLimits(policy, settings.current().limits)),
    gates: (namespace?: string) =>
      view.gates(namespace).map((gate) => withRaisedRate(gate, settings.current())),
    gate(namespace: string, name: string) {
      const gate = view.gate(namespace, name);
      return gate && withReports(gate, settings.current());
    },
    onChange(listener: () => void) {
      const stops = [view.onChange(listener), settings.onChange(listener)];
      return () => {
        for (const stop of stops) stop();
      };
    },
  };
}

type Limited = 'policies' | 'clusterPolicies' | 'gates' | 'gate' | 'onChange';

/** A rate that was raised before the settings allowed less. */
function withRaisedRate(gate: RegressionGate, { limits }: Settings): RegressionGate {
  const { evidence } = gate.status ?? {};
  if (evidence === undefined || evidence.frequencyHz <= limits.maxRaisedFrequencyHz) return gate;
  const lowered = { ...evidence, frequencyHz: limits.maxRaisedFrequencyHz };
  return { ...gate, status: { ...gate.status, evidence: lowered } };
}

const withReports = (gate: RegressionGate, { reportsPerGate }: Settings): RegressionGate =>
  gate.spec.reportHistoryLimit <= reportsPerGate
    ? gate
    : { ...gate, spec: { ...gate.spec, reportHistoryLimit: reportsPerGate } };
