/** A backend that is slow, broken or lies: a real Prometheus behind a server that spoils what it answers. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { after, before, suite, test } from 'node:test';
import { Registry } from 'prom-client';
import type { Lifetime } from '../../../test/prometheus/prometheus.ts';
import { runningEvaluations } from './running-evaluations.ts';
import { aScrapedService, aSource, type ScrapedService } from './testing/a-scraped-service.ts';

type Answers = (response: ServerResponse, truth: () => Promise<string>) => void | Promise<void>;
type Pair = [number, unknown];
interface Series {
  readonly metric: Record<string, string>;
  readonly values?: Pair[] | undefined;
  readonly histograms?:
    | [number, { count: string; buckets: [number, string, string, string][] }][]
    | undefined;
}

const MOST_BYTES = 4 * 1024 * 1024;
const NAMED = 'Prometheus at 127\\.0\\.0\\.1:\\d+';

/** Says the truth with something wrong in it. */
const spoilt =
  (spoil: (series: Series[]) => Series[]): Answers =>
  async (response, truth) => {
    const answer = JSON.parse(await truth()) as { data: { result: Series[] } };
    response.end(JSON.stringify({ ...answer, data: { ...answer.data, result: spoil(answer.data.result) } }));
  };

/** Changes each number of requests. */
const counts = (change: (count: number) => string) =>
  spoilt((all) =>
    all.map((series) => ({
      ...series,
      ...(series.values && !series.metric['__name__']?.includes('since')
        ? { values: series.values.map(([at, value]): Pair => [at, change(Number(value))]) }
        : {}),
      ...(series.histograms && {
        histograms: series.histograms.map(([at, { buckets, count, ...rest }]) => {
          const changed = buckets.map(([rule, low, high, held]) => [rule, low, high, change(Number(held))]);
          return [at, { ...rest, count: change(Number(count)), buckets: changed }] as never;
        }),
      }),
    })),
  );

const everyTime = <T>(samples: [number, T][] | undefined, of: (all: [number, T][], at: number) => T) =>
  samples?.map(([at], index, all): [number, T] => [at, of(all, index)]);

interface Case {
  readonly answers: Answers;
  readonly verdict: 'Failed' | 'Inconclusive';
  readonly reason: string;
  /** In the judgement's sentence. */
  readonly says?: RegExp;
  /** On the page of metrics. */
  readonly counts: string;
}

const unreadable = (answers: Answers, code: string, says: string): Case => ({
  ...{ answers, verdict: 'Inconclusive', reason: 'BackendUnreadable' },
  ...{ says: new RegExp(`; ${NAMED} ${says}`), counts: `flamegate_backend_reads_total{result="${code}"}` },
});
const lossy = (answers: Answers, fault: string, says: string): Case => ({
  ...{
    answers,
    verdict: 'Inconclusive',
    reason: 'TooMuchLoss',
    says: new RegExp(`; of ${NAMED}: .*${says}`),
  },
  counts: fault,
});
const harmless = (answers: Answers, fault: string): Case => ({
  ...{ answers, verdict: 'Failed', reason: 'LatencyGrew' },
  counts: `flamegate_backend_faults_total{fault="${fault}"}`,
});
const LOST = 'flamegate_backend_requests_lost_total';

let elsewhere = 0; // where nobody is to ask
let written = 0;

