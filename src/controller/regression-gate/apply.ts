/** Writes a decision: the report, the gate's status, Events, and old reports away. */
import { isDeepStrictEqual } from 'node:util';
import type { RegressionGate, RegressionGateStatus } from '../../crds/regression-gate.ts';
import {
  type RegressionReport,
  type RegressionReportStatus,
  regressionReportKind,
} from '../../crds/regression-report.ts';
import { API_VERSION } from '../../crds/schema.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { EventRecorder } from '../../kube/events.ts';
import { isKubeError } from '../../kube/kube-error.ts';
import { writeStatus } from '../../kube/status.ts';
import { actionEvents } from '../acting/action-status.ts';
import type { Taken } from '../acting/take-action.ts';
import type { NotifyFinding } from '../notifications/notify-ready.ts';
import type { Decision, NewEvaluation } from './decide.ts';
import { reportName } from './evaluation.ts';
import { gateEvents } from './gate-events.ts';
import { gateStatus, type Shown } from './gate-status.ts';
import type { Observed } from './gather.ts';
import { boundedStatus } from './report-size.ts';

export interface ApplyTargets {
  readonly client: KubeClient;
  readonly events: EventRecorder;
  /** When this gate's status was last written; 0: never by this process. */
  readonly writtenAtMs: number;
  readonly nowMs: number;
  /** What was done about the rollout, by what was written before. */
  readonly taken: Taken;
  readonly notify: NotifyFinding | undefined;
}

const FIELD_MANAGER = 'flamegate';
/** Looks change numbers every 30 s; readers and etcd need them no more often. */
const STATUS_EVERY_MS = 30_000;

/** Returns when the gate's status was last written. */
export async function apply(observed: Observed, decision: Decision, targets: ApplyTargets): Promise<number> {
  const { gate, evaluations } = observed;
  if (decision.close !== undefined) await writeReport(decision.close.report, decision.close.status, targets);
  const current =
    decision.open === undefined ? evaluations.current : await openReport(gate, decision.open, targets);
  const isTakenOver = decision.open !== undefined && current?.status?.startedAt !== undefined;
  const status = isTakenOver ? undefined : withMembers(decision.status, observed);
  const report = current ?? evaluations.latest;
  const closedNow = decision.close !== undefined && decision.close.report === report;
  const shownStatus = closedNow ? decision.close.status : (status ?? report?.status ?? {});
  const shown: Shown | undefined = report && {
    report: report.metadata.name,
    spec: report.spec,
    status: shownStatus,
  };
  const after = gateStatus(
    {
      ...{ gate, arms: observed.arms, finding: decision.finding, shown, certifying: observed.certifying },
      ...{ evidence: decision.evidence ?? keptEvidence(gate, decision), action: targets.taken.action },
      notify: targets.notify,
    },
    targets.nowMs,
  );
  const isNewMember = status !== undefined && !isDeepStrictEqual(status.members, current?.status?.members);
  if (!isNewMember && !isWorthWriting(gate, after, targets)) return targets.writtenAtMs;
  if (current !== undefined && status !== undefined) await writeReport(current, status, targets);
  await writeGate(gate, after, targets);
  await dropOldReports(observed, current, targets.client);
  return targets.nowMs;
}

function withMembers(
  status: RegressionReportStatus | undefined,
  { members = [] }: Observed,
): RegressionReportStatus | undefined {
  return status === undefined || members.length === 0
    ? status
    : boundedStatus({ ...status, members: [...members] });
}

/** A look that could say nothing new leaves the rate as it is. */
const keptEvidence = ({ status }: RegressionGate, { finding, open }: Decision) =>
  finding.kind === 'Evaluating' && open === undefined ? status?.evidence : undefined;

async function openReport(
  gate: RegressionGate,
  evaluation: NewEvaluation,
  { client }: ApplyTargets,
): Promise<RegressionReport> {
  const { namespace, name, uid, generation } = gate.metadata;
  const ref = { apiVersion: API_VERSION, plural: regressionReportKind.plural, namespace };
  const { kind, apiVersion } = gate;
  const report = {
    apiVersion: API_VERSION,
    kind: regressionReportKind.kind,
    metadata: {
      name: reportName(name, evaluation.attempt),
      namespace,
      labels: { 'app.kubernetes.io/managed-by': 'flamegate' },
      ownerReferences: [{ apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: false }],
    },
    spec: { gate: name, gateGeneration: generation, ...evaluation },
  };
  try {
    return await client.create<RegressionReport>(ref, report);
  } catch (error) {
    // Made by an earlier pass that the cache does not show yet; another's with this name is worth a retry.
    if (!isKubeError(error, 'KUBE_CONFLICT')) throw error;
    const existing = await client.get<RegressionReport>({ ...ref, name: report.metadata.name });
    if (existing === undefined || !isDeepStrictEqual(existing.spec, report.spec)) throw error;
    return existing;
  }
}

async function writeReport(
  report: RegressionReport,
  status: RegressionReportStatus,
  { client }: ApplyTargets,
): Promise<void> {
  const { name, namespace, resourceVersion } = report.metadata;
  const { plural, kind } = regressionReportKind;
  const target = { apiVersion: API_VERSION, plural, kind, namespace, name, resourceVersion };
  await writeStatus(client, target, { before: report.status, after: status }, FIELD_MANAGER);
}

async function writeGate(
  gate: RegressionGate,
  after: RegressionGateStatus,
  { client, events, taken }: ApplyTargets,
): Promise<void> {
  const { name, namespace, resourceVersion } = gate.metadata;
  const { kind } = gate;
  const ref = { apiVersion: API_VERSION, plural: 'regressiongates', namespace, name };
  const target = { ...ref, kind, resourceVersion };
  const written = await writeStatus(client, target, { before: gate.status, after }, FIELD_MANAGER);
  if (!written) return;
  for (const event of [...gateEvents(gate, after), ...actionEvents(gate, taken)]) events.record(event);
}

function isWorthWriting(gate: RegressionGate, after: RegressionGateStatus, targets: ApplyTargets): boolean {
  if (!isDeepStrictEqual(milestonesOf(gate.status), milestonesOf(after))) return true;
  return targets.nowMs - targets.writtenAtMs >= STATUS_EVERY_MS;
}

/** What a reader must see at once; the rest are numbers. */
function milestonesOf(status: RegressionGateStatus | undefined): unknown {
  const conditions = (status?.conditions ?? []).map(({ type, status: value, reason }) => [
    type,
    value,
    reason,
  ]);
  const { verdict, target, observedGeneration, evaluation, certification, evidence, action } = status ?? {};
  const certifiedAt = certification?.at;
  const frequencyHz = evidence?.frequencyHz; // agents are told
  return {
    ...{ verdict, target, observedGeneration, report: evaluation?.report },
    ...{ certifiedAt, frequencyHz, conditions, action },
  };
}

async function dropOldReports(
  { gate, evaluations }: Observed,
  current: RegressionReport | undefined,
  client: KubeClient,
): Promise<void> {
  const isNew = current !== undefined && !evaluations.all.includes(current);
  const keep = Math.max(1, gate.spec.reportHistoryLimit - (isNew ? 1 : 0));
  for (const { metadata } of evaluations.all.slice(keep)) {
    const { name, namespace } = metadata;
    if (name === current?.metadata.name) continue;
    await client.delete({ apiVersion: API_VERSION, plural: regressionReportKind.plural, namespace, name });
  }
}
