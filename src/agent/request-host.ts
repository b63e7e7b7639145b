/** Watches the requests of the containers of which the assignment wants them, while there are any; tries again every 30 s. */
import {
  type HiddenCalls,
  openRequestWatcher,
  type RequestWatcher,
  type RequestWatcherOptions,
} from '../native/request-watcher.ts';
import type { CountedAs } from '../requests/request-tally.ts';
import type { RequestWindow } from '../requests/request-window.ts';
import { type SpanCandidate, SpanSample } from '../requests/span-sample.ts';
import { codeOf, messageOf } from './agent-error.ts';
import type { Answerer } from './answerer.ts';
import { ContainerRequests, NOTHING_HIDDEN } from './container-requests.ts';
import type { ContainerServed, OpenRequests } from './container-served.ts';
import type { Jvm } from './jvm.ts';
import type { AgentLog } from './log.ts';
import type { RequestDurations } from './request-durations.ts';
import type { SamplerFailure } from './sampler-host.ts';
import type { TrackedContainer } from './tracked-container.ts';

type Asking = Pick<TrackedContainer, 'assigned' | 'targets' | 'processes'>;

/** What was seen of a container's requests. */
export interface SeenRequests {
  readonly window: RequestWindow;
  /** Finds which of its samples belong to which of them. */
  readonly served: ContainerServed;
  readonly now: OpenRequests;
}

export interface RequestHost {
  /** False while nothing is to be watched, and while it cannot be. */
  readonly isOpen: boolean;
  /** Makes it watch those of these that are to be, and no others, and counts what finished meanwhile. */
  watch(containers: readonly Asking[], nowMs: number): void;
  /** What was seen since the last call, by container id; of every container that was to be watched. */
  take(): ReadonlyMap<string, SeenRequests>;
  close(): void;
}

export interface RequestHostOptions {
  readonly requestsObjectPath: string;
  readonly addonPath: string;
  /** What targets of containers are. Sockets belong to cgroups, of version 2. */
  readonly filter: 'cgroup' | 'pid';
  readonly log: AgentLog;
  /** Where each request is counted for as long as its container is watched. */
  readonly durations: RequestDurations;
  /** Takes those of each window that are to be spans, while the install has a place for them. */
  readonly spans: {
    readonly isOpen: boolean;
    add(answerer: Answerer, candidates: readonly SpanCandidate[]): void;
  };
}

const RETRY_MS = 30_000;
const SIZES = {
  ringBytes: 512 * 1024, // emptied every 100 ms: 5,000 requests a second of a kilobyte
  maxContainers: 4_096, // 512 containers with child cgroups; an entry is made when it is used
  maxConnections: 16_384, // entries are made when they are used: 8 MB of the kernel and here at the worst, of HTTP/2 70
  maxExchanges: 32_768, // in the two seconds between two looks; 6 MB at the worst
} satisfies Partial<RequestWatcherOptions>;
const NO_CGROUP2: SamplerFailure = {
  code: 'NoCgroup2',
  message: 'requests are found by cgroups of version 2, which this node does not have',
};

/** A cgroup that is watched, under a number of its own. */
interface WatchedCgroup {
  readonly number: number;
  readonly owner: ContainerRequests;
  /** What was hidden when it was last asked. */
  hidden: HiddenCalls;
}

