/** The sinks that an agent sends to, and what waits for each. */
import { isDeepStrictEqual, promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { createDelivery, type Delivery } from '../sinks/delivery.ts';
import { type PushedProfile, PYROSCOPE_LIMITS, pushProfiles } from '../sinks/pyroscope.ts';
import { REMOTE_WRITE_LIMITS, writeRemotely } from '../sinks/remote-write.ts';
import { snappyBlock } from '../sinks/snappy.ts';
import type { MetricsSink, SinkAddress } from '../wire/sinks.ts';
import { createOpenProfiles, type EndedProfile } from './open-profiles.ts';
import { profileLabels } from './profile-labels.ts';
import type { SinkHost, SinkHostOptions } from './sink-host.ts';
import { writeRequests } from './write-requests.ts';

export type RunningSinks = SinkHost;

const packed = promisify(gzip);
const WRITE_EVERY_MS = 30_000;
/** Of a page that has them both; what a scrape would have set. */
const JOB = 'flamegate-agent';

export function startSinks(options: SinkHostOptions): RunningSinks {
  const { nodeName, credentialsDirectory, log, now, random } = options;
  const profiles = createOpenProfiles();
  const profileSinks = namedSinks((address) =>
    createDelivery<PushedProfile>({
      ...{ limits: PYROSCOPE_LIMITS, now, random },
      bytesOf: ({ pprof }) => pprof.length,
      send: (items, signal) => pushProfiles({ address, credentialsDirectory }, items, signal),
      failed: (reason, items) =>
        log.warn({ sink: address.name, profiles: items, reason }, 'profiles not sent'),
    }),
  );
  const metricsSinks = namedSinks<Uint8Array, MetricsSink>((address) =>
    createDelivery<Uint8Array>({
      ...{ limits: REMOTE_WRITE_LIMITS, now, random },
      bytesOf: ({ length }) => length,
      send: ([request = new Uint8Array()], signal) =>
        writeRemotely({ address, credentialsDirectory }, request, signal),
      failed: (reason) => log.warn({ sink: address.name, reason }, 'metrics not written'),
    }),
  );
  let packing = Promise.resolve();

  const queue = async ({ container, pprof }: EndedProfile) => {
    const sinks = (container.profiles?.sinks ?? []).flatMap((name) => profileSinks.open.get(name) ?? []);
    if (sinks.length === 0) return;
    const id = uuid(options.randomBytes(16));
    const profile = { labels: profileLabels(container, nodeName), pprof: await packed(pprof), id };
    for (const { delivery } of sinks) delivery.add(profile);
  };
  /** One after the other, so that no two of them stand in memory unpacked and packed. */
  const pack = (ended: readonly EndedProfile[]) => {
    packing = packing
      .then(async () => {
        for (const profile of ended) await queue(profile);
      })
      .catch((err: unknown) => log.warn({ err }, 'profiles not packed'));
  };
  const writeMetrics = () => {
    for (const { address, delivery } of metricsSinks.open.values()) {
      const labels = { job: JOB, instance: nodeName };
      const { histograms } = address;
      const page = writeRequests(options.families(), { labels, histograms, timestampMs: now() });
      for (const request of page) delivery.add(snappyBlock(request));
    }
  };
  const writing = setInterval(writeMetrics, WRITE_EVERY_MS);
  return {
    sendTo(sinks) {
      profileSinks.be(sinks?.profiles ?? []);
      metricsSinks.be(sinks?.metrics ?? []);
    },
    profileOf(container, hz) {
      const isWanted = container.profiles?.sinks.some((name) => profileSinks.open.has(name)) === true;
      return isWanted ? profiles.of(container, hz) : undefined;
    },
    windowClosed(startMs, endMs) {
      pack(profiles.windowClosed(startMs, endMs));
    },
    reports: () =>
      [...profileSinks.open.values(), ...metricsSinks.open.values()].map(({ address, delivery }) => ({
        name: address.name,
        ...delivery.report(),
      })),
    async stop(last) {
      clearInterval(writing);
      writeMetrics();
      pack(profiles.end());
      await packing;
      await Promise.all([profileSinks.stop(last), metricsSinks.stop(last)]);
    },
  };
}

interface OpenSink<Item, Address> {
  readonly address: Address;
  readonly delivery: Delivery<Item>;
}

/** Those that the settings name, by their names. */
function namedSinks<Item, Address extends SinkAddress>(make: (address: Address) => Delivery<Item>) {
  const open = new Map<string, OpenSink<Item, Address>>();
  const close = async (name: string, last: AbortSignal) => {
    const sink = open.get(name);
    open.delete(name);
    await sink?.delivery.stop(last);
  };
  return {
    open: open as ReadonlyMap<string, OpenSink<Item, Address>>,
    /** Those that stay as they are keep what waits. */
    be(addresses: readonly Address[]) {
      const wanted = new Map(addresses.map((address) => [address.name, address]));
      for (const [name, { address }] of [...open]) {
        const isSame = isDeepStrictEqual(wanted.get(name), address);
        if (!isSame) void close(name, AbortSignal.abort()); // it ends at once, and throws nothing
      }
      for (const [name, address] of wanted) {
        if (open.has(name)) continue;
        const delivery = make(address);
        delivery.start();
        open.set(name, { address, delivery });
      }
    },
    stop: (last: AbortSignal) => Promise.all([...open.keys()].map((name) => close(name, last))),
  };
}

/** RFC 9562, version 4. node:crypto's own loads WebCrypto. */
function uuid(random: Buffer): string {
  random.writeUInt8((random.readUInt8(6) & 0x0f) | 0x40, 6);
  random.writeUInt8((random.readUInt8(8) & 0x3f) | 0x80, 8);
  return random.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
