/** Nothing that anybody logs, answers or counts has a token in it, or a private key. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import {
  ASSIGNMENT_PATH,
  reportPagePath,
  slowRequestsPath,
  verdictPath,
  windowsPath,
} from '../../wire/endpoints.ts';
import { aFreshBatch, aRunningIngest, TOKENS } from './testing/a-running-ingest.ts';
import { type Answer, call, gzipped, push } from './testing/https-client.ts';

test('at the finest level no log, answer or metric has a token or a key, whatever is asked and fails', async (t) => {
  const ingest = await aRunningIngest('trace');
  t.after(() => ingest.stop());
  const answers: Answer[] = [];
  const gets = async (path: string, token: string) => {
    answers.push(await call({ ...ingest, path, headers: { authorization: `Bearer ${token}` } }));
  };
  const pushes = async (token: string, body: Buffer) => {
    answers.push(await push({ ...ingest, token, body }));
  };
  const everything = async (tokens: readonly string[]) => {
    for (const token of tokens) {
      await gets(`${ASSIGNMENT_PATH}?node=node-a`, token);
      await gets(`${reportPagePath('shop', 'orders-cpu-1')}?token=${token}`, token);
      await gets(`${slowRequestsPath('shop', 'orders-cpu-1', 'text')}?arm=${token}`, token);
      await gets(`${windowsPath('shop')}?selector=app%3Dorders&fromMs=0`, token);
      await gets(`${windowsPath('shop')}?selector=%00&fromMs=${token}`, token);
      await gets(`${verdictPath('shop', 'orders-cpu')}?canary=bbb&token=${token}`, token);
      await gets(`${verdictPath('shop', 'orders-cpu')}?canary=/${token}`, token);
      await gets(`/no/such/path/${token}`, token);
      await pushes(token, gzipped(aFreshBatch(ingest.clock.nowMs)));
      await pushes(token, gzipped(aFreshBatch(ingest.clock.nowMs, { node: 'node-z' })));
      await pushes(token, gzipSync('{"node":"node-'));
      await pushes(token, Buffer.from('no gzip'));
    }
  };
  const guess = 'token-that-nobody-ever-issued';
  const tokens = [...Object.values(TOKENS), guess];

  await everything(tokens);
  ingest.clock.nowMs += 60_000;
  ingest.api.isDown = true; // reviews fail now, and say why
  await everything(tokens);
  ingest.api.isDown = false;
  ingest.store.close(); // a bug of ours: INTERNAL is logged with its causes
  ingest.clock.nowMs += 60_000;
  await gets(reportPagePath('shop', 'orders-cpu-1'), TOKENS.reader);
  await pushes(TOKENS.agentA, gzipped(aFreshBatch(ingest.clock.nowMs, { sequence: 7 })));

  const codes = new Set(answers.map(({ status, text }) => (status < 300 ? '200' : JSON.parse(text).code)));
  const expected = ['200', 'TOKEN_REJECTED', 'TOKEN_REVIEW_FAILED', 'BATCH_GZIP_BROKEN', 'BATCH_NOT_JSON'];
  for (const code of [...expected, 'INTERNAL']) assert(codes.has(code), `${code} of ${[...codes].join()}`);
  assert.match(ingest.logged(), /request refused/);
  assert.match(ingest.logged(), /request failed/);
  const told = [ingest.logged(), ...answers.map(everythingIn)].join('\n');
  const secrets = [...tokens, '-----BEGIN PRIVATE', '-----BEGIN EC PRIVATE', ...keysOf(ingest.api.objects)];
  for (const secret of secrets) assert(!told.includes(secret), `${secret} is told`);
});

const everythingIn = ({ headers, bytes }: Answer): string =>
  JSON.stringify(headers) +
  (headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString('utf8');

/** A line out of the middle of each private key of the Secrets, as Secrets hold them and as PEM. */
function keysOf(objects: ReadonlyMap<string, unknown>): readonly string[] {
  const secrets = [...objects].filter(([path]) => path.startsWith('secrets/'));
  const values = secrets.flatMap(([, secret]) =>
    Object.entries((secret as { data: Record<string, string> }).data),
  );
  const keys = values.filter(([name]) => name.endsWith('.key')).map(([, value]) => value);
  assert(keys.length > 0, 'no private key was made');
  return keys.flatMap((key) => {
    const line = Buffer.from(key, 'base64').toString().split('\n')[1] ?? '';
    assert(line.length > 20);
    return [key.slice(60, 120), line];
  });
}