const CASES: Readonly<Record<string, Case>> = {
  'never answers': unreadable(() => undefined, 'BACKEND_TIMEOUT', 'did not answer within 0.3 s'),
  'answers a byte at a time': unreadable(
    (response) => {
      const timer = setInterval(() => response.write(' '), 20);
      response.once('close', () => clearInterval(timer));
    },
    'BACKEND_TIMEOUT',
    'did not answer within 0.3 s',
  ),
  'hangs up': unreadable((response) => void response.destroy(), 'BACKEND_UNREACHABLE', 'cannot be asked'),
  'hangs up in the middle': unreadable(
    async (response, truth) => {
      response.setHeader('content-length', 1e6);
      response.write((await truth()).slice(0, 1_000), () => response.destroy());
    },
    'BACKEND_UNREACHABLE',
    'cannot be asked',
  ),
  'is out of order': unreadable(
    (response) => void response.writeHead(500).end('<secret>'),
    'BACKEND_FAILED',
    'answers with status 500$',
  ),
  'does not know us': unreadable(
    (response) => void response.writeHead(401).end(),
    'BACKEND_REFUSED',
    'refuses the question \\(401\\)',
  ),
  'sends us elsewhere': unreadable(
    (response) => void response.writeHead(307, { location: `http://localhost:${elsewhere}/` }).end(),
    'BACKEND_REDIRECTED',
    'answers with a redirection',
  ),
  'answers with gigabytes': unreadable(
    (response) => {
      const more = (): void => {
        if (response.closed || written > 1e9) return;
        written += 65_536;
        response.write(Buffer.alloc(65_536, ' '), more);
      };
      more();
    },
    'BACKEND_TOO_LARGE',
    `answers with more than ${MOST_BYTES} bytes`,
  ),
  'ends its JSON early': unreadable(
    async (response, truth) => void response.end((await truth()).slice(0, -9)),
    'BACKEND_ANSWER_INVALID',
    'answers with broken JSON',
  ),
  'answers with an error and status 200': unreadable(
    (response) => void response.end('{"status":"error","errorType":"bad_data","error":"<secret>"}'),
    'BACKEND_ANSWER_INVALID',
    'answers without success$',
  ),
  'answers with something else': unreadable(
    (response) => void response.end('{"status":"success","data":{"resultType":"vector","result":[]}}'),
    'BACKEND_ANSWER_INVALID',
    'answers with something else than samples',
  ),
  'has no native histograms': unreadable(
    spoilt((all) => all.filter(({ histograms }) => histograms === undefined)),
    'BACKEND_TOO_COARSE',
    'keeps no native histograms',
  ),
  'has wide buckets': unreadable(
    spoilt((all) =>
      all.map(({ histograms, ...series }) => ({
        ...series,
        ...(histograms && {
          histograms: histograms.map(([at, { count }]) => [
            at,
            { count, buckets: [[0, '0.1', '0.25', count]] },
          ]),
        }),
      })),
    ),
    'BACKEND_TOO_COARSE',
    'keeps only such with wide buckets',
  ),
  'stands still': unreadable(
    spoilt((all) =>
      all.map(({ metric, values, histograms }) => ({
        metric,
        ...(values && { values: everyTime(values, ([first]) => first?.[1]) }),
        ...(histograms && { histograms: everyTime(histograms, ([first]) => first?.[1] as never) }),
      })),
    ),
    'read',
    'tells of \\d+ requests where agents told of \\d+',
  ),
  'counts each request thrice': unreadable(
    counts((count) => String(3 * count)),
    'read',
    'tells of \\d+ requests where agents told of \\d+',
  ),
  'answers with NaN': unreadable(
    counts(() => 'NaN'),
    'read',
    'tells of \\d+ requests where agents told of \\d+; of .*samples read were none',
  ),
  'answers with negative counts': unreadable(
    counts((count) => String(-count)),
    'read',
    'tells of \\d+ requests where agents told of \\d+; of .*samples read were none',
  ),
  'has counters that fall': lossy(
    spoilt((all) =>
      all.map(({ histograms, ...series }) => ({
        ...series,
        ...(histograms && {
          histograms: everyTime(histograms, (list, at) => list.at(-1 - at)?.[1] as never),
        }),
      })),
    ),
    `${LOST}{fault="Uneven"}`,
    'requests were lost as their series do not add up',
  ),
  'lacks every other series': lossy(
    spoilt((all) => all.filter(({ histograms }, at) => histograms === undefined || at % 2 === 0)),
    `${LOST}{fault="Uneven"}`,
    'requests were lost as their series do not add up',
  ),
  'knows other pods': lossy(
    spoilt((all) =>
      all.map(({ metric, ...rest }) => ({ ...rest, metric: { ...metric, k8s_pod_uid: 'other' } })),
    ),
    'flamegate_backend_faults_total{fault="Foreign"}',
    'series read were of pods that nobody asked for',
  ),
  'knows nothing': lossy(
    spoilt(() => []),
    `${LOST}{fault="Gap"}`,
    'requests were lost without two scrapes',
  ),
  'adds other pods': harmless(
    spoilt((all) => [
      ...all,
      ...all.map(({ metric, ...rest }) => ({ ...rest, metric: { ...metric, k8s_pod_uid: 'other' } })),
    ]),
    'Foreign',
  ),
  'says everything twice': harmless(
    spoilt((all) => [
      ...all,
      ...all.map(({ metric, ...rest }) => ({ ...rest, metric: { ...metric, replica: 'b' } })),
    ]),
    'Doubled',
  ),
  'knows the future': harmless(
    spoilt((all) =>
      all.map(({ metric, values, histograms }) => ({
        metric,
        ...(values && { values: [...values, [4e9, '9'] as Pair] }),
        ...(histograms && { histograms: [...histograms, [4e9, histograms[0]?.[1]] as never] }),
      })),
    ),
    'Future',
  ),
};