export function createRequestHost(options: RequestHostOptions): RequestHost {
  const containers = new Map<string, ContainerRequests>();
  const cgroups = new Map<bigint, WatchedCgroup>();
  const owners = new Map<number, ContainerRequests>();
  const stops = new Map<number, Jvm>();
  let asking = new Map<string, Asking>();
  let watcher: RequestWatcher | undefined;
  let failure = options.filter === 'pid' ? NO_CGROUP2 : undefined;
  let failedMs = Number.NEGATIVE_INFINITY;
  let nextNumber = 0;
  let lostBefore = 0;

  const drain = () => {
    if (!watcher) return;
    for (const exchange of watcher.take()) {
      const owner = owners.get(exchange.container);
      const as = owner?.add(exchange);
      if (!as) continue;
      owner?.served.log.add(exchange, as);
      owner?.spans?.add(exchange, as);
    }
    for (const [id, cgroup] of cgroups) {
      const now = watcher.hidden(id);
      cgroup.owner.hide(hiddenSince(cgroup.hidden, now));
      cgroup.hidden = now;
    }
    const lost = lostUntilNow(watcher);
    spread(lost - lostBefore, [...new Set(owners.values())]);
    lostBefore = lost;
  };
  const open = (): RequestWatcher => {
    const { requestsObjectPath, addonPath, log } = options;
    const opened = openRequestWatcher({ objectPath: requestsObjectPath, addonPath, ...SIZES });
    lostBefore = 0;
    log.info({ hooks: opened.hooks }, 'requests are watched');
    return opened;
  };
  const close = () => {
    watcher?.close();
    watcher = undefined;
    cgroups.clear();
    owners.clear();
    stops.clear();
  };
  const end = (wanted: ReadonlyMap<bigint, ContainerRequests>) => {
    const ended = [...cgroups].filter(([id, { owner }]) => wanted.get(id) !== owner);
    for (const [id] of ended) {
      watcher?.unwatch(id);
      cgroups.delete(id);
    }
    if (ended.length > 0) drain(); // what finished until now is still theirs
    for (const [, { number }] of ended) owners.delete(number);
  };
  const countStops = (of: RequestWatcher) => {
    const jvms = [...asking.values()]
      .flatMap(({ processes }) => [...processes.values()])
      .flatMap(({ jvm }) => jvm ?? []);
    const wanted = new Map(jvms.map((jvm) => [jvm.facts.pid, jvm]));
    for (const [pid, jvm] of stops) {
      if (wanted.get(pid) === jvm) continue;
      of.forgetStops(pid);
      stops.delete(pid);
    }
    for (const [pid, jvm] of wanted) {
      if (stops.has(pid) || jvm.stopCounter === undefined || stops.size >= SIZES.maxContainers) continue;
      of.countStops(pid, jvm.stopCounter);
      stops.set(pid, jvm);
    }
  };
  const begin = (to: RequestWatcher, wanted: ReadonlyMap<bigint, ContainerRequests>) => {
    for (const [id, owner] of wanted) {
      if (cgroups.has(id)) continue;
      const number = nextNumber++;
      to.watch(id, number);
      cgroups.set(id, { number, owner, hidden: NOTHING_HIDDEN });
      owners.set(number, owner);
    }
  };
  return {
    get isOpen() {
      return watcher !== undefined;
    },
    watch(all, nowMs) {
      drain();
      const asked = all.filter(({ assigned }) => assigned.requests !== undefined);
      asking = new Map(asked.map((each) => [each.assigned.containerId, each]));
      for (const each of asked) {
        const admitted = admit(containers, each, options.durations);
        if (!options.spans.isOpen || !wantsSpans(each)) admitted.spans = undefined;
        else admitted.spans ??= new SpanSample(Math.random);
      }
      if (options.filter === 'pid') return;
      const wanted = cgroupsOf(asked, containers);
      end(wanted);
      if (wanted.size === 0) close();
      if (wanted.size === 0 || nowMs - failedMs < RETRY_MS) return;
      try {
        watcher ??= open();
        begin(watcher, wanted);
        countStops(watcher);
        failure = undefined;
      } catch (error) {
        failedMs = nowMs;
        failure = { code: codeOf(error), message: messageOf(error) };
        options.log.error({ err: error, retryMs: RETRY_MS }, 'requests not watched');
      }
    },
    take() {
      drain();
      const open = Map.groupBy(watcher?.open() ?? [], ({ container }) => owners.get(container));
      const windows = new Map(
        [...containers].map(([id, seen]) => {
          const now = { open: open.get(seen) ?? [], labelOf: (as: CountedAs) => seen.labelOf(as) };
          return [id, { window: seen.take(failure), served: seen.served, now }];
        }),
      );
      for (const [id, seen] of containers) {
        const asker = asking.get(id);
        const spans = seen.spans?.take() ?? [];
        if (asker && spans.length > 0) options.spans.add(asker.assigned, spans);
        if (asker) continue;
        seen.end();
        containers.delete(id);
      }
      return windows;
    },
    close,
  };
}

/** With other routes it is counted anew, and what had been counted is lost. */
function admit(
  known: Map<string, ContainerRequests>,
  asking: Asking,
  durations: RequestDurations,
): ContainerRequests {
  const { containerId, requests } = asking.assigned;
  const routes = requests?.routes ?? [];
  const before = known.get(containerId);
  if (before?.routes.join(' ') === routes.join(' ')) return before;
  before?.end();
  const answerer = () => asking.assigned; // the latest: what the workload is may be told later
  const after = new ContainerRequests(routes, durations.begin(answerer));
  after.lose(before?.answered ?? 0);
  known.set(containerId, after);
  return after;
}

/** Where the policy wants them, and the JVM is known to have no tracer that makes them itself: each request is to be one span. */
function wantsSpans({ assigned, processes }: Asking): boolean {
  if (assigned.requests?.spans !== true) return false;
  const jvms = [...processes.values()].flatMap(({ jvm }) => jvm ?? []);
  return jvms.length > 0 && jvms.every(({ tracer }) => tracer === undefined);
}

function cgroupsOf(
  asked: readonly Asking[],
  known: ReadonlyMap<string, ContainerRequests>,
): ReadonlyMap<bigint, ContainerRequests> {
  const wanted = new Map<bigint, ContainerRequests>();
  for (const { assigned, targets } of asked) {
    const owner = known.get(assigned.containerId);
    if (owner) for (const target of targets) wanted.set(target, owner);
  }
  return wanted;
}

const hiddenSince = (before: HiddenCalls, now: HiddenCalls): HiddenCalls => ({
  tls: now.tls - before.tls,
  http2: now.http2 - before.http2,
  other: now.other - before.other,
});

/** Exchanges, of the whole node: a record that is lost, or a call without room, is about half of one. */
function lostUntilNow(watcher: RequestWatcher): number {
  const { notTaken, givenUp, tooMany, ringFull, tableFull, noRoom } = watcher.counters();
  return notTaken + givenUp + tooMany + Math.ceil((ringFull + tableFull + noRoom) / 2);
}

/** Nobody knows whose they were: dealt out by what each served, rounded up. */
function spread(lost: number, among: readonly ContainerRequests[]): void {
  if (lost <= 0) return;
  const served = among.reduce((sum, each) => sum + each.answered, 0);
  for (const each of among) {
    each.lose(Math.ceil(served === 0 ? lost / among.length : (lost * each.answered) / served));
  }
}
