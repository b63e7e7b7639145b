/** Sends nonsense to every HTTP endpoint of controller and agent, and says what came of it. What a seed sends it sends again. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { seededRandom } from '../../../detect/seeded-random.ts';
import {
  ASSIGNMENT_PATH,
  BATCHES_PATH,
  FLAGGER_HOOKS,
  flaggerWebhookPath,
  gatesPagePath,
  podWindowsPath,
  reportPagePath,
  slowRequestsPath,
  verdictPath,
  windowsPath,
} from '../../../wire/endpoints.ts';
import { aFreshBatch } from './a-running-ingest.ts';
import { agentToken, IDENTITIES, type ServersReport, viewerToken } from './fuzzed-servers.ts';
import { gzipped } from './https-client.ts';
import { type Nonsense, nonsense } from './nonsense.ts';

export interface FuzzOutcome {
  readonly requests: number;
  /** Answers by server and status; `none` where the connection was closed without one. */
  readonly answers: ReadonlyMap<string, number>;
  /** What must not be: an end of the process, a 5xx without a code, an error in the log. At most 20. */
  readonly failures: readonly string[];
  /** In use after the first third, and at the end. */
  readonly bytes: { readonly before: number; readonly after: number };
}

type Server = keyof ServersReport['ports'];

const AT_ONCE = 12;
const LEAST_REQUESTS = 400; // however slow the machine is
const MOST_FAILURES = 20;
const ENDING_MS = 10_000;
const QUIET_MS = 2_000; // half a request gets its answer from a time-out, for which nobody here waits
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

export async function fuzzEndpoints(seed: number, seconds: number): Promise<FuzzOutcome> {
  const servers = fork(new URL('fuzzed-servers.ts', import.meta.url).pathname, {
    execArgv: ['--expose-gc', '--max-old-space-size=256'],
  });
  try {
    await once(servers, 'message');
    return await fuzzed(servers, seed, seconds);
  } finally {
    await ended(servers);
  }
}

/** By itself when it is let go, so that it removes what it wrote. */
async function ended(servers: ChildProcess): Promise<void> {
  if (servers.exitCode !== null || servers.signalCode !== null) return;
  const exit = once(servers, 'exit');
  const late = setTimeout(() => servers.kill('SIGKILL'), ENDING_MS);
  if (servers.connected) servers.disconnect();
  await exit;
  clearTimeout(late);
}

async function fuzzed(servers: ChildProcess, seed: number, seconds: number): Promise<FuzzOutcome> {
  const random = seededRandom(seed);
  const answers = new Map<string, number>();
  const failures = new Set<string>();
  const fail = (sentence: string) => void (failures.size < MOST_FAILURES && failures.add(sentence));
  let requests = 0;
  const hasEnded = () => servers.exitCode !== null || servers.signalCode !== null;
  servers.once('exit', (code, signal) => fail(`the servers ended: ${signal ?? code}`));
  const first = await reportOf(servers);
  const inputs = inputsOf(random);
  const beginMs = Date.now();
  const isOver = () => hasEnded() || (Date.now() - beginMs >= seconds * 1_000 && requests >= LEAST_REQUESTS);
  const worker = async (): Promise<void> => {
    while (!isOver()) {
      const server = serverFor(random());
      const sent = nonsense(inputs[server]);
      requests += 1;
      const answer = await exchange(first, server, sent);
      const status = /^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 'none';
      answers.set(`${server} ${status}`, (answers.get(`${server} ${status}`) ?? 0) + 1);
      if (!isFine(server, status, answer)) {
        fail(
          `${server}: ${answer.slice(0, 500)}\nto ${Buffer.concat(sent.pieces).toString('latin1').slice(0, 500)}`,
        );
      }
    }
  };
  const clock = setInterval(() => servers.connected && servers.send('report'), 500); // time goes on for it, too
  const workers = Array.from({ length: AT_ONCE }, worker);
  await delay((seconds * 1_000) / 3);
  const before = hasEnded() ? first : await reportOf(servers);
  await Promise.all(workers);
  clearInterval(clock);
  const last = hasEnded() ? first : await reportOf(servers);
  for (const line of last.failures) fail(`logged: ${line.slice(0, 1_000)}`);
  return { requests, answers, failures: [...failures], bytes: { before: before.bytes, after: last.bytes } };
}