suite('a gate behind a Prometheus that', () => {
  const ends: (() => void | Promise<void>)[] = [];
  const lifetime: Lifetime = { after: (end) => void ends.push(end) };
  const truths = new Map<string, Promise<string>>();
  let service: ScrapedService;
  let answers: Answers = () => undefined;
  let port = 0;
  let strayed = 0;

  before(async () => {
    service = await aScrapedService(lifetime, {
      ...{ canary: { factor: 1.4 }, windows: 18, historyWindows: 6, scrapeMs: 15_000 },
      settings: { deadlineMs: 180_000, minDurationMs: 90_000, functionMargin: 0.3 },
    });
    const ask = async (body: string): Promise<string> => {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      const url = `http://127.0.0.1:${service.port}/api/v1/query`;
      return (await fetch(url, { method: 'POST', headers, body })).text();
    };
    port = await aServer(lifetime, async (request, response) => {
      const body = await text(request);
      await answers(response, () => {
        const truth = truths.get(body) ?? ask(body);
        truths.set(body, truth);
        return truth;
      });
    });
    elsewhere = await aServer(lifetime, (_, response) => {
      strayed += 1;
      response.end();
    });
  });
  after(async () => {
    for (const end of ends.reverse()) await end();
  });

  for (const [what, { verdict, reason, says, counts: series, ...one }] of Object.entries(CASES)) {
    test(what, async (t) => {
      answers = one.answers;
      written = 0;
      const registry = new Registry();
      // Nobody else is to be given up, however slow the machine that this runs on.
      const limits = {
        timeoutMs: series.includes('BACKEND_TIMEOUT') ? 300 : 120_000,
        maxAnswerBytes: MOST_BYTES,
      };
      const source = aSource(t, service.store, port, { registry, limits });

      const judgement = await runningEvaluations(service.store, source).judge(
        'shop/orders',
        service.evaluation(195),
      );

      assert.deepEqual([judgement.verdict, judgement.reason], [verdict, reason], judgement.message);
      if (says !== undefined) assert.match(judgement.message, says);
      assert.doesNotMatch(judgement.message, /secret/);
      const metrics = (await registry.metrics()).split('\n');
      assert.ok(
        metrics.some((line) => line.startsWith(`${series} `)),
        metrics.join('\n'),
      );
      assert.ok(written < 8 * MOST_BYTES, `${written} bytes were sent`); // the kernel takes some, too
      assert.equal(strayed, 0);
    });
  }

  test('is back within two minutes of the deadline gives the verdict that it would have given', async (t) => {
    const evaluation = service.evaluation(195);
    let nowMs = evaluation.startedAtMs + 240_000;
    const source = aSource(t, service.store, port, { now: () => nowMs });
    const running = runningEvaluations(service.store, source, () => nowMs);
    const judge = async () => {
      const { verdict, reason } = await running.judge('shop/orders', evaluation);
      return [verdict, reason];
    };

    answers = (response) => void response.writeHead(503).end();
    assert.deepEqual(await judge(), ['Collecting', 'BackendUnreadable']);
    answers = spoilt((all) => all);
    assert.deepEqual(await judge(), ['Collecting', 'BackendUnreadable'], 'it is left alone for ten seconds');
    nowMs += 15_000;
    assert.deepEqual(await judge(), ['Failed', 'LatencyGrew']);
  });

  test('is not back by then leaves the gate Inconclusive', async (t) => {
    const evaluation = service.evaluation(195);
    const nowMs = evaluation.startedAtMs + 301_000;
    const source = aSource(t, service.store, port, { now: () => nowMs });
    answers = (response) => void response.writeHead(503).end();

    const running = runningEvaluations(service.store, source, () => nowMs);
    const { verdict, reason } = await running.judge('shop/orders', evaluation);

    assert.deepEqual([verdict, reason], ['Inconclusive', 'BackendUnreadable']);
  });

  test('has not scraped yet is waited for, for a minute and a half', async (t) => {
    const evaluation = service.evaluation(75);
    let nowMs = evaluation.startedAtMs + 75_000;
    const source = aSource(t, service.store, port, { now: () => nowMs });
    const running = runningEvaluations(service.store, source, () => nowMs);
    const spokenToMs = evaluation.startedAtMs + 30_000;
    answers = spoilt((all) =>
      all.map(({ metric, values, histograms }) => ({
        metric,
        values: values?.filter(([at]) => at * 1_000 <= spokenToMs),
        histograms: histograms?.filter(([at]) => at * 1_000 <= spokenToMs),
      })),
    );

    const early = await running.judge('shop/orders', evaluation);
    nowMs += 90_000;
    const late = await running.judge('shop/orders', evaluation);

    assert.equal(early.samples.canary, 3 * 3 * 100);
    assert.doesNotMatch(early.message, /Prometheus/);
    assert.equal(late.samples.canary, 2 * 3 * 3 * 100);
    assert.match(late.message, /requests were lost without two scrapes/);
  });
});

async function aServer(
  t: Lifetime,
  handle: (request: IncomingMessage, response: ServerResponse) => void | Promise<void>,
): Promise<number> {
  const server = createServer((request, response) => void handle(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  assert(typeof address === 'object' && address !== null);
  return address.port;
}
