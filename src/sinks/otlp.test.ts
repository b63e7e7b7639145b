/** Profiles by OTLP to a real Collector, and what a sink answers. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { PbfWriter } from 'pbf';
import { aCollector } from '../../test/otel-collector/collector.ts';
import { createPprof } from '../profile/pprof-writer.ts';
import { type OtlpSignal, packedForOtlp, sendByOtlp } from './otlp.ts';
import { otlpProfile } from './otlp-profile.ts';

const START = Date.parse('2026-11-26T12:00:00Z');
const ID = Uint8Array.from({ length: 16 }, (_, at) => at + 1);

const frame = (name: string, place = '') => ({ name, place });

async function send(endpoint: string, signal: OtlpSignal, request: Uint8Array) {
  const options = { address: { name: 'collector', endpoint }, credentialsDirectory: '' };
  return sendByOtlp(options, signal, await packedForOtlp(request), AbortSignal.timeout(20_000));
}

test('a real Collector takes a profile, with each stack once, its places and kinds of code', async (t) => {
  const collector = await aCollector(t);
  const pprof = createPprof(10_000_000);
  const main = frame('shop.Main.main', 'Main.kt:3');
  pprof.add([frame('shop.Codec.encode', 'Codec.kt:87'), main], 5);
  pprof.add([frame('shop.Codec.encode', 'Codec.kt:91'), main], 2);
  pprof.add([frame('tcp_sendmsg_[k]'), frame('malloc [libc.so.6]'), main], 3);
  pprof.add([frame('shop.Codec.encode', 'Codec.kt:87'), main], 4);
  const time = { startMs: START, endMs: START + 30_000 };
  const attributes = { 'service.name': 'orders', 'container.image.tags': ['2'] };

  const request = otlpProfile(pprof.finish(time), { attributes, id: ID });
  assert.deepEqual(await send(collector.endpoint, 'profiles', request), { kind: 'taken' });

  assert.deepEqual(collector.exported().profiles, [
    {
      resource: attributes,
      ...{ sampleType: 'cpu nanoseconds', periodType: 'cpu nanoseconds', period: 10_000_000 },
      ...{ timeMs: START, durationMs: 30_000, id: '0102030405060708090a0b0c0d0e0f10', samples: 3 },
      stacks: {
        'shop.Main.main(Main.kt:3);shop.Codec.encode(Codec.kt:87)': 90_000_000,
        'shop.Main.main(Main.kt:3);shop.Codec.encode(Codec.kt:91)': 20_000_000,
        'shop.Main.main(Main.kt:3);malloc [libc.so.6];tcp_sendmsg_[k]': 30_000_000,
      },
      frameTypes: {
        'shop.Codec.encode': 'profile.frame.type jvm',
        'shop.Main.main': 'profile.frame.type jvm',
        'tcp_sendmsg_[k]': 'profile.frame.type kernel',
        'malloc [libc.so.6]': 'profile.frame.type native',
      },
      beginsWithNothing: true,
    },
  ]);
});

test('what a real Collector cannot read is refused, and not tried again', async (t) => {
  const collector = await aCollector(t);

  for (const signal of ['profiles', 'metrics'] as const) {
    const answer = await send(collector.endpoint, signal, Buffer.from([0xff, 0xff]));
    assert.deepEqual(answer, { kind: 'refused', reason: 'HTTP400' }, signal);
  }
});

async function anEnd(t: TestContext, body: Uint8Array): Promise<string> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(200).end(body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return `http://127.0.0.1:${port}/otlp`;
}

test('an answer that says some of it was not wanted counts as a refusal', async (t) => {
  const partial = (rejected: number) => {
    const to = new PbfWriter();
    to.writeMessage(1, (value: number, of) => of.writeVarintField(1, value), rejected);
    to.writeMessage(2, (text: string, of) => of.writeStringField(2, text), 'words of the server');
    return to.finish();
  };
  const answers = [
    [partial(3), { kind: 'refused', reason: 'PartialSuccess' }],
    [partial(0), { kind: 'taken' }],
    [new Uint8Array(0), { kind: 'taken' }],
    [Buffer.from('<html>no protobuf</html>'), { kind: 'taken' }],
  ] as const;

  for (const [body, expected] of answers) {
    assert.deepEqual(await send(await anEnd(t, body), 'metrics', new Uint8Array(1)), expected);
  }
});
