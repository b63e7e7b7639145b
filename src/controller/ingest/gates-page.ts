/** GET of a namespace's gates and their history: an HTML page without a script, for people with their own token. */
import { renderGatesPage } from '../report-page/gates-page.ts';
import type { Endpoint } from './batches.ts';
import { send } from './refusal.ts';
import { PAGE_HEADERS, type ReportPageOptions } from './report-page.ts';

export const GATES_PAGE_PATTERN = /^\/gates\/v1\/([a-z0-9-]{1,63})$/;

export function gatesPageEndpoint({
  authenticator,
  view,
}: Pick<ReportPageOptions, 'authenticator' | 'view'>): Endpoint {
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
