/** Profiles as Pyroscope's own handler takes them and pprof's own package reads them. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { aReceivers } from '../../test/sinks/receivers.ts';
import { createPprof } from '../profile/pprof-writer.ts';
import type { SinkAddress } from '../wire/sinks.ts';
import { type PushedProfile, pushProfiles } from './pyroscope.ts';

const frame = (name: string, place = '') => ({ name, place });
const WORK = [frame('shop.Codec.encode_[s]', 'Codec.kt:~87'), frame('shop.Main.main', 'Main.kt:3')];
const READ = [frame('vfs_read_[k]'), frame('read [libc.so.6]'), frame('shop.Main.main', 'Main.kt:3')];
const START_MS = Date.UTC(2026, 10, 26, 12);

function aProfile(labels: Record<string, string> = {}, pprof = createPprof(20_000_000)): PushedProfile {
  pprof.add(WORK, 30);
  pprof.add(READ, 2);
  pprof.add(WORK, 1);
  const bytes = pprof.finish({ startMs: START_MS, endMs: START_MS + 30_000 });
  const named = { __name__: 'process_cpu', service_name: 'orders', namespace: 'shop', ...labels };
  return { labels: named, pprof: gzipSync(bytes), id: '734fd599-6865-419e-9475-932762d8f469' };
}

function credentials(t: TestContext, files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'flamegate-credentials-'));
  t.after(() => rmSync(directory, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  return directory;
}

test('a profile arrives with its stacks, places, totals, times and labels', async (t) => {
  const server = await aReceivers(t);
  const address = { name: 'pyroscope', endpoint: server.endpoint };

  const answer = await pushProfiles(
    { address, credentialsDirectory: '/nowhere' },
    [aProfile(), aProfile({ service_name: 'carts' })],
    new AbortController().signal,
  );

  assert.deepEqual(answer, { kind: 'taken' });
  const [push] = (await server.received()).pushes;
  assert.deepEqual(push?.headers, {
    ...{ Authorization: '', 'X-Scope-OrgID': '', 'User-Agent': 'flamegate' },
    'Content-Type': 'application/proto',
  });
  assert.deepEqual(
    push.profiles.map(({ labels }) => labels['service_name']),
    ['orders', 'carts'],
  );
  assert.deepEqual(push.profiles[0], {
    labels: { __name__: 'process_cpu', service_name: 'orders', namespace: 'shop' },
    ...{ sampleType: 'cpu/nanoseconds', periodType: 'cpu/nanoseconds', period: 20_000_000 },
    ...{ timeNanos: START_MS * 1e6, durationNanos: 30e9, total: 660_000_000 },
    stacks: {
      'shop.Main.main(Main.kt:3);shop.Codec.encode_[s](Codec.kt:87)': 620_000_000,
      'shop.Main.main(Main.kt:3);read [libc.so.6];vfs_read_[k]': 40_000_000,
    },
  });
});

test('go tool pprof reads it', async (t) => {
  const file = join(credentials(t, {}), 'cpu.pb.gz');
  writeFileSync(file, aProfile().pprof);

  const top = execFileSync('go', ['tool', 'pprof', '-top', '-unit=ms', file], { encoding: 'utf8' });

  assert.match(top, /Type: cpu/);
  assert.match(top, /Duration: 30s, Total samples = 660ms/);
  assert.match(top, /620ms .* shop\.Codec\.encode/);
});

test('what a profile has no room for is one frame, and the total stays', async (t) => {
  const server = await aReceivers(t);
  const pprof = createPprof(1);
  const deep = Array.from({ length: 1_100 }, (_, at) => frame(`deep${at}`));
  pprof.add(deep, 5);
  for (let at = 0; at < 20_000; at++) pprof.add([frame(`shop.Generated${at}.run`)], 1);

  const address = { name: 'pyroscope', endpoint: server.endpoint };
  await pushProfiles(
    { address, credentialsDirectory: '' },
    [aProfile({}, pprof)],
    new AbortController().signal,
  );

  const profile = (await server.received()).pushes[0]?.profiles[0];
  const stacks = Object.entries(profile?.stacks ?? {});
  assert.equal(profile?.total, 20_038);
  assert.equal(profile.stacks['[other]'], 20_038 - 5 - 15_998);
  assert.equal(stacks.length, 16_000);
  const longest = stacks.map(([stack]) => stack.split(';')).find((stack) => stack.length > 2);
  assert.deepEqual([longest?.length, longest?.[0], longest?.at(-1)], [1_000, '[truncated]', 'deep0']);
});

test('who asks for a tenant and a password gets them, and no reason tells them', async (t) => {
  const server = await aReceivers(t);
  const credentialsDirectory = credentials(t, { cloud: '1234:glc_secret\n', broken: 'two\nlines' });
  const to = (fields: Partial<SinkAddress>) =>
    pushProfiles(
      { address: { name: 'cloud', endpoint: server.endpoint, ...fields }, credentialsDirectory },
      [aProfile()],
      new AbortController().signal,
    );

  const basic = await to({ tenant: 'team-a', authorization: { kind: 'Basic', file: 'cloud' } });
  const answers = await Promise.all([
    to({ authorization: { kind: 'Bearer', file: 'missing' } }),
    to({ authorization: { kind: 'Bearer', file: 'broken' } }),
    to({ endpoint: `${server.endpoint}/elsewhere` }),
    to({ endpoint: 'http://127.0.0.1:1' }),
  ]);

  assert.deepEqual(basic, { kind: 'taken' });
  const [push] = (await server.received()).pushes;
  assert.equal(push?.headers['X-Scope-OrgID'], 'team-a');
  assert.equal(push.headers['Authorization'], `Basic ${Buffer.from('1234:glc_secret').toString('base64')}`);
  assert.deepEqual(
    answers.map(({ kind, ...rest }) => [kind, 'reason' in rest && rest.reason]),
    [
      ['later', 'CredentialsUnreadable'],
      ['later', 'CredentialsUnreadable'],
      ['refused', 'HTTP404'],
      ['later', 'Unreachable:ECONNREFUSED'],
    ],
  );
});
