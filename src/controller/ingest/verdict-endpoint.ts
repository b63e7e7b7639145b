/**
 * GET of what a gate says of one canary revision, for release tooling with a token of its own. The revision has to be named, so that
 * nobody takes the last rollout's verdict for this one's. Every answer that could be computed is a 200, Pending too: what asks takes
 * other codes for a failure of the question.
 */
import type { ServerResponse } from 'node:http';
import type { RegressionGate } from '../../crds/regression-gate.ts';
import type { RegressionReport } from '../../crds/regression-report.ts';
import {
  type AskedRevision,
  mayBeDecided,
  REVISION_HASH,
  type RevisionVerdict,
  revisionVerdict,
} from '../../crds/revision-verdict.ts';
import type { ClusterView } from '../cluster-view.ts';
import type { Authenticator } from './authenticate.ts';
import type { Endpoint } from './batches.ts';
import { preferredWaitS } from './preferred-wait.ts';
import { Refusal, sendJson } from './refusal.ts';

export interface VerdictEndpointOptions {
  readonly authenticator: Authenticator;
  readonly view: ClusterView;
}

export interface VerdictEndpoint {
  readonly answer: Endpoint;
  /** Answers whoever waits, and waits no more. */
  stop(): void;
}

export const VERDICT_PATTERN = /^\/api\/v1\/gates\/([a-z0-9-]{1,63})\/([a-z0-9.-]{1,253})\/verdict$/;

const MAX_WAIT_S = 60; // below the 75 s that connections are kept
const MAX_WAITING = 500; // rollouts at the same time

interface Question extends AskedRevision {
  readonly namespace: string;
  readonly name: string;
}

export function verdictEndpoint({ authenticator, view }: VerdictEndpointOptions): VerdictEndpoint {
  const waiting = new Set<(reportsOfGate?: ReportsOfGate) => void>();
  let stopped = false;
  const stopListening = view.onChange(() => {
    const reportsOfGate = reportsByGate(view);
    for (const look of [...waiting]) look(reportsOfGate);
  });
  const untilDecided = (question: Question, waitS: number, response: ServerResponse) =>
    new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        waiting.delete(look);
        response.off('close', end);
        resolve();
      };
      const look = (reportsOfGate = reportsByGate(view)): void => {
        if (stopped || isNews(question, view, reportsOfGate)) end();
      };
      const timer = setTimeout(end, waitS * 1_000);
      waiting.add(look);
      response.on('close', end);
    });
  return {
    async answer(request, response) {
      const { pathname, searchParams } = new URL(request.url ?? '', 'https://localhost');
      const [, namespace = '', name = ''] = VERDICT_PATTERN.exec(pathname) ?? [];
      await authenticator.viewer(request, namespace);
      const question = { namespace, name, ...parseAsked(searchParams) };
      const first = verdictNow(question, view);
      const waitS = Math.min(MAX_WAIT_S, preferredWaitS(request));
      if (first.verdict !== 'Pending' || waitS === 0 || stopped) return sendJson(response, 200, first);
      assertRoom(waiting.size);
      await untilDecided(question, waitS, response);
      sendJson(response, 200, verdictNow(question, view));
    },
    stop() {
      stopped = true;
      stopListening();
      for (const look of [...waiting]) look();
    },
  };
}

const verdictNow = (question: Question, view: ClusterView): RevisionVerdict =>
  revisionVerdict(gateAt(question, view), view.reports(question.namespace), question);

/** Called for everybody who waits at every change of the cluster: most changes are none of a report. */
function isNews(question: Question, view: ClusterView, reportsOfGate: ReportsOfGate): boolean {
  const { namespace, name } = question;
  const reports = reportsOfGate(namespace, name);
  if (!mayBeDecided(name, reports, question)) return false;
  const gate = view.gates(namespace).find(({ metadata }) => metadata.name === name);
  if (gate === undefined) return true;
  return revisionVerdict(gate, reports, question).verdict !== 'Pending';
}

type ReportsOfGate = (namespace: string, gate: string) => readonly RegressionReport[];

/** As they are now, each namespace's sorted once for all who wait: hundreds of callers, and thousands of reports. */
function reportsByGate(view: ClusterView): ReportsOfGate {
  const sorted = new Map<string, ReadonlyMap<string, readonly RegressionReport[]>>();
  return (namespace, gate) => {
    let ofGates = sorted.get(namespace);
    if (ofGates === undefined) {
      ofGates = Map.groupBy(view.reports(namespace), ({ spec }) => spec.gate);
      sorted.set(namespace, ofGates);
    }
    return ofGates.get(gate) ?? [];
  };
}

function gateAt({ namespace, name }: Question, view: ClusterView): RegressionGate {
  const gate = view.gates(namespace).find(({ metadata }) => metadata.name === name);
  if (gate !== undefined) return gate;
  throw new Refusal(404, 'GATE_NOT_FOUND', `no RegressionGate ${name} in namespace ${namespace}`);
}

/** A hash that is given twice is a question with two answers. */
function parseAsked(query: URLSearchParams): AskedRevision {
  const [canary, ...otherCanaries] = query.getAll('canary');
  const [baseline, ...otherBaselines] = query.getAll('baseline');
  if (canary === undefined || !REVISION_HASH.test(canary) || otherCanaries.length > 0) {
    throw invalid('ask with ?canary=HASH: the revision whose verdict is wanted, as its pods carry it');
  }
  if (baseline === undefined) return { canary };
  if (!REVISION_HASH.test(baseline) || otherBaselines.length > 0) {
    throw invalid('baseline is the hash of one revision, or left out');
  }
  return { canary, baseline };
}

const invalid = (sentence: string): Refusal => new Refusal(400, 'VERDICT_QUERY_INVALID', sentence);

function assertRoom(waiting: number): void {
  if (waiting < MAX_WAITING) return;
  const headers = { 'retry-after': '10' };
  throw new Refusal(503, 'VERDICT_BUSY', `${waiting} callers are waiting already; ask again`, { headers });
}
