/** GET of a namespace's stored windows by label, for `flamegate record`: streamed, for people with their own token. */
import { selects } from '../../kube/label-selector.ts';
import type { ClusterView } from '../cluster-view.ts';
import type { Authenticator } from './authenticate.ts';
import type { Endpoint } from './batches.ts';
import { Refusal } from './refusal.ts';
import { answerWindows, streamedPod, type WindowSource } from './window-answer.ts';
import { parseWindowsQuery } from './windows-query.ts';

export interface WindowsOptions extends WindowSource {
  readonly authenticator: Authenticator;
  readonly view: ClusterView;
}

export const WINDOWS_PATTERN = /^\/windows\/v1\/([a-z0-9-]{1,63})$/;

const MAX_PODS = 200; // an hour of them is 72,000 windows
const MAX_AT_ONCE = 2;

export function windowsEndpoint(options: WindowsOptions): Endpoint {
  let running = 0;
  return async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'https://localhost');
    const [, namespace = ''] = WINDOWS_PATTERN.exec(pathname) ?? [];
    await options.authenticator.viewer(request, namespace);
    const { selector, fromMs } = parseWindowsQuery(searchParams);
    const pods = options.view.pods(namespace).filter(({ metadata }) => selects(selector, metadata?.labels));
    assertFewEnough(pods.length, running);
    running += 1;
    try {
      const streamed = pods.map((pod) => streamedPod(pod, namespace));
      await answerWindows(options, { pods: streamed, fromMs }, response);
    } finally {
      running -= 1;
    }
  };
}

function assertFewEnough(pods: number, running: number): void {
  if (pods > MAX_PODS) {
    const sentence = `the selector finds ${pods} pods, at most ${MAX_PODS} are answered at once`;
    throw new Refusal(413, 'WINDOWS_TOO_MANY', sentence);
  }
  if (running >= MAX_AT_ONCE) {
    const headers = { 'retry-after': '10' };
    throw new Refusal(503, 'WINDOWS_BUSY', `${running} recorders are being answered; ask again`, { headers });
  }
}
