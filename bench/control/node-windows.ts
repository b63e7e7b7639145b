/** What the agent of one node would send: windows of recorded pods, each under the name of a service of its own. */
import { gzipSync } from 'node:zlib';
import { readRecording } from '../../src/cli/recording.ts';
import type { RouteWindow } from '../../src/requests/request-window.ts';
import type { Batch, PodWindow } from '../../src/wire/batch-schema.ts';
import type { RecordedWindow } from '../../src/wire/window-lines.ts';
import { namespaceOf, nodeName, type WatchedPod } from './size.ts';

/** Functions of the service itself, which no other service has; what is below them is everybody's. */
const OWN = /^(suspend )?shop\./;
const RECORDED_MS = 10_000;
const AGE_MS = 3_600_000;
const FEWEST_SAMPLES = 20; // others are of a JVM that starts, or rests
const ROUTES = ['/orders/{id}', '/stock/{sku}', '/customers/{id}/orders'];

export interface SentPod extends WatchedPod {
  readonly uid: string;
}

export interface SentWindow {
  readonly sequence: number;
  readonly startMs: number;
  readonly endMs: number;
}

export interface WindowSource {
  /** A gzipped batch, in pieces. What is in it is made before, by `prepare`. */
  batch(node: number, window: SentWindow): readonly Buffer[];
  prepare(node: number, pods: readonly SentPod[]): void;
}

/** All agents make their heads in the same moment and in one process, where each waits for all: packed as it is, one takes no time. */
const UNPACKED = { level: 0, windowBits: 9, memLevel: 1 } as const;
/** Nodes of the same services are alike beyond so many: making each its own takes longer than sending. */
const VARIANTS = 400;
/** Recorded windows that make up one; a first window of another length than these has what the next longer one has. */
const PARTS = [1, 3] as const;

export async function windowSource(recording: string, boot: string): Promise<WindowSource> {
  const { windows } = await readRecording(recording);
  const full = windows.filter(({ meta }) => meta.samples >= FEWEST_SAMPLES);
  const recorded = [...Map.groupBy(full, ({ meta }) => meta.pod).values()];
  const startedAtMs = Date.now() - AGE_MS;
  const contents = new Map<string, Content>();
  const made = new Map<string, Buffer>();
  const contentOf = (node: number, pods: readonly SentPod[], parts: number): Content => {
    const key = `${node % VARIANTS} ${parts} ${pods.map(({ service }) => service).join(' ')}`;
    const known = contents.get(key) ?? makeContent(node % VARIANTS, pods, { recorded, parts });
    contents.set(key, known);
    return known;
  };
  return {
    prepare(node, pods) {
      for (const parts of PARTS) {
        const { head, podWindows } = contentOf(node, pods, parts);
        const sent = pods.map((pod, at) => ({ ...podWindows[at], ...namesOf(pod, startedAtMs) }));
        made.set(`${node} ${parts}`, Buffer.concat([head, gzipSync(`"pods":${JSON.stringify(sent)}}`)]));
      }
    },
    batch(node, { endMs, sequence, startMs }) {
      const parts = PARTS.find((each) => endMs - startMs <= each * RECORDED_MS) ?? PARTS[1];
      const rest = made.get(`${node} ${parts}`);
      if (rest === undefined) throw new Error(`node ${node} was not prepared`);
      const head: Omit<Batch, 'stacks' | 'strings' | 'pods'> = {
        ...{ version: 1, node: nodeName(node), cpuModel: 'bench', boot, sequence, startMs, endMs },
        agent: {
          version: 'bench',
          cpuUsec: 50_000,
          rssBytes: 60_000_000,
          bpfRunNs: 1_000_000,
          windowsDropped: 0,
        },
      };
      // A gzip file may have several members, one after the other (RFC 1952, section 2.2).
      return [gzipSync(JSON.stringify(head).slice(0, -1), UNPACKED), rest];
    },
  };
}

/** Of nodes that are alike. */
interface Content {
  /** A gzip member: stacks and strings, with a comma before and after. */
  readonly head: Buffer;
  readonly podWindows: readonly Omit<PodWindow, keyof PodNames>[];
}

