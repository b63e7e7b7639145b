/** The state of an install and of what it watches, for a terminal: what is wrong first, then what is there. Pure. */
import { formatDuration } from '../../crds/quantities.ts';
import type { RegressionGate } from '../../crds/regression-gate.ts';
import { textTable } from '../text-table.ts';
import { visible } from '../visible.ts';
import { wrapped } from '../wrapped.ts';
import type { Asked, ClusterState } from './cluster-state.ts';
import {
  gateName,
  knownOf,
  lostPercent,
  type Problem,
  policiesOf,
  policyName,
  type Severity,
  secondsSince,
} from './problems.ts';

export interface StatusTextOptions {
  readonly nowMs: number;
  readonly columns: number;
  /** Undefined: as it is. */
  readonly paint: (style: 'bold' | 'dim' | 'red' | 'yellow' | 'green', text: string) => string;
}

export function statusText(
  state: ClusterState,
  problems: readonly Problem[],
  options: StatusTextOptions,
): string {
  const sections = [
    problemLines(problems, options),
    installLines(state, options),
    policyLines(state, options),
    gateLines(state, options),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

const COLOURS = { Broken: 'red', Failed: 'red', Notice: 'yellow' } as const satisfies Record<
  Severity,
  string
>;
const MARKS = { Broken: 'BROKEN', Failed: 'FAILED', Notice: 'notice' } as const;
const INDENT = ' '.repeat(8);

function problemLines(
  problems: readonly Problem[],
  { paint, columns }: StatusTextOptions,
): readonly string[] {
  if (problems.length === 0) return [paint('green', 'Nothing is wrong.')];
  return problems.flatMap(({ severity, what, reason, message, advice }) => [
    `${paint(COLOURS[severity], MARKS[severity])}  ${paint('bold', visible(what))}  ${reason}`,
    ...wrapped(visible(message), columns, INDENT),
    ...wrapped(`→ ${visible(advice)}`, columns, INDENT).map((line) => paint('dim', line)),
  ]);
}

function installLines(state: ClusterState, { nowMs, columns }: StatusTextOptions): readonly string[] {
  const overheads = policiesOf(state).flatMap(({ status }) => status?.overhead ?? []);
  const costs = overheads[0];
  const lost = Math.max(0, ...policiesOf(state).map(lostPercent)).toFixed(2);
  const said =
    costs && `; ${lost}% of samples lost; at most ${costs.cpuPercent} of a core and ${costs.memory} each`;
  return [
    ...row(
      'controller',
      told(state.controller, (controller) => {
        const { wanted, ready, version, leader, answers } = controller;
        if (wanted === 0) return 'not installed';
        const leads = leader && `${leader.pod} leads, renewed ${secondsSince(leader, nowMs)} s ago`;
        return [
          `${ready} of ${wanted} ready`,
          ...(version === undefined ? [] : [`version ${version}`]),
          leads ?? 'nobody leads',
          ...(answers === undefined ? [] : [answers.isSo ? 'answers' : 'does not answer']),
        ].join('; ');
      }),
      columns,
    ),
    ...row(
      'agents',
      told(state.agents, ({ isThere, nodes, ready }) =>
        isThere
          ? `${ready} of ${nodes} nodes${said ?? ''}`
          : 'none: they come with the first ProfilingPolicy',
      ),
      columns,
    ),
  ];
}

const row = (name: string, text: string, columns: number): readonly string[] => {
  const [first = '', ...rest] = wrapped(visible(text), columns, ' '.repeat(12));
  return [`${name.padEnd(12)}${first.trimStart()}`, ...rest];
};

const told = <T>(asked: Asked<T>, text: (known: T) => string): string =>
  'known' in asked ? text(asked.known) : `not known: ${asked.unknown}`;

function policyLines(state: ClusterState, options: StatusTextOptions): readonly string[] {
  const rows = policiesOf(state).map((policy) => {
    const { status = {} } = policy;
    const { conditions = [] } = status;
    const ready = conditions.find(({ type }) => type === 'Ready');
    return [
      visible(policyName(policy)),
      `${status.profiled ?? '-'}/${status.selected ?? '-'}`,
      ready === undefined ? '-' : `${ready.reason}`,
      othersOf(conditions),
    ];
  });
  const header = ['POLICY', 'PROFILED', 'READY', 'ALSO'];
  const ofCluster =
    'unknown' in state.clusterPolicies && 'known' in state.policies
      ? wrapped(
          visible(`those of the cluster are not known: ${state.clusterPolicies.unknown}`),
          options.columns,
        )
      : [];
  const table = { name: 'policies', asked: state.policies, header, rows };
  return [...tableLines(table, state.namespace, options), ...ofCluster];
}

/** Ready has a column of its own; what is told once for all policies is not repeated. */
const othersOf = (conditions: readonly { readonly type: string; readonly reason: string }[]): string =>
  conditions
    .filter(({ type }) => type !== 'Ready' && type !== 'AgentsReady')
    .map(({ type, reason }) => `${type}=${reason}`)
    .join(' ') || '-';

export function gateLines(
  state: Pick<ClusterState, 'namespace' | 'gates'>,
  options: StatusTextOptions,
): readonly string[] {
  const gates = knownOf(state.gates);
  const rows = gates.map((gate) => {
    const { verdict, phase, eta, reason } = gateRow(gate, options.nowMs);
    return [visible(gateName(gate)), verdict, phase, eta ?? '-', reason ?? '-'];
  });
  const sentences = gates.flatMap((gate) => {
    const sentence = openSentence(gate);
    return sentence === undefined
      ? []
      : wrapped(visible(`${gateName(gate)}: ${sentence}`), options.columns, '  ');
  });
  const header = ['GATE', 'VERDICT', 'PHASE', 'ETA', 'REASON'];
  const lines = tableLines({ name: 'gates', asked: state.gates, header, rows }, state.namespace, options);
  return [...lines, ...sentences.map((line) => options.paint('dim', line))];
}

export interface GateRow {
  readonly gate: string;
  readonly verdict: string;
  /** Reason of the condition Ready: WaitingForCanary, Evaluating, Decided, or why neither. */
  readonly phase: string;
  /** While it is open: in how long a harmless canary is expected to pass. */
  readonly eta: string | undefined;
  readonly reason: string | undefined;
  readonly summary: string | undefined;
  readonly report: string | undefined;
}

export function gateRow(gate: RegressionGate, nowMs: number): GateRow {
  const { status = {} } = gate;
  const { verdict = 'Waiting', conditions = [], evidence, summary, evaluation } = status;
  const reasonOf = (wanted: string) => conditions.find(({ type }) => type === wanted)?.reason;
  return {
    ...{ gate: gateName(gate), verdict, phase: reasonOf('Ready') ?? 'NotObserved' },
    eta: verdict === 'Collecting' ? etaOf(evidence?.expectedAt, nowMs) : undefined,
    reason: reasonOf(verdict === 'Failed' || verdict === 'Passed' ? 'Regressed' : 'DataSufficient'),
    ...{ summary, report: evaluation?.report },
  };
}

function etaOf(expectedAt: string | undefined, nowMs: number): string {
  if (expectedAt === undefined) return 'unknown';
  const leftMs = Date.parse(expectedAt) - nowMs;
  return leftMs <= 0 ? 'now' : `in ${formatDuration(Math.max(60_000, Math.round(leftMs / 60_000) * 60_000))}`;
}

/** What is Failed is told above, what passed needs no sentence. */
function openSentence({ status }: RegressionGate): string | undefined {
  switch (status?.verdict) {
    case 'Collecting':
      return status.evidence?.message ?? status.summary;
    case 'Inconclusive':
      return status.summary;
    case 'Waiting':
    case 'Passed':
    case 'Failed':
    case undefined:
      return undefined;
  }
}

interface Listed {
  readonly name: string;
  readonly asked: Asked<unknown>;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

function tableLines(
  { name, asked, header, rows }: Listed,
  namespace: string | undefined,
  { paint, columns }: StatusTextOptions,
): readonly string[] {
  if ('unknown' in asked) return wrapped(visible(`${name} are not known: ${asked.unknown}`), columns);
  if (rows.length === 0)
    return [`no ${name} in ${namespace === undefined ? 'any namespace' : `namespace ${namespace}`}`];
  const [first = '', ...rest] = textTable([header, ...rows]);
  return [paint('dim', first), ...rest];
}
