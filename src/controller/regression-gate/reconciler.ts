/** RegressionGate: gather → decide → apply, again at the next look. */
import type { Logger } from 'pino';
import { type RegressionGate, regressionGateKind } from '../../crds/regression-gate.ts';
import { API_VERSION } from '../../crds/schema.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { EventRecorder } from '../../kube/events.ts';
import type { WindowStore } from '../../store/window-store.ts';
import type { RolloutActor, Taken } from '../acting/take-action.ts';
import type { AgentReports } from '../agent-reports.ts';
import type { ClusterView } from '../cluster-view.ts';
import type { NotifyFinding } from '../notifications/notify-ready.ts';
import { parseKey, type Reconciler } from '../operator-base.ts';
import type { ToldNodes } from '../told-nodes.ts';
import { apply } from './apply.ts';
import { type Decision, decide, type Finding } from './decide.ts';
import { gather, type Observed } from './gather.ts';
import type { LateWindows } from './late-windows.ts';
import { runningCertifications } from './running-certifications.ts';
import { runningEvaluations } from './running-evaluations.ts';
import type { WindowSource } from './window-source.ts';

export interface GateReconcilerOptions {
  readonly client: KubeClient;
  readonly view: ClusterView;
  readonly store: WindowStore;
  /** Where windows are read, of what the store knows. */
  readonly source: WindowSource;
  readonly agents: AgentReports;
  readonly told: Pick<ToldNodes, 'toldToMs'>;
  readonly events: EventRecorder;
  readonly late: LateWindows;
  /** Does what gates ask for about rollouts. */
  readonly actor: RolloutActor;
  /** Whether who a gate is to tell can be told; nobody can without it. */
  readonly notifyReady?: (gate: RegressionGate) => NotifyFinding | undefined;
  readonly log: Logger;
  readonly now: () => number;
}

/** Half of a look, so that no closed look waits for long. */
const LOOK_AGAIN_MS = 15_000;
/** Rollouts are seen by the watch; this is for what only time tells. */
const WAIT_AGAIN_MS = 30_000;

export function regressionGateReconciler(options: GateReconcilerOptions): Reconciler<RegressionGate> {
  const { client, view, store, source, agents, told, events, late, actor, log, now } = options;
  const writtenAt = new Map<string, number>(); // one entry per gate that exists
  const running = runningEvaluations(store, source, now);
  const certifications = runningCertifications({ store, source, now, log });
  const countLate = (key: string, { judgement }: Observed, { open, status }: Decision): void => {
    const judged = running.restsOn(key);
    if (open !== undefined) late.drop(key);
    else if (judgement === undefined) {
      const windows = late.recount(key);
      if (windows > 0) log.info({ gate: key, windows }, 'windows came after the verdict');
    } else if (status?.decidedAt !== undefined && judged !== undefined) late.decided(key, judged);
  };
  return {
    resource: { apiVersion: API_VERSION, plural: regressionGateKind.plural, kind: regressionGateKind.kind },
    async reconcile(key, gate) {
      if (gate === undefined || gate.metadata.deletionTimestamp !== undefined) {
        writtenAt.delete(key);
        running.drop(key);
        certifications.drop(key);
        late.drop(key);
        const { namespace, name } = parseKey(key);
        await actor.releaseOrphans(namespace, name);
        return undefined;
      }
      const nowMs = now();
      const judge = running.judge.bind(undefined, key);
      const expect = running.forecast.bind(undefined, key);
      const certify = certifications.certify.bind(undefined, key);
      const observed = await gather(gate, { view, store, agents, told, nowMs, judge, expect, certify });
      if (observed.judgement === undefined) running.drop(key);
      else certifications.drop(key);
      const decision = decide(observed, nowMs);
      const taken = await takenOn(observed, actor);
      const writtenAtMs = writtenAt.get(key) ?? 0;
      const notify = options.notifyReady?.(gate);
      const targets = { client, events, writtenAtMs, nowMs, taken, notify };
      writtenAt.set(key, await apply(observed, decision, targets));
      countLate(key, observed, decision);
      logTransition(log, observed, decision.finding);
      return { requeueAfterMs: decision.finding.kind === 'Evaluating' ? LOOK_AGAIN_MS : WAIT_AGAIN_MS };
    },
  };
}

/** By verdicts that have been written, so that whoever leads next does the same. */
const takenOn = async ({ gate, settings, evaluations }: Observed, actor: RolloutActor): Promise<Taken> =>
  typeof settings === 'string' ? {} : actor.take(gate, evaluations.all);

function logTransition(log: Logger, { gate, evaluations }: Observed, finding: Finding): void {
  const { name, namespace } = gate.metadata;
  const facts = {
    gate: `${namespace}/${name}`,
    finding: finding.kind,
    attempt: evaluations.current?.spec.attempt,
  };
  log.debug(facts, 'gate reconciled');
}
