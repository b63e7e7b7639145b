/** The sinks that an agent sends to, and what waits for each. */
import { isDeepStrictEqual, promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { createDelivery, type Delivery } from '../sinks/delivery.ts';
import { type PushedProfile, PYROSCOPE_LIMITS, pushProfiles } from '../sinks/pyroscope.ts';
import type { SinkAddress } from '../wire/sinks.ts';
import { createOpenProfiles, type EndedProfile } from './open-profiles.ts';
import { profileLabels } from './profile-labels.ts';
import type { SinkHost, SinkHostOptions } from './sink-host.ts';

export type RunningSinks = SinkHost;

interface OpenSink {
  readonly address: SinkAddress;
  readonly delivery: Delivery<PushedProfile>;
}

const packed = promisify(gzip);

export function startSinks(options: SinkHostOptions): RunningSinks {
  const { nodeName, credentialsDirectory, log, now, random } = options;
  const profiles = createOpenProfiles();
  const open = new Map<string, OpenSink>();
  let packing = Promise.resolve();

  const start = (address: SinkAddress) => {
    const delivery = createDelivery<PushedProfile>({
      ...{ limits: PYROSCOPE_LIMITS, now, random },
      bytesOf: ({ pprof }) => pprof.length,
      send: (items, signal) => pushProfiles({ address, credentialsDirectory }, items, signal),
      failed: (reason, items) =>
        log.warn({ sink: address.name, profiles: items, reason }, 'profiles not sent'),
    });
    delivery.start();
    open.set(address.name, { address, delivery });
  };
  const close = async ({ address, delivery }: OpenSink, last: AbortSignal) => {
    open.delete(address.name);
    await delivery.stop(last);
  };
  /** One after the other, so that no two of them stand in memory unpacked and packed. */
  const pack = (ended: readonly EndedProfile[]) => {
    packing = packing
      .then(async () => {
        for (const profile of ended) await queue(profile);
      })
      .catch((err: unknown) => log.warn({ err }, 'profiles not packed'));
  };
  const queue = async ({ container, pprof }: EndedProfile) => {
    const sinks = (container.profiles?.sinks ?? []).flatMap((name) => open.get(name) ?? []);
    if (sinks.length === 0) return;
    const id = uuid(options.randomBytes(16));
    const profile = { labels: profileLabels(container, nodeName), pprof: await packed(pprof), id };
    for (const { delivery } of sinks) delivery.add(profile);
  };
  return {
    sendTo(sinks) {
      const wanted = new Map((sinks?.profiles ?? []).map((address) => [address.name, address]));
      for (const sink of [...open.values()]) {
        const same = isDeepStrictEqual(wanted.get(sink.address.name), sink.address);
        if (!same) void close(sink, AbortSignal.abort()); // its waits end at once, and nothing is thrown
      }
      for (const [name, address] of wanted) if (!open.has(name)) start(address);
    },
    profileOf(container, hz) {
      const isWanted = container.profiles?.sinks.some((name) => open.has(name)) === true;
      return isWanted ? profiles.of(container, hz) : undefined;
    },
    windowClosed(startMs, endMs) {
      pack(profiles.windowClosed(startMs, endMs));
    },
    reports: () =>
      [...open.values()].map(({ address: { name }, delivery }) => ({ name, ...delivery.report() })),
    async stop(last) {
      pack(profiles.end());
      await packing;
      await Promise.all([...open.values()].map((sink) => close(sink, last)));
    },
  };
}

/** RFC 9562, version 4. node:crypto's own loads WebCrypto. */
function uuid(random: Buffer): string {
  random.writeUInt8((random.readUInt8(6) & 0x0f) | 0x40, 6);
  random.writeUInt8((random.readUInt8(8) & 0x3f) | 0x80, 8);
  return random.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
