import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parsePayload, readPayload } from './flagger-payload.ts';
import { Refusal } from './refusal.ts';
import { thrownForCrawl } from './testing/crawling-body.ts';

test('of what Flagger sends the name and the namespace of the Canary are read', () => {
  const metadata = { gate: 'another', namespace: 'kube-system' };
  const payload = { name: 'orders', namespace: 'shop', phase: 'Progressing', checksum: '5d8f9c', metadata };

  assert.deepEqual(parsePayload(JSON.stringify(payload)), { namespace: 'shop', name: 'orders' });
});

test('names that no object can have are refused, and so is everything that is no payload', () => {
  const texts = fc.oneof(
    fc.string(),
    fc.json(),
    fc.json().map((json) => `{"name":"orders","namespace":${json}}`),
  );

  fc.assert(
    fc.property(texts, (text) => {
      try {
        const { name, namespace } = parsePayload(text);
        assert.match(`${namespace}/${name}`, /^[a-z0-9-]{1,63}\/[a-z0-9.-]{1,253}$/);
      } catch (error) {
        assert(error instanceof Refusal, String(error));
        assert.equal(`${error.status} ${error.code}`, '400 WEBHOOK_INVALID');
      }
    }),
    { numRuns: 1_000 },
  );
  for (const text of ['', '[]', 'null', '{}', '{"name":"a"}', '{"name":"a","namespace":["shop"]}']) {
    assert.throws(() => parsePayload(text), { code: 'WEBHOOK_INVALID' }, text);
  }
});

test('a body that does not come is waited for no longer than is said', async (t) => {
  const error = await thrownForCrawl(t, (request) => readPayload(request, 20), {
    ...{ start: Buffer.from('{'), headers: { 'content-type': 'application/json' } },
  });

  assert(error instanceof Refusal);
  assert.deepEqual([error.status, error.code], [408, 'WEBHOOK_INVALID']);
});
