/** RegressionGate: gather → decide → apply, again at the next look. */
import type { Logger } from 'pino';
import { type RegressionGate, regressionGateKind } from '../../crds/regression-gate.ts';
import type { RegressionReport } from '../../crds/regression-report.ts';
import { API_VERSION } from '../../crds/schema.ts';
import { type CpuInput, judgeCpu } from '../../detect/judge-cpu.ts';
import type { CpuJudgement } from '../../detect/verdict.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { EventRecorder } from '../../kube/events.ts';
import type { WindowStore } from '../../store/window-store.ts';
import type { ClusterView } from '../cluster-view.ts';
import type { Reconciler } from '../operator-base.ts';
import { apply } from './apply.ts';
import { decide, type Finding } from './decide.ts';
import { gather, type Observed } from './gather.ts';

export interface GateReconcilerOptions {
  readonly client: KubeClient;
  readonly view: ClusterView;
  readonly store: WindowStore;
  readonly events: EventRecorder;
  readonly log: Logger;
  readonly now: () => number;
}

/** Open evaluations are looked at twice per look of the comparison (30 s), so that none waits for long. */
const LOOK_AGAIN_MS = 15_000;
/** Rollouts are seen by the watch; this is for what only time tells. */
const WAIT_AGAIN_MS = 30_000;

interface Remembered {
  readonly writtenAtMs: number;
  /** The last judgement, and what it was made of. */
  readonly judged?: { readonly key: string; readonly judgement: CpuJudgement };
}

export function regressionGateReconciler(options: GateReconcilerOptions): Reconciler<RegressionGate> {
  const { client, view, store, events, log, now } = options;
  const remembered = new Map<string, Remembered>(); // one entry per gate that exists
  return {
    resource: { apiVersion: API_VERSION, plural: regressionGateKind.plural, kind: regressionGateKind.kind },
    async reconcile(key, gate) {
      if (gate === undefined || gate.metadata.deletionTimestamp !== undefined) {
        remembered.delete(key);
        return undefined;
      }
      const nowMs = now();
      const before = remembered.get(key) ?? { writtenAtMs: 0 };
      let judged = before.judged;
      const judge = (report: RegressionReport, input: CpuInput): CpuJudgement => {
        const next = judgementKey(report, input);
        if (judged?.key !== next) judged = { key: next, judgement: judgeCpu(input) };
        return judged.judgement;
      };
      const observed = gather(gate, { view, store, nowMs, judge });
      const decision = decide(observed, nowMs);
      const { writtenAtMs } = before;
      const writtenAt = await apply(observed, decision, { client, events, writtenAtMs, nowMs });
      remembered.set(key, { writtenAtMs: writtenAt, ...(judged === undefined ? {} : { judged }) });
      logTransition(log, observed, decision.finding);
      return { requeueAfterMs: decision.finding.kind === 'Evaluating' ? LOOK_AGAIN_MS : WAIT_AGAIN_MS };
    },
  };
}

/** Our own status writes wake us again: the same windows are not judged twice. */
function judgementKey(
  report: RegressionReport,
  { baseline, canary, nowMs, startedAtMs, settings }: CpuInput,
): string {
  const last = (windows: CpuInput['baseline']): string => `${windows.length}@${windows.at(-1)?.startMs}`;
  const look = Math.floor((nowMs - startedAtMs) / LOOK_AGAIN_MS);
  return [
    report.metadata.uid,
    look,
    nowMs >= startedAtMs + settings.deadlineMs,
    last(baseline),
    last(canary),
  ].join(' ');
}

function logTransition(log: Logger, { gate, evaluations }: Observed, finding: Finding): void {
  const { name, namespace } = gate.metadata;
  const facts = {
    gate: `${namespace}/${name}`,
    finding: finding.kind,
    attempt: evaluations.current?.spec.attempt,
  };
  log.debug(facts, 'gate reconciled');
}
