/** Sends spans by OTLP/HTTP to the endpoint of the install, while it has one. What cannot be sent in time is lost, and counted. */
import type { IncomingMessage } from 'node:http';
import { codeOf, messageOf } from './agent-error.ts';
import { createBackoff, pause } from './backoff.ts';
import type { Metric } from './exposition.ts';
import type { AgentLog } from './log.ts';
import type { ResourceSpans } from './otlp-traces.ts';

export interface SpanExporter {
  /** False while there is no place for them: then none need to be made. */
  readonly isOpen: boolean;
  /** From now on, as OTEL_EXPORTER_OTLP_ENDPOINT: v1/traces is below it. Undefined: nowhere, and what waits is lost. */
  sendTo(endpoint: string | undefined): void;
  /** Queues them, or loses the oldest for them. */
  add(spans: readonly ResourceSpans[]): void;
  /** Runs until the signal is aborted. */
  run(signal: AbortSignal): Promise<void>;
}

export interface SpanExporterOptions {
  /** By result: sent, refused (the other end does not want them), lost (it took too long). */
  readonly spans: Metric;
  readonly log: AgentLog;
  readonly random: () => number;
}

const MOST_QUEUED = 1_000; // spans, of half a kilobyte
const MOST_AT_ONCE = 250;
const TIMEOUT_MS = 10_000;
const TRIES = 5; // within a quarter of a minute or so, or as long as a Retry-After says
const FIRST_BACKOFF_MS = 1_000;
const LONGEST_BACKOFF_MS = 10_000;
const LONGEST_RETRY_AFTER_MS = 30_000;
const IDLE_MS = 60_000;
const MOST_ANSWER_BYTES = 64 * 1024;
/** OTLP/HTTP's specification: these may be sent again, and no others. */
const RETRIED = new Set([429, 502, 503, 504]);

const countOf = (spans: readonly ResourceSpans[]): number =>
  spans.reduce((sum, { scopeSpans: [{ spans: of }] }) => sum + of.length, 0);

export function createSpanExporter(options: SpanExporterOptions): SpanExporter {
  const { log, random } = options;
  let url: URL | undefined;
  let queue: ResourceSpans[] = [];
  let queued = 0;
  let woken = Promise.withResolvers<void>();

  const count = (result: 'sent' | 'refused' | 'lost', spans: number) => {
    if (spans > 0) options.spans.inc({ result }, spans);
  };
  const take = (): readonly ResourceSpans[] => {
    let enough = 0;
    let spans = 0;
    while (enough < queue.length && (enough === 0 || spans < MOST_AT_ONCE)) {
      spans += countOf(queue.slice(enough, enough + 1));
      enough += 1;
    }
    const taken = queue.slice(0, enough);
    queue = queue.slice(enough);
    queued -= spans;
    return taken;
  };
  const drop = () => {
    count('lost', queued);
    queue = [];
    queued = 0;
  };
  const send = async (to: URL, taken: readonly ResourceSpans[], signal: AbortSignal): Promise<void> => {
    const body = JSON.stringify({ resourceSpans: taken });
    const backoff = createBackoff(FIRST_BACKOFF_MS, LONGEST_BACKOFF_MS, random);
    const spans = countOf(taken);
    for (let tries = 1; ; tries++) {
      const answer = await post(to, body, signal);
      if (answer.kind === 'taken') {
        count('sent', spans - answer.refused);
        count('refused', answer.refused);
        return;
      }
      if (answer.kind === 'refused' || tries === TRIES || signal.aborted) {
        count(answer.kind === 'refused' ? 'refused' : 'lost', spans);
        log.warn({ endpoint: to.host, spans, reason: answer.reason }, 'spans not sent');
        return;
      }
      await pause(answer.afterMs ?? backoff.next(), signal);
    }
  };
  return {
    get isOpen() {
      return url !== undefined;
    },
    sendTo(endpoint) {
      const base = endpoint?.replace(/\/?$/, '/');
      url = base !== undefined && URL.canParse(base) ? new URL('v1/traces', base) : undefined;
      if (url === undefined) drop();
    },
    add(spans) {
      if (url === undefined) return;
      queue.push(...spans);
      queued += countOf(spans);
      while (queued > MOST_QUEUED) {
        const oldest = queue.splice(0, 1);
        queued -= countOf(oldest);
        count('lost', countOf(oldest));
      }
      woken.resolve();
    },
    async run(signal) {
      while (!signal.aborted) {
        const taken = take();
        if (url !== undefined && taken.length > 0) {
          await send(url, taken, signal);
        } else {
          await Promise.race([woken.promise, pause(IDLE_MS, signal)]);
          woken = Promise.withResolvers();
        }
      }
      drop();
    },
  };
}

type Answer =
  | { readonly kind: 'taken'; readonly refused: number }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'later'; readonly reason: string; readonly afterMs?: number };

async function post(url: URL, body: string, signal: AbortSignal): Promise<Answer> {
  const http = process.getBuiltinModule(url.protocol === 'https:' ? 'node:https' : 'node:http');
  const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const { promise: answered, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  try {
    const outgoing = http.request(url, { method: 'POST', headers, signal: limit }, resolve);
    outgoing.once('error', reject);
    outgoing.end(body);
    const incoming = await answered;
    return answerOf(incoming, await textOf(incoming));
  } catch (error) {
    return { kind: 'later', reason: `${codeOf(error)}: ${messageOf(error)}` };
  }
}

function answerOf({ statusCode = 0, headers }: IncomingMessage, body: string): Answer {
  if (statusCode >= 200 && statusCode < 300) return { kind: 'taken', refused: refusedIn(body) };
  const reason = `HTTP ${statusCode}`;
  if (!RETRIED.has(statusCode)) return { kind: 'refused', reason };
  const afterS = Number(headers['retry-after'] ?? Number.NaN);
  const afterMs = Math.min(LONGEST_RETRY_AFTER_MS, afterS * 1_000);
  return { kind: 'later', reason, ...(afterMs >= 0 ? { afterMs } : {}) };
}

/** `partialSuccess.rejectedSpans`, which is a 64-bit number and so may come as a string. */
function refusedIn(body: string): number {
  try {
    const { partialSuccess } = JSON.parse(body) as { partialSuccess?: { rejectedSpans?: unknown } };
    const refused = Number(partialSuccess?.rejectedSpans ?? 0);
    return Number.isSafeInteger(refused) && refused > 0 ? refused : 0;
  } catch {
    return 0; // no JSON: the status says that all were taken
  }
}

async function textOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming) {
    if (!Buffer.isBuffer(chunk)) continue;
    bytes += chunk.length;
    if (bytes > MOST_ANSWER_BYTES) {
      incoming.destroy();
      return '';
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