interface ContentOptions {
  /** Of each recorded pod. */
  readonly recorded: readonly (readonly RecordedWindow[])[];
  readonly parts: number;
}

/** The same for each window of a node: most of what real ones send is. */
function makeContent(node: number, pods: readonly SentPod[], { parts, recorded }: ContentOptions): Content {
  const names = tableOf<string>((name) => name);
  const stacks = tableOf<readonly number[]>((frames) => frames.join(' '));
  const podWindows = pods.map((pod, at) => {
    const ofPod = recorded[(node + at) % recorded.length] ?? [];
    const chosen = Array.from({ length: parts }, (_, part) => ofPod[(31 * node + at + part) % ofPod.length]);
    const windows = chosen.filter((window) => window !== undefined);
    const counts = new Map<number, number>();
    for (const { frames, count } of windows.flatMap((window) => [...window.stacks])) {
      const stack = stacks.idOf(frames.map((frame) => names.idOf(ofService(frame, pod.service))));
      counts.set(stack, (counts.get(stack) ?? 0) + count);
    }
    return podWindow(windows, [...counts]);
  });
  const tables = JSON.stringify({ strings: names.all, stacks: stacks.all });
  return { head: gzipSync(`,${tables.slice(1, -1)},`), podWindows };
}

function namesOf(pod: SentPod, startedAtMs: number): PodNames {
  const namespace = namespaceOf(pod.service);
  const containerId = `${namespace}-${pod.name}`;
  return { namespace, pod: pod.name, podUid: pod.uid, containerId, startedAtMs };
}

const ofService = (frame: string, service: number): string =>
  OWN.test(frame) ? frame.replace('shop.', `shop.team${service}.`) : frame;

/** Of a pod, and no other's. */
type PodNames = Pick<PodWindow, 'namespace' | 'pod' | 'podUid' | 'containerId' | 'startedAtMs'>;

function podWindow(
  windows: readonly RecordedWindow[],
  counts: [number, number][],
): Omit<PodWindow, keyof PodNames> {
  const [first] = windows;
  if (first === undefined) throw new Error('the recording has no windows');
  const cpuUsec = windows.reduce((sum, { meta }) => sum + meta.cpuUsec, 0);
  const samples = counts.reduce((sum, [, count]) => sum + count, 0);
  return {
    ...{ container: 'shop', hz: first.meta.hz, cpuUsec, throttledUsec: 0, samples },
    losses: { ringFull: 0, tableFull: 0, noUserStack: 0, truncated: 0, unnamed: 0 },
    jvm: {
      state: 'Profiled',
      reason: 'VmStructs',
      message: '',
      jdk: '25.0.3',
      flags: [],
      symbols: 'VmStructs',
      leaf: 'Exact',
    },
    java: { samples, interpreted: 0 },
    requests: {
      ...{ state: 'Seen', reason: '', message: '', lost: 0 },
      routes: ROUTES.map(routeRow(windows.length)),
    },
    counts,
  };
}

/** Thirty requests of a route in each recorded window, in neighbouring buckets of a packed sketch. */
const routeRow =
  (parts: number) =>
  (route: string, at: number): RouteWindow => {
    const buckets = Array.from({ length: 10 }, (_, bucket) => [bucket === 0 ? 300 + 40 * at : 1, 3 * parts]);
    return {
      ...{ method: 'GET', route, answers: [0, 0, 30 * parts, 0, 0, 0] },
      ...{ clientGone: 0, unfinished: 0, reset: 0, latency: buckets.flat(), waited: [] },
    };
  };

function tableOf<T>(keyOf: (value: T) => string): { readonly all: T[]; idOf(value: T): number } {
  const ids = new Map<string, number>();
  const all: T[] = [];
  return {
    all,
    idOf(value) {
      const key = keyOf(value);
      const known = ids.get(key);
      if (known !== undefined) return known;
      ids.set(key, all.length);
      all.push(value);
      return all.length - 1;
    },
  };
}
