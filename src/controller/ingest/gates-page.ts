/** GET of gates and their history, of one namespace or of all that the caller may read: an HTML page without a script, for people with their own token. */
import { renderAllGatesPage, renderGatesPage } from '../report-page/gates-page.ts';
import type { Endpoint } from './batches.ts';
import { Refusal, send } from './refusal.ts';
import { PAGE_HEADERS, type ReportPageOptions } from './report-page.ts';

export const GATES_PAGE_PATTERN = /^\/gates\/v1\/([a-z0-9-]{1,63})$/;
export const ALL_GATES_PAGE_PATTERN = /^\/gates\/v1$/;

type GatesPageOptions = Pick<ReportPageOptions, 'authenticator' | 'view'>;

export function gatesPageEndpoint({ authenticator, view }: GatesPageOptions): Endpoint {
  return async (request, response) => {
    const { pathname } = new URL(request.url ?? '', 'https://localhost');
    const [, namespace = ''] = GATES_PAGE_PATTERN.exec(pathname) ?? [];
    await authenticator.viewer(request, namespace);
    const body = renderGatesPage({
      namespace,
      gates: view.gates(namespace),
      reports: view.reports(namespace),
    });
    send(response, { status: 200, headers: PAGE_HEADERS, body });
  };
}

/** Each namespace is a question to the API server, where the caller may not read all at once. */
const MOST_NAMESPACES = 200;

export function allGatesPageEndpoint({ authenticator, view }: GatesPageOptions): Endpoint {
  return async (request, response) => {
    const all = new Set(view.gates().map(({ metadata }) => metadata.namespace));
    const asked = [...all].toSorted().slice(0, MOST_NAMESPACES);
    const readable = await authenticator.readableOf(request, asked);
    if (readable === 'none') {
      const sentence = 'you may get regressiongates.flamegate.dev in no namespace that has any';
      throw new Refusal(403, 'VIEWER_NOT_ALLOWED', sentence);
    }
    const shown = readable === 'all' ? [...all].toSorted() : readable;
    const namespaces = shown.map((namespace) => ({
      ...{ namespace, gates: view.gates(namespace), reports: view.reports(namespace) },
    }));
    const isCut = readable !== 'all' && all.size > asked.length;
    send(response, { status: 200, headers: PAGE_HEADERS, body: renderAllGatesPage({ namespaces, isCut }) });
  };
}
