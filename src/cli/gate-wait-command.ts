/**
 * `flamegate gate wait`: until a gate has decided about one canary revision, then its verdict as an exit code. It reads the gate and its
 * reports from the API server, as whoever runs it: a job in a cluster needs two verbs in its own namespace for it, neither a way nor a
 * certificate to the controller, and goes on while another controller takes over.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { RegressionReport } from '../crds/regression-report.ts';
import { type RevisionVerdict, revisionVerdict } from '../crds/revision-verdict.ts';
import { API_VERSION } from '../crds/schema.ts';
import { parseRegressionGate, parseRegressionReport } from '../crds/validators.ts';
import { type KubeClient, kubeClient, pathOf } from '../kube/client.ts';
import { CliError, type Outcome } from './cli-error.ts';
import { clusterConfig } from './cluster-config.ts';
import type { Command } from './command.ts';
import { exitCodeOf, verdictText } from './gate-wait-text.ts';
import { newestRevision } from './newest-revision.ts';
import { isPassing } from './passing.ts';

type GateWait = Extract<Command, { kind: 'gate' }>;

const ASK_EVERY_MS = 5_000; // a gate's status is written every 30 s, and at once when it is decided

export interface GateWaitTerminal {
  /** Of what is waited for, as often as it changes; undefined where nobody watches. */
  readonly say: ((line: string) => void) | undefined;
}

export async function runGateWait(command: GateWait, { say }: GateWaitTerminal): Promise<Outcome> {
  const ask = asking(kubeClient(clusterConfig(command.cluster)), command);
  const endsAtMs = performance.now() + command.timeoutMs;
  let said = '';
  for (;;) {
    const answer = await ask().catch(passingFailure);
    const line = answer instanceof Error ? answer.message : `${answer.verdict}: ${answer.message}`;
    if (line !== said) say?.(line);
    said = line;
    const leftMs = endsAtMs - performance.now();
    const isOver = leftMs <= 0;
    if (answer instanceof Error) {
      if (isOver) throw answer;
    } else if (answer.verdict !== 'Pending' || isOver) {
      const exitCode = exitCodeOf(answer, command.inconclusive);
      return { text: verdictText(answer, command), exitCode };
    }
    await delay(Math.min(ASK_EVERY_MS, Math.max(0, leftMs)));
  }
}

/** Reports are read again only where the gate has changed: whenever one of its reports is written, it is. */
function asking(client: KubeClient, command: GateWait): () => Promise<RevisionVerdict> {
  const { namespace, name } = command.gate;
  let known: { readonly version: string; readonly answer: RevisionVerdict } | undefined;
  let canary = 'hash' in command.canary ? command.canary.hash : undefined;
  return async () => {
    canary ??= await resolved(client, namespace, command.canary);
    if (canary === undefined) return notSeenYet(command);
    const stored = await client.get({
      ...{ apiVersion: API_VERSION, plural: 'regressiongates', namespace, name },
    });
    if (stored === undefined) throw new CliError('GATE_NOT_FOUND', `no RegressionGate ${namespace}/${name}`);
    const gate = parseRegressionGate(stored);
    const version = gate.metadata.resourceVersion;
    const asked = { canary, baseline: command.baseline };
    if (known?.version !== version) {
      known = { version, answer: revisionVerdict(gate, await reportsIn(client, namespace), asked) };
    }
    return known.answer;
  };
}

const resolved = async (
  client: KubeClient,
  namespace: string,
  asked: GateWait['canary'],
): Promise<string | undefined> =>
  'hash' in asked ? asked.hash : newestRevision(client, namespace, asked.newestOf);

function notSeenYet({ gate, canary }: GateWait): RevisionVerdict {
  const workload = 'hash' in canary ? canary.hash : `${canary.newestOf.kind}/${canary.newestOf.name}`;
  return {
    ...{ gate: `${gate.namespace}/${gate.name}`, canary: `of ${workload}`, verdict: 'Pending', open: true },
    ...{
      reason: 'NotObserved',
      message: `the controller of ${workload} has not seen its newest template yet`,
    },
  };
}

async function reportsIn(client: KubeClient, namespace: string): Promise<readonly RegressionReport[]> {
  const path = pathOf({ apiVersion: API_VERSION, plural: 'regressionreports', namespace });
  const { items } = await client.request<{ readonly items: readonly unknown[] }>('GET', path);
  return items.map(parseRegressionReport);
}

/** Whatever else is wrong stays so, and nobody should wait for it. */
function passingFailure(error: unknown): Error {
  if (error instanceof Error && isPassing(error)) return error;
  throw error;
}
