/** What gates do about rollouts, for Prometheus: what they did as a counter, what they stop as they say it themselves. */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { ClusterView } from '../cluster-view.ts';
import { STOPPED } from './action-status.ts';
import type { ActorOptions } from './take-action.ts';

export function exposeActions(registry: Registry, view: ClusterView): ActorOptions['count'] {
  const registers = [registry];
  new Gauge({
    name: 'flamegate_gate_rollout_stopped',
    help: '1 while the gate holds, pauses or has aborted the newest rollout of its target, as the condition RolloutStopped; of gates that act.',
    labelNames: ['k8s_namespace_name', 'gate'],
    registers,
    collect() {
      this.reset();
      for (const { metadata, status } of view.gates()) {
        if (status?.conditions?.some(({ type }) => type === 'RolloutStopped') !== true) continue;
        const labels = { k8s_namespace_name: metadata.namespace, gate: metadata.name };
        const { state } = status.action ?? {};
        this.set(labels, state !== undefined && STOPPED.includes(state) ? 1 : 0);
      }
    },
  });
  const actions = new Counter({
    name: 'flamegate_gate_actions_total',
    help: 'Rollouts paused, released and aborted, by whether the API server took it.',
    labelNames: ['action', 'result'],
    registers,
  });
  return (action, result) => actions.inc({ action, result });
}
