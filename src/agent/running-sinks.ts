/** The sinks that an agent sends to, and what waits for each. */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { createDelivery } from '../sinks/delivery.ts';
import { namedSinks } from '../sinks/named-sinks.ts';
import { OTLP_METRICS_LIMITS, OTLP_PROFILES_LIMITS, packedForOtlp, sendByOtlp } from '../sinks/otlp.ts';
import { otlpMetrics } from '../sinks/otlp-metrics.ts';
import { otlpProfile } from '../sinks/otlp-profile.ts';
import { type PushedProfile, PYROSCOPE_LIMITS, pushProfiles } from '../sinks/pyroscope.ts';
import { REMOTE_WRITE_LIMITS, writeRemotely } from '../sinks/remote-write.ts';
import { snappyBlock } from '../sinks/snappy.ts';
import type { MetricsSink, ProfilesSink, SinkAddress } from '../wire/sinks.ts';
import { createOpenProfiles, type EndedProfile } from './open-profiles.ts';
import { otlpPage } from './otlp-page.ts';
import { profileAttributes, profileLabels } from './profile-labels.ts';
import type { SinkHost, SinkHostOptions } from './sink-host.ts';
import { writeRequests } from './write-requests.ts';

export type RunningSinks = SinkHost;

const packed = promisify(gzip);
const WRITE_EVERY_MS = 30_000;
/** Of a page that has them both; what a scrape would have set. */
const JOB = 'flamegate-agent';

/** `startedMs`: since when the page of metrics counts. */
export function startSinks(options: SinkHostOptions, startedMs: number): RunningSinks {
  const { nodeName, log, now } = options;
  const profiles = createOpenProfiles();
  const { pyroscope, otlpProfiles, remoteWrite, otlpSeries } = allSinks(options);
  const groups = [pyroscope, otlpProfiles, remoteWrite, otlpSeries];
  let packing = Promise.resolve();

  /** Each form is made once, and only where a sink takes it. */
  const queue = async ({ container, pprof }: EndedProfile) => {
    const names = container.profiles?.sinks ?? [];
    const toPyroscope = names.flatMap((name) => pyroscope.open.get(name) ?? []);
    const toOtlp = names.flatMap((name) => otlpProfiles.open.get(name) ?? []);
    const id = options.randomBytes(16);
    if (toPyroscope.length > 0) {
      const labels = profileLabels(container, nodeName);
      const profile = { labels, pprof: await packed(pprof), id: uuid(id) };
      for (const { delivery } of toPyroscope) delivery.add(profile);
    }
    if (toOtlp.length > 0) {
      const attributes = profileAttributes(container, nodeName);
      const request = await packedForOtlp(otlpProfile(pprof, { attributes, id }));
      for (const { delivery } of toOtlp) delivery.add(request);
    }
  };
  /** One after the other, so that no two of them stand in memory unpacked and packed. */
  const enqueue = (work: () => Promise<void>) => {
    packing = packing.then(work).catch((err: unknown) => log.warn({ err }, 'not packed for a sink'));
  };
  const pack = (ended: readonly EndedProfile[]) =>
    enqueue(async () => {
      for (const profile of ended) await queue(profile);
    });
  const writeMetrics = () => {
    for (const { address, delivery } of remoteWrite.open.values()) {
      const labels = { job: JOB, instance: nodeName };
      const { histograms } = address;
      const page = writeRequests(options.families(), { labels, histograms, timestampMs: now() });
      for (const request of page) delivery.add(snappyBlock(request));
    }
    for (const { address, delivery } of otlpSeries.open.values()) {
      const attributes = { 'service.name': JOB, 'service.instance.id': nodeName, 'k8s.node.name': nodeName };
      const page = otlpPage(options.families(), { attributes, histograms: address.histograms });
      const requests = [...otlpMetrics(page, { startMs: startedMs, nowMs: now() })];
      enqueue(async () => {
        for (const request of requests) delivery.add(await packedForOtlp(request));
      });
    }
  };
  const writing = setInterval(writeMetrics, WRITE_EVERY_MS);
  return {
    sendTo(sinks) {
      const { profiles: ofProfiles = [], metrics = [] } = sinks ?? {};
      pyroscope.be(ofProfiles.filter(({ kind }) => kind === 'Pyroscope'));
      otlpProfiles.be(ofProfiles.filter(({ kind }) => kind === 'Otlp'));
      remoteWrite.be(metrics.filter(({ kind }) => kind === 'RemoteWrite'));
      otlpSeries.be(metrics.filter(({ kind }) => kind === 'Otlp'));
    },
    profileOf(container, hz) {
      const isWanted = container.profiles?.sinks.some(
        (name) => pyroscope.open.has(name) || otlpProfiles.open.has(name),
      );
      return isWanted ? profiles.of(container, hz) : undefined;
    },
    windowClosed(startMs, endMs) {
      pack(profiles.windowClosed(startMs, endMs));
    },
    reports: () =>
      groups.flatMap(({ open }) => [...open].map(([name, { delivery }]) => ({ name, ...delivery.report() }))),
    async stop(last) {
      clearInterval(writing);
      writeMetrics();
      pack(profiles.end());
      await packing;
      await Promise.all(groups.map((group) => group.stop(last)));
    },
  };
}

