/**
 * GET of one pod's windows, for `flamegate top --pod` and `record --pod`, by people with their own token. Asking has an effect: for two
 * minutes the pod's stacks are pushed, as if a gate compared it. Of a pod that no policy profiles there is nothing to push.
 */
import type { V1Pod } from '@kubernetes/client-node';
import type { ClusterView } from '../cluster-view.ts';
import { policiesIn, policyOf, policyWants } from '../profiling-policy/precedence.ts';
import type { Authenticator } from './authenticate.ts';
import type { Endpoint } from './batches.ts';
import { Refusal } from './refusal.ts';
import type { WatchedPods } from './watched-pods.ts';
import { answerWindows, streamedPod, type WindowSource } from './window-answer.ts';
import { parseFromMs } from './windows-query.ts';

export interface PodWindowsOptions extends WindowSource {
  readonly authenticator: Authenticator;
  readonly view: ClusterView;
  readonly watched: Pick<WatchedPods, 'watch'>;
}

export const POD_WINDOWS_PATTERN = /^\/windows\/v1\/([a-z0-9-]{1,63})\/pods\/([a-z0-9.-]{1,253})$/;

const MAX_AT_ONCE = 4; // each is asked for every few seconds, and answered in milliseconds

export function podWindowsEndpoint(options: PodWindowsOptions): Endpoint {
  let running = 0;
  return async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'https://localhost');
    const [, namespace = '', name = ''] = POD_WINDOWS_PATTERN.exec(pathname) ?? [];
    await options.authenticator.viewer(request, namespace);
    const fromMs = parseFromMs(searchParams);
    const pod = profiledPod(options.view, namespace, name);
    if (running >= MAX_AT_ONCE) throw busy(`${running} are being answered; ask again`);
    if (!options.watched.watch(pod.metadata?.uid ?? '')) {
      throw busy('people look at as many pods as may be at once; ask again');
    }
    running += 1;
    try {
      await answerWindows(options, { pods: [streamedPod(pod, namespace)], fromMs }, response);
    } finally {
      running -= 1;
    }
  };
}

const busy = (sentence: string): Refusal =>
  new Refusal(503, 'WINDOWS_BUSY', sentence, { headers: { 'retry-after': '10' } });

/** Throws Refusal 404, and 409 where nothing of it will ever come. */
function profiledPod(view: ClusterView, namespace: string, name: string): V1Pod {
  const pod = view.pods(namespace).find(({ metadata }) => metadata?.name === name);
  if (pod === undefined) {
    throw new Refusal(
      404,
      'POD_NOT_FOUND',
      `there is no pod ${namespace}/${name}: kubectl get pods -n ${namespace}`,
    );
  }
  const policy = policyOf(pod.metadata?.labels, policiesIn(view, namespace));
  if (policy === undefined) {
    const sentence = `no policy selects pod ${namespace}/${name}, so no agent looks at it: make a ProfilingPolicy with its labels in namespace ${namespace} (samples/), nothing restarts`;
    throw new Refusal(409, 'POD_NOT_PROFILED', sentence);
  }
  const { phase } = pod.status ?? {};
  if (phase !== 'Running') {
    throw new Refusal(409, 'POD_NOT_RUNNING', `pod ${namespace}/${name} is ${phase ?? 'not started'}`);
  }
  const wanted = (pod.spec?.containers ?? []).filter((container) => policyWants(policy, container.name));
  if (wanted.length > 0) return pod;
  const sentence = `policy ${policy.metadata.name} profiles no container of pod ${namespace}/${name}: see its spec.containers`;
  throw new Refusal(409, 'POD_NOT_PROFILED', sentence);
}
