/**
 * Whether profiles get to where the policy wants them. Pure.
 *
 * the policy names none                          → no condition
 * the install has none of a name                 → False   SinkUnknown
 * an agent cannot send to one                    → False   SinkFailing
 * no agent has told of one of them yet           → Unknown WaitingForAgents
 * otherwise                                      → True    Delivering
 */
import type { PolicyReasons } from '../../crds/condition-types.ts';
import type { SinkReport } from '../../wire/sinks.ts';
import type { Finding } from './decide.ts';
import type { Observed } from './gather.ts';

export function sinksReady({
  policy,
  sinks,
  agents,
}: Observed): Finding<PolicyReasons['SinksReady']> | undefined {
  const names = policy.spec.sinks ?? [];
  if (names.length === 0) return undefined;
  const unknown = names.filter((name) => !sinks.includes(name));
  if (unknown.length > 0) {
    const message = `the install has no sink ${unknown.join(', ')} for profiles (sinks.profiles of its settings)`;
    return { status: 'False', reason: 'SinkUnknown', message };
  }
  const told = agents.flatMap((agent) =>
    agent.sinks.filter(({ name }) => names.includes(name)).map((report) => ({ node: agent.node, report })),
  );
  const failing = told.filter(({ report }) => report.failing !== undefined);
  const [first] = failing;
  if (first !== undefined) {
    const { node, report } = first;
    const others = failing.length > 1 ? ` and ${failing.length - 1} more` : '';
    const message = `${report.name} does not take profiles from node ${node}${others} (${report.failing}); ${sumsOf(told)}`;
    return { status: 'False', reason: 'SinkFailing', message };
  }
  const silent = names.filter((name) => !told.some(({ report }) => report.name === name));
  if (silent.length > 0) {
    const message = `no agent has told of ${silent.join(', ')} yet`;
    return { status: 'Unknown', reason: 'WaitingForAgents', message };
  }
  return { status: 'True', reason: 'Delivering', message: sumsOf(told) };
}

/** Of all pods of these agents: they count by sink. */
function sumsOf(told: readonly { readonly node: string; readonly report: SinkReport }[]): string {
  const sum = (of: (report: SinkReport) => number) =>
    told.reduce((total, { report }) => total + of(report), 0);
  const agents = new Set(told.map(({ node }) => node)).size;
  return `${sum(({ sent }) => sent)} profiles sent by ${agents} agents since they began, ${sum(({ refused }) => refused)} refused, ${sum(({ lost }) => lost)} lost`;
}
