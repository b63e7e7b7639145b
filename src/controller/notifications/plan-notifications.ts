/**
 * What is to be told of gates that name sinks, from their status as the caches show it and from what was told before. Pure.
 *
 * gate                                                        → Alertmanager         Webhook
 * Regressed is True, not told or a minute ago                 → firing               –
 * Regressed is not True any more, or the gate or name is gone → resolved             resolved, once
 * its verdict is another, or of another evaluation            → –                    that, once
 * the same, met for the first time (a new leader)             → as above             that, if decided in the last ten minutes
 *
 * Alerts are levels: after a failover they are told again, and what nobody tells any more ends by itself. Messages are told at least
 * once, by an id that stays, unless no controller ran for ten minutes.
 */
import type { RegressionGate } from '../../crds/regression-gate.ts';
import type { Alert } from '../../sinks/alertmanager.ts';
import type { WebhookMessage } from '../../sinks/webhook.ts';

export type Notification = { readonly sink: string } & (
  | { readonly kind: 'Alert'; readonly alert: Alert }
  | { readonly kind: 'Message'; readonly message: WebhookMessage }
);

/** Of one gate, by its UID. */
interface ToldGate {
  readonly alert: FiringAlert | undefined;
  /** Ids of the last messages: of the verdict, and of the regression that was proven last. */
  readonly verdictId: string | undefined;
  readonly regressed: Regression | undefined;
  readonly webhooks: readonly string[];
}

interface FiringAlert extends Pick<Alert, 'labels' | 'annotations' | 'startsAtMs'> {
  readonly sinks: readonly string[];
  readonly toldMs: number;
}

interface Regression {
  readonly id: string;
  readonly facts: MessageFacts;
}

type MessageFacts = Pick<WebhookMessage, 'subject' | 'data'>;

export type Told = ReadonlyMap<string, ToldGate>;

export interface NotifyFrom {
  readonly gates: readonly RegressionGate[];
  /** Names of sinks, by what they are. */
  readonly alertmanagers: ReadonlySet<string>;
  readonly webhooks: ReadonlySet<string>;
  /** When the evaluation that a gate shows was decided; undefined: not known any more. */
  decidedAtMs(gate: RegressionGate): number | undefined;
  readonly told: Told;
  readonly nowMs: number;
}

const TELL_AGAIN_MS = 60_000;
/** Beyond what a controller needs to come back, and a leader to take over. */
const FIRING_FOR_MS = 5 * 60_000;
const STILL_NEWS_MS = 10 * 60_000;

export function planNotifications(from: NotifyFrom): {
  readonly notifications: readonly Notification[];
  readonly told: Told;
} {
  const notifications: Notification[] = [];
  const told = new Map<string, ToldGate>();
  for (const gate of from.gates) {
    const before = from.told.get(gate.metadata.uid);
    if ((gate.spec.notify ?? []).length === 0 && before === undefined) continue;
    const after = {
      ...alertOf(gate, before, from, notifications),
      ...messagesOf(gate, before, from, notifications),
    };
    told.set(gate.metadata.uid, after);
  }
  for (const [uid, before] of from.told) {
    if (told.has(uid)) continue; // what follows is of gates that are gone
    if (before.alert) notifications.push(...resolved(before.alert, before.alert.sinks, from.nowMs));
    if (before.regressed)
      notifications.push(...clearedMessages(before.regressed, before.webhooks, from.nowMs));
  }
  return { notifications, told };
}

function alertOf(
  gate: RegressionGate,
  before: ToldGate | undefined,
  { alertmanagers, nowMs }: NotifyFrom,
  out: Notification[],
): Pick<ToldGate, 'alert'> {
  const sinks = (gate.spec.notify ?? []).filter((name) => alertmanagers.has(name));
  const wasTold = before?.alert;
  const regressed = regressedSinceMs(gate);
  const stays = regressed === undefined ? [] : sinks;
  if (wasTold) {
    const left = wasTold.sinks.filter((name) => !stays.includes(name));
    out.push(...resolved(wasTold, left, nowMs));
  }
  if (regressed === undefined || sinks.length === 0) return { alert: undefined };
  const isNews = sinks.some((name) => wasTold?.sinks.includes(name) !== true);
  if (!isNews && wasTold && nowMs - wasTold.toldMs < TELL_AGAIN_MS) return { alert: { ...wasTold, sinks } };
  const alert = { labels: labelsOf(gate), annotations: annotationsOf(gate), startsAtMs: regressed };
  for (const sink of sinks) {
    out.push({ sink, kind: 'Alert', alert: { ...alert, endsAtMs: nowMs + FIRING_FOR_MS } });
  }
  return { alert: { ...alert, sinks, toldMs: nowMs } };
}

