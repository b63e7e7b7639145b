/** A gate's power for a terminal, with the steps of an Argo Rollout that wait as long as it needs. Pure. */
import type { PlannedPower } from '../crds/certification.ts';
import { formatDuration, parseDurationMs } from '../crds/quantities.ts';
import { type OutputFormat, printed } from './output-format.ts';
import { textTable } from './text-table.ts';
import { visible } from './visible.ts';

export interface Plan {
  readonly summary: string;
  /** Whether placebos failed no more often than falseFailureRate. */
  readonly holds: boolean;
  readonly baselinePods: number;
  readonly podVarianceFactor: number;
  readonly falseAlarms: readonly string[];
  readonly rows: readonly PlannedPower[];
  readonly warmUpMs: number;
  /** No Passed before. */
  readonly minDurationMs: number;
  readonly deadlineMs: number;
}

export const renderPlan = (plan: Plan, format: OutputFormat): string =>
  printed(format, asObject(plan), () => asText(plan));

function asText(plan: Plan): string {
  const { summary, falseAlarms, rows, deadlineMs } = plan;
  const at = rows[0]?.at ?? '';
  const header = [
    'CANARY PODS',
    `LATENCY SEEN IN ${at}`,
    `CPU SEEN IN ${at}`,
    'THE SAME AFTER',
    'MARGINS AFTER',
  ];
  const late = `not in ${formatDuration(deadlineMs)}`;
  const cells = rows.map((row) => [
    String(row.canaryPods),
    row.latency ?? '-',
    row.cpu ?? '-',
    row.sameAfter ?? late,
    row.marginAfter ?? late,
  ]);
  const alarms = falseAlarms.length === 0 ? [] : [`false alarms: ${falseAlarms.join(', ')}`];
  const steps = rows
    .filter(({ canaryPods }) => canaryPods < plan.baselinePods)
    .flatMap((row) => ['', ...stepLines(row, plan)]);
  return [summary, ...alarms, '', ...textTable([header, ...cells]), ...steps, ''].map(visible).join('\n');
}

/** For spec.strategy.canary of an Argo Rollout with as many replicas as the baseline has pods. */
function stepLines(row: PlannedPower, plan: Plan): string[] {
  const { weight, pause } = stepOf(row, plan);
  const why =
    row.marginAfter === undefined
      ? `${formatDuration(plan.warmUpMs)} warm-up and the whole deadline: growth of the margins may stay unproven`
      : `${formatDuration(plan.warmUpMs)} warm-up and ${row.marginAfter} until growth of the margins is proven`;
  return [
    `# Argo Rollouts, ${row.canaryPods} canary pods of ${plan.baselinePods}: ${why}`,
    'steps:',
    `  - setWeight: ${weight}`,
    `  - pause: {duration: ${pause}}`,
  ];
}

function stepOf(row: PlannedPower, { baselinePods, warmUpMs, minDurationMs, deadlineMs }: Plan) {
  const provenMs = row.marginAfter === undefined ? deadlineMs : parseDurationMs(row.marginAfter);
  const neededMs = Math.max(minDurationMs, provenMs);
  return {
    // Rounded down: Argo rounds the number of pods up.
    weight: Math.max(1, Math.floor((100 * row.canaryPods) / baselinePods)),
    pause: formatDuration(Math.ceil((warmUpMs + neededMs) / 60_000) * 60_000),
  };
}

const asObject = (plan: Plan) => ({
  summary: plan.summary,
  certified: plan.holds,
  baselinePods: plan.baselinePods,
  podVarianceFactor: plan.podVarianceFactor,
  falseAlarms: plan.falseAlarms,
  plan: plan.rows.map((row) => ({ ...row, ...stepOf(row, plan) })),
});
