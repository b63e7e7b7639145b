/** `flamegate status`: one look at an install and at what it watches; and `flamegate gate list`, of it the gates alone. */
import { styleText } from 'node:util';
import type { KubeConfig } from '@kubernetes/client-node';
import { kubeClient } from '../../kube/client.ts';
import { isKubeError } from '../../kube/kube-error.ts';
import { CliError, type Outcome } from '../cli-error.ts';
import { clusterConfig } from '../cluster-config.ts';
import type { ClusterOptions, Command, Scope } from '../command.ts';
import { openController } from '../controller-connection.ts';
import { reasonOf } from '../files.ts';
import { printed } from '../output-format.ts';
import { type ClusterState, type Reach, readClusterState, readGates } from './cluster-state.ts';
import { exitCodeOf, knownOf, policiesOf, policyName, problemsOf } from './problems.ts';
import { gateLines, gateRow, type StatusTextOptions, statusText } from './status-text.ts';

type Listing = Extract<Command, { kind: 'status' | 'gates' }>;

export interface StatusTerminal {
  readonly useColour: boolean;
  readonly columns: number;
}

const LONGEST_ANSWER_MS = 10_000;
const MAX_ANSWER_BYTES = 16 * 1024;

export async function runStatus(command: Listing, terminal: StatusTerminal): Promise<Outcome> {
  const config = clusterConfig(command.cluster);
  const namespace = namespaceOf(command.scope, config);
  const reach = () => controllerAnswers(config, command.cluster);
  const state = await readClusterState(kubeClient(config), namespace, reach);
  const nowMs = Date.now();
  const problems = problemsOf(state, nowMs);
  const asTable = () => statusText(state, problems, textOptions(terminal, nowMs));
  const object = { problems, ...asObject(state, nowMs) };
  return { text: printed(command.format, object, asTable), exitCode: exitCodeOf(problems) };
}

/** Throws GATES_UNREADABLE with the API server's words: there is nothing else to list. */
export async function runGateList(command: Listing, terminal: StatusTerminal): Promise<string> {
  const config = clusterConfig(command.cluster);
  const namespace = namespaceOf(command.scope, config);
  const gates = await readGates(kubeClient(config), namespace);
  if ('unknown' in gates) throw new CliError('GATES_UNREADABLE', `gates are not known: ${gates.unknown}`);
  const nowMs = Date.now();
  const rows = gates.known.map((gate) => gateRow(gate, nowMs));
  return printed(command.format, rows, () => {
    const lines = gateLines({ namespace, gates }, textOptions(terminal, nowMs));
    return `${lines.join('\n')}\n`;
  });
}

/** Undefined: all. */
function namespaceOf(scope: Scope, config: KubeConfig): string | undefined {
  if (scope.kind === 'all') return undefined;
  return scope.namespace ?? config.getContextObject(config.getCurrentContext())?.namespace ?? 'default';
}

const textOptions = ({ useColour, columns }: StatusTerminal, nowMs: number): StatusTextOptions => ({
  ...{ nowMs, columns },
  paint: (style, text) => (useColour ? styleText(style, text, { validateStream: false }) : text),
});

const asObject = (state: ClusterState, nowMs: number) => ({
  namespace: state.namespace ?? null,
  controller: 'known' in state.controller ? controllerObject(state.controller.known) : state.controller,
  agents: 'known' in state.agents ? state.agents.known : state.agents,
  policies: policiesOf(state).map((policy) => ({
    policy: policyName(policy),
    selected: policy.status?.selected ?? null,
    profiled: policy.status?.profiled ?? null,
    overhead: policy.status?.overhead ?? null,
    conditions: policy.status?.conditions ?? [],
  })),
  gates: knownOf(state.gates).map((gate) => gateRow(gate, nowMs)),
});

type Controller = Extract<ClusterState['controller'], { readonly known: unknown }>['known'];

const controllerObject = ({ leader, version, answers, ...replicas }: Controller) => ({
  ...replicas,
  version: version ?? null,
  leader: leader?.pod ?? null,
  leaseRenewedAt: leader === undefined ? null : new Date(leader.renewedAtMs).toISOString(),
  answers: answers?.isSo ?? null,
});

/** A path that is not there is answered by whoever leads and has read the cluster, before it looks at a token: none is shown. */
const controllerAnswers = async (
  config: KubeConfig,
  options: ClusterOptions,
): Promise<Awaited<ReturnType<Reach>>> => {
  try {
    const controller = await openController(config, { ...options, token: 'none' });
    await inTime(controller.get('/', MAX_ANSWER_BYTES));
  } catch (error) {
    if (isForbidden(error)) return undefined;
    if (!(error instanceof CliError) || error.code !== 'CONTROLLER_REFUSED') {
      return { isSo: false, why: reasonOf(error) };
    }
  }
  return { isSo: true, why: '' };
};

/** Of a port-forward there is no more than the status of the answer, in its words. */
const isForbidden = (error: unknown): boolean =>
  error instanceof CliError && (isKubeError(error.cause, 'KUBE_FORBIDDEN') || /\b403\b/.test(error.message));

async function inTime<T>(answer: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new CliError('CONTROLLER_UNREACHABLE', `no answer in ${LONGEST_ANSWER_MS / 1_000} s`)),
    LONGEST_ANSWER_MS,
  );
  try {
    return await Promise.race([answer, promise]);
  } finally {
    clearTimeout(timer);
  }
}
