/**
 * Whether who a gate is to tell can be told. Pure.
 *
 * the gate names nobody                  → no condition
 * the install has none of a name         → False SinkUnknown
 * one of them takes nothing              → False SinkFailing
 * otherwise                              → True  Delivering
 */
import type { RegressionGate } from '../../crds/regression-gate.ts';
import type { SinkReport } from '../../wire/sinks.ts';

export interface NotifyFinding {
  readonly status: 'True' | 'False';
  readonly reason: 'Delivering' | 'SinkUnknown' | 'SinkFailing';
  readonly message: string;
}

/** `reports`: of all sinks for notifications that the install has. */
export function notifyReady(
  { spec: { notify = [] } }: Pick<RegressionGate, 'spec'>,
  reports: readonly SinkReport[],
): NotifyFinding | undefined {
  if (notify.length === 0) return undefined;
  const unknown = notify.filter((name) => !reports.some((report) => report.name === name));
  if (unknown.length > 0) {
    const message = `the install has no sink ${unknown.join(', ')} for notifications (sinks.notifications of its settings)`;
    return { status: 'False', reason: 'SinkUnknown', message };
  }
  const failing = reports.filter(({ name, failing: why }) => notify.includes(name) && why !== undefined);
  if (failing.length === 0) {
    return { status: 'True', reason: 'Delivering', message: `verdicts are told to ${notify.join(', ')}` };
  }
  const each = failing.map(({ name, failing: why }) => `${name} takes nothing (${why})`);
  return { status: 'False', reason: 'SinkFailing', message: each.join('; ') };
}