async function reportOf(servers: ChildProcess): Promise<ServersReport> {
  const report = once(servers, 'message');
  servers.send('report');
  const [message]: ServersReport[] = await report;
  if (message === undefined) throw new Error('the servers say nothing');
  return message;
}

const serverFor = (random: number): Server =>
  random < 0.7 ? 'ingest' : random < 0.85 ? 'agent' : 'controller';

function inputsOf(random: () => number) {
  const numbers = Array.from({ length: IDENTITIES }, (_, i) => i);
  const tokens = numbers.flatMap((i) => [agentToken(i), viewerToken(i)]).concat('', 'token-that-is-a-guess');
  const report = ['shop', 'orders-cpu-1'] as const;
  const paths = [
    ...[BATCHES_PATH, BATCHES_PATH, `${ASSIGNMENT_PATH}?node=node-7`, reportPagePath(...report)],
    gatesPagePath('shop'),
    `${slowRequestsPath(...report, 'text')}?arm=canary&raw=1`,
    `${slowRequestsPath(...report, 'page')}?arm=canary&route=GET%20/orders`,
    `${podWindowsPath('shop', 'orders-1')}?fromMs=0`,
    `${windowsPath('shop')}?selector=app%20in%20(orders,basket),!x&fromMs=0`,
    `${verdictPath('shop', 'orders-cpu')}?canary=bbb&baseline=aaa`,
    ...FLAGGER_HOOKS.map(flaggerWebhookPath),
  ];
  const nowMs = Date.now();
  const batches = numbers.map((i) => gzipped(aFreshBatch(nowMs, { node: `node-${i}`, sequence: i })));
  const payload = {
    name: 'orders',
    namespace: 'shop',
    phase: 'Progressing',
    checksum: 'x',
    metadata: { a: 'b' },
  };
  const bodies = [...batches, ...batches.map(() => Buffer.from(JSON.stringify(payload)))];
  const health = {
    random,
    tokens: [''],
    bodies,
    paths: ['/healthz', '/readyz', '/metrics', '/metrics?name[]=x'],
  };
  return { ingest: { random, tokens, bodies, paths }, controller: health, agent: health };
}

/** A 5xx says which of the codes of docs/errors.md it is; a bug's is none of them. Probes are always well here. */
function isFine(server: Server, status: string, answer: string): boolean {
  if (!status.startsWith('5')) return true;
  return server === 'ingest' && /"code":"(?!INTERNAL)[A-Z_]+"/.test(answer);
}

/** What was answered, as far as somebody waits for it. */
async function exchange(
  { ports, ca }: ServersReport,
  server: Server,
  { pieces, leaves }: Nonsense,
): Promise<string> {
  const port = ports[server];
  const socket: Socket =
    server === 'ingest'
      ? connectTls({ host: '127.0.0.1', port, ca, servername: 'localhost' })
      : connect({ host: '127.0.0.1', port });
  let answer = '';
  socket.setTimeout(QUIET_MS, () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    if (answer.length < MAX_ANSWER_BYTES) answer += chunk.toString('latin1');
    if (isWhole(answer)) socket.end();
  });
  socket.on('error', () => undefined); // resets are what it asks for
  const closed = new Promise((resolve) => socket.once('close', resolve)); // events.once would reject on errors
  for (const piece of pieces) {
    if (socket.destroyed) break;
    socket.write(piece);
    if (pieces.length > 1) await delay(5);
  }
  if (leaves) socket.destroy();
  await closed;
  return answer;
}

/** All that Content-Length announces is there, or the last chunk; otherwise the connection's end says so. */
function isWhole(answer: string): boolean {
  const end = answer.indexOf('\r\n\r\n');
  if (end < 0) return false;
  const head = answer.slice(0, end).toLowerCase();
  if (head.startsWith('http/1.1 100')) return false;
  const length = /\r\ncontent-length: (\d+)/.exec(head)?.[1];
  if (length !== undefined) return answer.length - end - 4 >= Number(length);
  return answer.endsWith('\r\n0\r\n\r\n') || head.startsWith('http/1.1 304');
}