const resolved = (
  { labels, annotations, startsAtMs }: FiringAlert,
  sinks: readonly string[],
  nowMs: number,
): readonly Notification[] =>
  sinks.map((sink) => ({
    ...{ sink, kind: 'Alert' },
    alert: { labels, annotations, startsAtMs, endsAtMs: nowMs },
  }));

function messagesOf(
  gate: RegressionGate,
  before: ToldGate | undefined,
  from: NotifyFrom,
  out: Notification[],
): Omit<ToldGate, 'alert'> {
  const webhooks = (gate.spec.notify ?? []).filter((name) => from.webhooks.has(name));
  const facts = factsOf(gate);
  const verdictId = decidedId(gate);
  const isNews =
    verdictId !== undefined &&
    verdictId !== before?.verdictId &&
    (before !== undefined || from.nowMs - (from.decidedAtMs(gate) ?? 0) <= STILL_NEWS_MS);
  if (isNews) {
    const timeMs = from.decidedAtMs(gate) ?? from.nowMs;
    out.push(...messages(webhooks, { id: verdictId, type: typeOf(gate), timeMs, ...facts }));
  }
  const regressed =
    regressedSinceMs(gate) === undefined || verdictId === undefined ? undefined : { id: verdictId, facts };
  if (before?.regressed && regressed === undefined) {
    out.push(...clearedMessages(before.regressed, webhooks, from.nowMs));
  }
  return { verdictId: verdictId ?? before?.verdictId, regressed, webhooks };
}

const messages = (sinks: readonly string[], message: WebhookMessage): readonly Notification[] =>
  sinks.map((sink) => ({ sink, kind: 'Message', message }));

const clearedMessages = (
  { id, facts }: Regression,
  sinks: readonly string[],
  nowMs: number,
): readonly Notification[] =>
  messages(sinks, { id: `${id}-cleared`, type: 'dev.flamegate.gate.cleared', timeMs: nowMs, ...facts });

/** Those of the rule in samples/alerting, so that who has both hears of it once. */
const labelsOf = ({ metadata }: RegressionGate) => ({
  alertname: 'FlamegateCanaryRegressed',
  severity: 'critical',
  k8s_namespace_name: metadata.namespace,
  gate: metadata.name,
});

function annotationsOf({ metadata, status }: RegressionGate): Alert['annotations'] {
  const { namespace, name } = metadata;
  const { evaluation, summary = '', worst } = status ?? {};
  return {
    summary: `The canary of ${namespace}/${name} is worse than its baseline`,
    description: summary,
    ...(worst === undefined ? {} : { worst }),
    ...(evaluation === undefined
      ? {}
      : { canary: evaluation.canary, baseline: evaluation.baseline, report: evaluation.report }),
  };
}

function factsOf(gate: RegressionGate): MessageFacts {
  const { metadata, status, spec } = gate;
  const { namespace, name } = metadata;
  const { verdict, target, evaluation, summary, cpuDelta, latencyDelta, worst } = status ?? {};
  const kind = spec.targetRef?.kind;
  return {
    subject: `${namespace}/${name}`,
    data: {
      ...{ namespace, gate: name, verdict, summary, target, evaluation, cpuDelta, latencyDelta, worst },
      ...(kind === undefined ? {} : { targetKind: kind }),
      reason: conditionOf(gate, verdict === 'Inconclusive' ? 'DataSufficient' : 'Regressed')?.reason,
    },
  };
}

const typeOf = ({ status }: RegressionGate): string =>
  `dev.flamegate.gate.${(status?.verdict ?? 'Waiting').toLowerCase()}`;

/** Of a verdict; undefined while there is none. A gate that is made anew counts its attempts anew. */
function decidedId({ metadata, status }: RegressionGate): string | undefined {
  const { verdict = 'Waiting', evaluation } = status ?? {};
  switch (verdict) {
    case 'Passed':
    case 'Failed':
    case 'Inconclusive':
      return evaluation && `${metadata.uid}-${evaluation.attempt}-${verdict.toLowerCase()}`;
    case 'Waiting':
    case 'Collecting':
      return undefined;
  }
}

function regressedSinceMs(gate: RegressionGate): number | undefined {
  const condition = conditionOf(gate, 'Regressed');
  return condition?.status === 'True' ? Date.parse(condition.lastTransitionTime) : undefined;
}

const conditionOf = ({ status }: RegressionGate, type: string) =>
  status?.conditions?.find((condition) => condition.type === type);
