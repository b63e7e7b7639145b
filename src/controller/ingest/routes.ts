/** Everything that the HTTPS API answers, once; nothing is answered that is not in this table. */
import type { KubeClient } from '../../kube/client.ts';
import type { WindowStore } from '../../store/window-store.ts';
import { ASSIGNMENT_PATH, BATCHES_PATH, FLAGGER_HOOKS, flaggerWebhookPath } from '../../wire/endpoints.ts';
import type { AgentReports } from '../agent-reports.ts';
import type { ClusterView } from '../cluster-view.ts';
import type { LinkTemplates } from '../report-page/outside-links.ts';
import type { ToldNodes } from '../told-nodes.ts';
import { assignmentEndpoint } from './assignment-endpoint.ts';
import type { Authenticator } from './authenticate.ts';
import { batchesEndpoint, type Endpoint } from './batches.ts';
import { flaggerWebhooks } from './flagger-webhook.ts';
import {
  ALL_GATES_PAGE_PATTERN,
  allGatesPageEndpoint,
  GATES_PAGE_PATTERN,
  gatesPageEndpoint,
} from './gates-page.ts';
import type { IngestMetrics } from './ingest-metrics.ts';
import type { PodHomes } from './pod-homes.ts';
import { POD_WINDOWS_PATTERN, podWindowsEndpoint } from './pod-windows.ts';
import { Refusal } from './refusal.ts';
import { REPORT_PAGE_PATTERN, reportPageEndpoint } from './report-page.ts';
import { SLOW_REQUESTS_PATTERN, slowRequestsEndpoint } from './slow-requests.ts';
import { VERDICT_PATTERN, verdictEndpoint } from './verdict-endpoint.ts';
import { watchedPods } from './watched-pods.ts';
import { WINDOWS_PATTERN, windowsEndpoint } from './windows-endpoint.ts';

/**
 * Whose tokens an endpoint takes. `agents`: of the agents' account, of the node that the request speaks for. `viewers`: of whoever
 * may get RegressionGates in the namespace that the path names first. `someViewers`: of whoever may in any namespace, and of those only.
 * `anyone`: no token is looked at, and so such an endpoint is there only where the install's settings say so. access.test.ts asks each
 * in every wrong way.
 */
export type Callers = 'agents' | 'viewers' | 'someViewers' | 'anyone';

export interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: RegExp;
  readonly callers: Callers;
  readonly answer: Endpoint;
  /** Missing: always. While it is not, its path is none. */
  readonly isThere?: () => boolean;
}

export interface RoutesOptions {
  readonly authenticator: Authenticator;
  readonly homes: PodHomes;
  readonly view: ClusterView;
  readonly reports: AgentReports;
  readonly store: WindowStore;
  readonly told: Pick<ToldNodes, 'record' | 'heard'>;
  readonly metrics: IngestMetrics;
  readonly now: () => number;
  readonly links?: () => LinkTemplates;
  /** Of the controller's own account. */
  readonly client: Pick<KubeClient, 'get'>;
  /** Whether the settings say that Flagger's webhooks are answered; missing: no. */
  readonly flaggerWebhooks?: () => boolean;
}

export interface Routes {
  readonly all: readonly Route[];
  /** Answers whoever waits. */
  stop(): void;
}

export function routesOf(options: RoutesOptions): Routes {
  const watched = watchedPods();
  const assignment = assignmentEndpoint({ ...options, watched });
  const verdicts = verdictEndpoint(options);
  const answerFlagger = flaggerWebhooks(options);
  const agents = { callers: 'agents' } as const;
  const viewers = { method: 'GET', callers: 'viewers' } as const;
  const anyone = { method: 'POST', callers: 'anyone' } as const;
  return {
    all: [
      { ...agents, method: 'POST', path: exactly(BATCHES_PATH), answer: batchesEndpoint(options) },
      { ...agents, method: 'GET', path: exactly(ASSIGNMENT_PATH), answer: assignment.answer },
      { ...viewers, path: GATES_PAGE_PATTERN, answer: gatesPageEndpoint(options) },
      {
        ...{ method: 'GET', callers: 'someViewers', path: ALL_GATES_PAGE_PATTERN },
        answer: allGatesPageEndpoint(options),
      },
      { ...viewers, path: REPORT_PAGE_PATTERN, answer: reportPageEndpoint(options) },
      { ...viewers, path: SLOW_REQUESTS_PATTERN, answer: slowRequestsEndpoint(options) },
      { ...viewers, path: WINDOWS_PATTERN, answer: windowsEndpoint(options) },
      { ...viewers, path: POD_WINDOWS_PATTERN, answer: podWindowsEndpoint({ ...options, watched }) },
      { ...viewers, path: VERDICT_PATTERN, answer: verdicts.answer },
      ...FLAGGER_HOOKS.map((hook) => ({
        ...{ ...anyone, path: exactly(flaggerWebhookPath(hook)), answer: answerFlagger(hook) },
        isThere: options.flaggerWebhooks ?? (() => false),
      })),
    ],
    stop() {
      assignment.stop();
      watched.stop();
      verdicts.stop();
    },
  };
}

/** Throws Refusal 404 and 405. */
export function routeFor(routes: Routes, method: string | undefined, path: string): Route {
  const route = routes.all.find((each) => each.path.test(path) && each.isThere?.() !== false);
  if (route === undefined) throw new Refusal(404, 'NOT_FOUND', 'there is nothing under this path');
  if (route.method === method) return route;
  const headers = { allow: route.method };
  throw new Refusal(405, 'METHOD_NOT_ALLOWED', `this path takes ${route.method}`, { headers });
}

/** Of the wire's own paths, in which no character means more than itself. */
const exactly = (path: string): RegExp => new RegExp(`^${path}$`);
