/** The paths of the controller's HTTPS API, named once for both ends. */

/** POST, gzipped Batch; answers a BatchReceipt. */
export const BATCHES_PATH = '/agent/v1/batches';
/**
 * Header of a pushed batch: the store that its agent believes to send to. Where that is the one in use, everything that the agent had
 * before the batch is in it too, since it sends in order of time; an agent that knows no store yet has sent nothing and leaves it out.
 */
export const STORE_HEADER = 'flamegate-store';
/** GET ?node=NAME, `If-None-Match` and `Prefer: wait=SECONDS`; answers an Assignment, or 304. */
export const ASSIGNMENT_PATH = '/agent/v1/assignment';
/** Audience of the agents' projected token. */
export const AGENT_AUDIENCE = 'flamegate-controller';
/** GET: HTML page of a report's diff flame graph; a viewer's own bearer token is reviewed. */
export const reportPagePath = (namespace: string, report: string): string =>
  `/reports/v1/${encodeURIComponent(namespace)}/${encodeURIComponent(report)}/flamegraph`;
/** GET: HTML page of the gates of all namespaces of which the viewer may read them. */
export const ALL_GATES_PAGE_PATH = '/gates/v1';
/** GET: HTML page of a namespace's gates and their history; as the page of a report, which has a way back to it with ?nav=1. */
export const gatesPagePath = (namespace: string): string =>
  `${ALL_GATES_PAGE_PATH}/${encodeURIComponent(namespace)}`;
/**
 * GET ?arm=baseline|canary: where the time of its slow requests went, as text (&raw=1: with functions as they were sampled), or as
 * an HTML page of one route (&route=GET /path; without it, of the one with the most). A viewer's own token, as for the page.
 */
export const slowRequestsPath = (namespace: string, report: string, as: 'text' | 'page'): string =>
  `/reports/v1/${encodeURIComponent(namespace)}/${encodeURIComponent(report)}/slow${as === 'page' ? '/flamegraph' : ''}`;
/**
 * GET ?selector=LABELS&fromMs=MS: gzipped NDJSON (window-lines.ts) of the stored windows that begin at or after `fromMs`,
 * of the namespace's pods that carry the labels; needs get on regressiongates there, as the report page does.
 */
export const WINDOWS_PATH = '/windows/v1/';
export const windowsPath = (namespace: string): string => `${WINDOWS_PATH}${encodeURIComponent(namespace)}`;
/**
 * GET ?fromMs=MS: the same of one pod, by its name; while somebody asks, its stacks are pushed though no gate compares it. Refused
 * with POD_NOT_PROFILED where no policy selects it.
 */
export const podWindowsPath = (namespace: string, pod: string): string =>
  `${windowsPath(namespace)}/pods/${encodeURIComponent(pod)}`;
/**
 * GET ?canary=HASH, and &baseline=HASH where the pair is known: what the gate says of that revision, a RevisionVerdict
 * (src/crds/revision-verdict.ts), 200 whatever it is. `Prefer: wait=SECONDS` holds the answer back while it is Pending.
 */
export const verdictPath = (namespace: string, gate: string): string =>
  `/api/v1/gates/${encodeURIComponent(namespace)}/${encodeURIComponent(gate)}/verdict`;
/**
 * POST of Flagger's CanaryWebhookPayload by whoever reaches the port, where the settings say so: what the gates of a Canary say of the
 * revision that is on trial, a WebhookAnswer, and as its status what Flagger takes from a webhook of that type.
 */
export const FLAGGER_HOOKS = ['rollout', 'confirm-promotion', 'rollback'] as const;
export type FlaggerHook = (typeof FLAGGER_HOOKS)[number];
export const flaggerWebhookPath = (hook: FlaggerHook): string => `/api/v1/flagger/${hook}`;

/** The body of every 4xx and 5xx answer. */
export interface ErrorBody {
  readonly code: string;
  readonly message: string;
}
