/** GET of a node's assignment: at once when it differs from what the agent has, else when it changes or time is up. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { WindowStore } from '../../store/window-store.ts';
import type { AgentSettings, Assignment } from '../../wire/assignment.ts';
import type { ClusterView } from '../cluster-view.ts';
import { type Authenticator, assertSameNode } from './authenticate.ts';
import type { Endpoint } from './batches.ts';
import type { IngestMetrics } from './ingest-metrics.ts';
import { nodeAssignments } from './node-assignments.ts';
import { paced } from './paced.ts';
import { preferredWaitS } from './preferred-wait.ts';
import { Refusal, send } from './refusal.ts';
import type { WatchedPods } from './watched-pods.ts';

export interface AssignmentEndpointOptions {
  readonly authenticator: Authenticator;
  readonly view: ClusterView;
  readonly store: WindowStore;
  readonly metrics: IngestMetrics;
  /** What the install's settings say to agents now; the view tells of their changes. */
  readonly agentSettings?: () => AgentSettings;
  readonly watched: Pick<WatchedPods, 'all' | 'onChange'>;
}

export interface AssignmentEndpoint {
  readonly answer: Endpoint;
  /** Answers whoever waits, and waits no more. */
  stop(): void;
}

const MAX_WAIT_S = 60;
const MAX_POLLERS = 5_000; // the nodes of the largest clusters

/** Each is some tenth of a millisecond. */
const POLLERS_A_STEP = 64;

/** What ends a wait: called with nothing, so that it looks for itself. */
type Wake = () => void;

export function assignmentEndpoint(options: AssignmentEndpointOptions): AssignmentEndpoint {
  const { authenticator, view, store, metrics, agentSettings, watched } = options;
  const pollers = new Set<Wake>();
  const assignments = nodeAssignments({
    view,
    storeId: () => store.storeId(),
    settings: () => agentSettings?.(),
    watched: () => watched.all(),
  });
  let stopped = false;
  const looks = paced(function* () {
    yield* assignments.renewed();
    for (const [number, wake] of [...pollers].entries()) {
      wake();
      if (number % POLLERS_A_STEP === 0) yield;
    }
  });
  const listening = [view.onChange(looks.ask), watched.onChange(looks.ask)];
  const waitForChange = (node: string, version: string, waitS: number, response: ServerResponse) =>
    new Promise<Assignment>((resolve) => {
      const look = (isLast: boolean): void => {
        const assignment = assignments.of(node);
        if (assignment.version === version && !isLast && !stopped) return;
        clearTimeout(timer);
        pollers.delete(wake);
        metrics.pollers(pollers.size);
        response.off('close', giveUp);
        resolve(assignment);
      };
      const wake = (): void => look(false);
      const giveUp = (): void => look(true);
      const timer = setTimeout(giveUp, waitS * 1_000);
      pollers.add(wake);
      metrics.pollers(pollers.size);
      response.on('close', giveUp);
    });
  return {
    async answer(request, response) {
      const node = nodeIn(request);
      assertSameNode(await authenticator.agentNode(request), node);
      const known = /^(?:W\/)?"([\w-]{1,64})"$/.exec(request.headers['if-none-match'] ?? '')?.[1];
      const waitS = Math.min(MAX_WAIT_S, preferredWaitS(request));
      let assignment = assignments.of(node);
      if (assignment.version === known && waitS > 0 && !stopped) {
        assertRoom(pollers.size);
        assignment = await waitForChange(node, known, waitS, response);
      }
      sendAssignment(response, assignment, known);
    },
    stop() {
      stopped = true;
      for (const stopListening of listening) stopListening();
      looks.stop();
      for (const wake of [...pollers]) wake();
    },
  };
}

function sendAssignment(response: ServerResponse, assignment: Assignment, known: string | undefined): void {
  const headers = { etag: `"${assignment.version}"` };
  if (assignment.version === known) {
    send(response, { status: 304, headers, body: '' });
  } else {
    const body = JSON.stringify(assignment);
    send(response, { status: 200, headers: { ...headers, 'content-type': 'application/json' }, body });
  }
}

function nodeIn(request: IncomingMessage): string {
  const node = new URL(request.url ?? '', 'https://localhost').searchParams.get('node') ?? '';
  if (/^[a-z0-9.-]{1,253}$/.test(node)) return node;
  throw new Refusal(400, 'ASSIGNMENT_QUERY_INVALID', 'ask with ?node=NAME, the name of a node');
}

function assertRoom(pollers: number): void {
  if (pollers < MAX_POLLERS) return;
  throw new Refusal(503, 'INGEST_BUSY', `${pollers} agents are waiting already; ask again later`, {
    headers: { 'retry-after': '30' },
  });
}
