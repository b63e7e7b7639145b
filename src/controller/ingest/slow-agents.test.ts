import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { BATCHES_PATH } from '../../wire/endpoints.ts';
import { readBody } from './read-body.ts';
import { Refusal } from './refusal.ts';
import { aFreshBatch, aRunningIngest, type RunningIngest, TOKENS } from './testing/a-running-ingest.ts';
import { thrownForCrawl } from './testing/crawling-body.ts';
import { gzipped, push } from './testing/https-client.ts';

async function anIngest(t: TestContext, startedMs = Date.now()): Promise<RunningIngest> {
  const ingest = await aRunningIngest('silent', startedMs);
  t.after(() => ingest.stop());
  return ingest;
}

interface Sender {
  readonly token: string;
  readonly fields: Parameters<typeof aFreshBatch>[1];
}

const NODE_A: Sender = { token: TOKENS.agentA, fields: { sequence: 7 } };

/** A push of which the head and a half of the body have been sent. */
async function halfAPush(t: TestContext, { port, ca, clock }: RunningIngest, { token, fields } = NODE_A) {
  const body = gzipped(aFreshBatch(clock.nowMs, fields));
  const socket: TLSSocket = connect({ port, ca, servername: 'localhost' });
  t.after(() => socket.destroy());
  await once(socket, 'secureConnect');
  const head = [
    `POST ${BATCHES_PATH} HTTP/1.1`,
    ...['host: localhost', 'content-type: application/json', 'content-encoding: gzip'],
    ...[`content-length: ${body.length}`, `authorization: Bearer ${token}`],
  ].join('\r\n');
  const half = Math.floor(body.length / 2);
  socket.write(`${head}\r\n\r\n`);
  socket.write(body.subarray(0, half));
  const answer = once(socket, 'data');
  return {
    async finish(): Promise<string> {
      socket.write(body.subarray(half));
      const [data] = await answer;
      return String(data).split('\r\n')[0] ?? '';
    },
  };
}

/** As soon as the half push has got its turn, a second one of its node is refused. */
async function untilItIsBeingTaken({ port, ca, clock }: RunningIngest): Promise<string> {
  const body = gzipped(aFreshBatch(clock.nowMs, { sequence: 8 }));
  for (let attempt = 0; attempt < 100; attempt++) {
    const answer = await push({ port, ca, token: TOKENS.agentA, body });
    if (answer.status !== 200) return `${answer.status} ${JSON.parse(answer.text).code}`;
  }
  return 'it never was';
}

test('an agent that sends at a crawl keeps no other out, and has no second turn', async (t) => {
  const ingest = await anIngest(t);
  const slow = await halfAPush(t, ingest);

  assert.equal(await untilItIsBeingTaken(ingest), '503 INGEST_BUSY');
  const others = gzipped(aFreshBatch(ingest.clock.nowMs, { node: 'node-b', sequence: 1, pods: [] }));
  const other = await push({ ...ingest, token: TOKENS.agentB, body: others });

  assert.equal(other.status, 200, other.text);
  assert.equal(await slow.finish(), 'HTTP/1.1 200 OK');
});

test('as many that send at a crawl as are inflated at once keep no other out', async (t) => {
  const ingest = await anIngest(t);
  const slow = await halfAPush(t, ingest);
  const fields = { node: 'node-b', sequence: 7, pods: [] };
  const alsoSlow = await halfAPush(t, ingest, { token: TOKENS.agentB, fields });
  assert.equal(await untilItIsBeingTaken(ingest), '503 INGEST_BUSY');

  const body = gzipped(aFreshBatch(ingest.clock.nowMs, { node: 'node-c', sequence: 1, pods: [] }));
  const other = await push({ ...ingest, token: TOKENS.agentC, body });

  assert.equal(other.status, 200, other.text);
  assert.equal(await slow.finish(), 'HTTP/1.1 200 OK');
  assert.equal(await alsoSlow.finish(), 'HTTP/1.1 200 OK');
});

test('a body that does not come is waited for no longer than is said', async (t) => {
  const error = await thrownForCrawl(t, (request) => readBody(request, 20), { start: Buffer.from([0x1f]) });

  assert(error instanceof Refusal);
  assert.deepEqual([error.status, error.code], [408, 'BATCH_INTERRUPTED']);
});

const DAY_MS = 24 * 3_600_000;
const CHECKED_EVERY_MS = 10 * 60_000;

test('a push that has begun is taken while the certificate is changed, and the next meets the new one', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const ingest = await anIngest(t, Date.now() - 8 * DAY_MS); // of fourteen: it is renewed a week before its end
  const servedBy = async (): Promise<string> => {
    const socket = connect({ port: ingest.port, ca: ingest.ca, servername: 'localhost' });
    await once(socket, 'secureConnect');
    const { fingerprint256 } = socket.getPeerCertificate();
    socket.destroy();
    return fingerprint256;
  };
  const before = await servedBy();
  const begun = await halfAPush(t, ingest);

  ingest.clock.nowMs = Date.now();
  t.mock.timers.tick(CHECKED_EVERY_MS);
  let after = before;
  for (let look = 0; look < 500 && after === before; look++) after = await servedBy();

  assert.notEqual(after, before);
  assert.equal(await begun.finish(), 'HTTP/1.1 200 OK');
  const body = gzipped(aFreshBatch(ingest.clock.nowMs, { sequence: 9 }));
  assert.equal((await push({ ...ingest, token: TOKENS.agentA, body })).status, 200);
});
