/** Whether a gate is to certify itself now, and what its status says of it. Pure. */
import {
  CERTIFY_ANNOTATION,
  type GateCertification,
  MAX_REQUEST,
  plannedPower,
} from '../../crds/certification.ts';
import type { RegressionGateReasons } from '../../crds/condition-types.ts';
import { formatDuration, parsePercentage } from '../../crds/quantities.ts';
import type { RegressionGate } from '../../crds/regression-gate.ts';
import { certificationSentence } from '../../detect/certification-text.ts';
import type { Certification, Uncertifiable } from '../../detect/certify.ts';
import type { GateSettings } from '../../detect/gate-evaluation.ts';
import type { PodRef } from '../../store/window-store.ts';

/** What a certification would be of. */
export interface CertificationAim {
  /** Two aims are the same work when this is equal. */
  readonly identity: string;
  readonly baseline: string;
  readonly pods: readonly Required<PodRef>[];
  readonly settings: GateSettings;
  readonly generation: number;
  /** The annotation's value, answered before or not. */
  readonly request: string | undefined;
}

/** What is known of a certification besides what the gate's status says. */
export type Certifying =
  | {
      readonly kind: 'Waiting';
      readonly reason: Uncertifiable['reason'] | 'Evaluating';
      readonly message: string;
    }
  | { readonly kind: 'Running'; readonly message: string }
  | { readonly kind: 'Done'; readonly certification: GateCertification };

/** How pods differ changes with the nodes they are on and with what they are asked; a day is one round of that. */
const LASTS_MS = 24 * 3_600_000;

export interface BaselinePods {
  readonly hash: string;
  readonly pods: readonly Required<PodRef>[];
}

/** Undefined while what the status says still holds. */
export function certificationAim(
  gate: RegressionGate,
  baseline: BaselinePods,
  settings: GateSettings,
  nowMs: number,
): CertificationAim | undefined {
  const known = gate.status?.certification;
  const { uid, generation } = gate.metadata;
  const request = annotationOf(gate);
  const isCurrent =
    known?.generation === generation &&
    known.baseline === baseline.hash &&
    nowMs - Date.parse(known.at) < LASTS_MS;
  if (isCurrent && !isAsked(gate)) return undefined;
  const identity = JSON.stringify([uid, generation, baseline.hash, request, known?.at]);
  return { identity, baseline: baseline.hash, pods: baseline.pods, settings, generation, request };
}

const annotationOf = ({ metadata }: RegressionGate): string | undefined =>
  metadata.annotations?.[CERTIFY_ANNOTATION]?.slice(0, MAX_REQUEST);

/** Whether the annotation has a value that the certification in the status does not answer. */
export function isAsked(gate: RegressionGate): boolean {
  const asked = annotationOf(gate);
  return asked !== undefined && asked !== gate.status?.certification?.request;
}

/** As the status keeps it. */
export function certified(
  { placebos, plan, ...found }: Certification,
  aim: CertificationAim,
  nowMs: number,
): GateCertification {
  const alarms = found.falseAlarms.map(({ what, times }) => `${what.slice(0, MAX_ALARM)} (${times})`);
  return {
    summary: certificationSentence({ placebos, plan, ...found }, aim.settings.deadlineMs).slice(
      0,
      MAX_SUMMARY,
    ),
    at: new Date(nowMs).toISOString(),
    generation: aim.generation,
    baseline: aim.baseline,
    ...(aim.request === undefined ? {} : { request: aim.request }),
    pods: plan.baselinePods,
    windows: found.windows,
    span: formatDuration(found.spanMs),
    placebos: {
      ...placebos,
      pods: found.pods,
      canaryPods: found.canaries,
      lookedAt: formatDuration(found.lookedAtMs),
    },
    podVarianceFactor: String(found.podVarianceFactor),
    ...(alarms.length === 0 ? {} : { falseAlarms: alarms }),
    plan: plan.rows.map(plannedPower),
  };
}

const MAX_SUMMARY = 1024;
const MAX_ALARM = 480;

/** What evaluations multiply the variance between pods by. */
export const certifiedFactor = ({ status }: RegressionGate): number =>
  Number(status?.certification?.podVarianceFactor ?? 1);

interface CertifiedCondition {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: RegressionGateReasons['Certified'];
  readonly message: string;
}

/** Undefined: nothing has been found, and nobody has asked. */
export function certifiedCondition(
  { spec }: RegressionGate,
  certification: GateCertification | undefined,
  certifying: Certifying | undefined,
): CertifiedCondition | undefined {
  switch (certifying?.kind) {
    case 'Waiting':
      return { status: 'Unknown', reason: certifying.reason, message: certifying.message };
    case 'Running':
      return { status: 'Unknown', reason: 'Certifying', message: certifying.message };
    case 'Done':
    case undefined:
      break;
  }
  if (certification === undefined) return undefined;
  const { failed, run } = certification.placebos;
  const holds = failed <= Math.floor(parsePercentage(spec.falseFailureRate) * run);
  return holds
    ? { status: 'True', reason: 'PlacebosPassed', message: certification.summary }
    : { status: 'False', reason: 'PlacebosFailed', message: certification.summary };
}
