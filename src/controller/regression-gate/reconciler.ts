/** RegressionGate: gather → decide → apply, again at the next look. */
import type { Logger } from 'pino';
import { type RegressionGate, regressionGateKind } from '../../crds/regression-gate.ts';
import type { RegressionReport } from '../../crds/regression-report.ts';
import { API_VERSION } from '../../crds/schema.ts';
import { type CpuInput, judgeCpu } from '../../detect/judge-cpu.ts';
import { LOOK_MS } from '../../detect/looks.ts';
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

/** Half of LOOK_MS, so that no closed look waits for long. */
const LOOK_AGAIN_MS = 15_000;
/** A look closes when its windows have had this time to arrive; the comparison waits as long. */
const LATE_MS = 15_000;
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

/**
 * A comparison replays every look from the first; it can say something new only once another look has closed.
 * In between, our own status writes and every pod that changes wake us too.
 */
function judgementKey(report: RegressionReport, { nowMs, startedAtMs, settings }: CpuInput): string {
  const closedLooks = Math.floor((nowMs - LATE_MS - startedAtMs) / LOOK_MS);
  return [report.metadata.uid, closedLooks, nowMs >= startedAtMs + settings.deadlineMs].join(' ');
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