function allSinks({ credentialsDirectory, log, now, random }: SinkHostOptions) {
  const clock = { now, random };
  const profilesNotSent =
    ({ name }: SinkAddress) =>
    (reason: string, items: number) =>
      log.warn({ sink: name, profiles: items, reason }, 'profiles not sent');
  const metricsNotSent =
    ({ name }: SinkAddress) =>
    (reason: string) =>
      log.warn({ sink: name, reason }, 'metrics not written');
  const lengthOf = ({ length }: Uint8Array): number => length;
  return {
    pyroscope: namedSinks<PushedProfile, ProfilesSink>((address) =>
      createDelivery({
        ...{ ...clock, limits: PYROSCOPE_LIMITS, failed: profilesNotSent(address) },
        bytesOf: ({ pprof }) => pprof.length,
        send: (items, signal) => pushProfiles({ address, credentialsDirectory }, items, signal),
      }),
    ),
    otlpProfiles: namedSinks<Uint8Array, ProfilesSink>((address) =>
      createDelivery({
        ...{ ...clock, limits: OTLP_PROFILES_LIMITS, bytesOf: lengthOf, failed: profilesNotSent(address) },
        send: ([request = new Uint8Array()], signal) =>
          sendByOtlp({ address, credentialsDirectory }, 'profiles', request, signal),
      }),
    ),
    remoteWrite: namedSinks<Uint8Array, MetricsSink>((address) =>
      createDelivery({
        ...{ ...clock, limits: REMOTE_WRITE_LIMITS, bytesOf: lengthOf, failed: metricsNotSent(address) },
        send: ([request = new Uint8Array()], signal) =>
          writeRemotely({ address, credentialsDirectory }, request, signal),
      }),
    ),
    otlpSeries: namedSinks<Uint8Array, MetricsSink>((address) =>
      createDelivery({
        ...{ ...clock, limits: OTLP_METRICS_LIMITS, bytesOf: lengthOf, failed: metricsNotSent(address) },
        send: ([request = new Uint8Array()], signal) =>
          sendByOtlp({ address, credentialsDirectory }, 'metrics', request, signal),
      }),
    ),
  };
}

/** RFC 9562, version 4. node:crypto's own loads WebCrypto. */
function uuid(random: Buffer): string {
  random.writeUInt8((random.readUInt8(6) & 0x0f) | 0x40, 6);
  random.writeUInt8((random.readUInt8(8) & 0x3f) | 0x80, 8);
  return random.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
