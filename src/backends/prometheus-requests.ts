/**
 * Requests of pods out of Prometheus, which scrapes the agents: raw samples of their native histograms by `query`, a part of the pods
 * and a stretch of time at a question. Not by `query_range`, which would fill in between scrapes.
 */
import { LONGEST_INTERVAL_MS, type ScrapedWindow } from '../requests/scraped-window.ts';
import type { BackendAddress, BackendClient } from './backend-client.ts';
import { BackendError } from './backend-error.ts';
import { type AnsweredSeries, type PrometheusAnswer, parsePrometheusAnswer } from './prometheus-answer.ts';
import type { ReadFault, ReadRequests, ReadSpan, RequestSource } from './request-source.ts';
import { COUNTED_SERIES, note, SERIES, windowsOfSeries } from './scraped-containers.ts';

/** Half a megabyte each, with ten series and a scrape each quarter of a minute. */
const PODS_AT_ONCE = 4;
const MOST_MS_AT_ONCE = 120_000;
/** Of Kubernetes, and of tests; nothing of a regular expression is among it. */
const POD_UID = /^[A-Za-z0-9-]{1,64}$/;

export function prometheusRequests(client: BackendClient, address: BackendAddress): RequestSource {
  const name = client.nameOf(address);
  const ask = async (podUids: readonly string[], span: ReadSpan): Promise<readonly PrometheusAnswer[]> => {
    try {
      return [await askOnce(podUids, span)];
    } catch (error) {
      const isTooLarge = error instanceof BackendError && error.code === 'BACKEND_TOO_LARGE';
      if (!isTooLarge || podUids.length < 2) throw error;
      const half = podUids.length >> 1;
      return [...(await ask(podUids.slice(0, half), span)), ...(await ask(podUids.slice(half), span))];
    }
  };
  const askOnce = async (
    podUids: readonly string[],
    { fromMs, toMs }: ReadSpan,
  ): Promise<PrometheusAnswer> => {
    const form = new URLSearchParams({
      query: `{__name__=~"${SERIES.join('|')}",k8s_pod_uid=~"${podUids.join('|')}"}[${toMs - fromMs}ms]`,
      time: (toMs / 1_000).toFixed(3),
    });
    const answer = parsePrometheusAnswer(await client.post(address, 'api/v1/query', form), toMs);
    if (typeof answer === 'string') throw new BackendError('BACKEND_ANSWER_INVALID', `${name} ${answer}`);
    return answer;
  };
  return {
    name,
    id: JSON.stringify([address.endpoint, address.tenant ?? '']),
    async windows(podUids, span) {
      const found = new Map<string, ScrapedWindow[]>();
      const faults = new Map<ReadFault, number>();
      const known = podUids.filter((uid) => POD_UID.test(uid));
      for (const part of stretchesOf(span)) {
        for (const pods of chunksOf(known, PODS_AT_ONCE)) {
          const answers = await ask(pods, { fromMs: part.fromMs - LONGEST_INTERVAL_MS, toMs: part.toMs });
          refuseCoarse(name, answers);
          for (const { malformed, future, coarse } of answers) {
            note(faults, 'Malformed', malformed + coarse);
            note(faults, 'Future', future);
          }
          const read = windowsOfSeries(
            answers.flatMap(({ series }) => series),
            new Set(pods),
          );
          for (const [fault, times] of read.faults) note(faults, fault, times);
          for (const [container, windows] of read.windows) {
            const before = found.get(container) ?? [];
            found.set(container, before);
            before.push(...windows.filter(({ endMs }) => endMs > part.fromMs && endMs <= part.toMs));
          }
        }
      }
      return { windows: found, faults } satisfies ReadRequests;
    },
  };
}

function* stretchesOf({ fromMs, toMs }: ReadSpan): Generator<ReadSpan> {
  for (let from = fromMs; from < toMs; from += MOST_MS_AT_ONCE) {
    yield { fromMs: from, toMs: Math.min(toMs, from + MOST_MS_AT_ONCE) };
  }
}

function* chunksOf<T>(list: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < list.length; at += size) yield list.slice(at, at + size);
}

/** A Prometheus that has counted requests and no latencies of them: to be said at once, not after a gate's time. */
function refuseCoarse(name: string, answers: readonly PrometheusAnswer[]): void {
  const series = answers.flatMap((answer) => answer.series);
  if (answers.some(({ malformed }) => malformed > 0)) return; // which is another trouble, and counted
  if (series.some(({ histograms }) => histograms.length > 0)) return;
  if (!series.some(({ labels, values }) => labels['__name__'] === COUNTED_SERIES && hasGrown(values))) return;
  const isCoarse = answers.some(({ coarse }) => coarse > 0);
  const what = isCoarse ? 'only such with wide buckets' : 'no native histograms';
  const message = `keeps ${what} of the pods’ requests: it has to store native histograms as agents show them`;
  throw new BackendError('BACKEND_TOO_COARSE', `${name} ${message}`);
}

const hasGrown = (values: AnsweredSeries['values']): boolean =>
  (values.at(-1)?.value ?? 0) > (values[0]?.value ?? 0);
