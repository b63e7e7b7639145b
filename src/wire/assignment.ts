/**
 * What a node's agent is told to do: which containers to sample, how, and which of them to report in full.
 * Served by long poll with an ETag, so the agent needs no Kubernetes client and no RBAC.
 */
import { parseRoutePattern } from '../requests/route-pattern.ts';
import { httpUrl, integer, list, record, text } from './json-fields.ts';
import { type AgentSinks, parseAgentSinks } from './sinks.ts';

export interface Assignment {
  /** Changes whenever anything below changes; also the ETag. */
  readonly version: string;
  /** Identity of the controller's store; see BatchReceipt. */
  readonly store: string;
  readonly windowMs: number;
  /** Of containers that have no rate of their own. */
  readonly frequencyHz: number;
  readonly containers: readonly AssignedContainer[];
  /** Containers of pods of this node, running or still to be started, whose JVMs may be given a flag while they start. */
  readonly live: readonly LiveContainer[];
  /** What the install's settings say to agents; missing from a controller of before. */
  readonly settings?: AgentSettings;
}

export interface AgentSettings {
  /** Beyond which the oldest batches go. */
  readonly spool: { readonly maxAgeMs: number; readonly maxBytes: number };
  /** Where spans go: an OTLP/HTTP endpoint, v1/traces being below it. Missing: nowhere. */
  readonly spansEndpoint?: string;
  /** Missing: none. */
  readonly sinks?: AgentSinks;
}

/** Known before the container has an id: what counts are a JVM's first moments. */
export interface LiveContainer {
  readonly podUid: string;
  readonly container: string;
}

export interface AssignedContainer {
  readonly namespace: string;
  readonly pod: string;
  readonly podUid: string;
  readonly container: string;
  /** Without the runtime's prefix ("containerd://"). */
  readonly containerId: string;
  readonly startedAtMs: number;
  /** Samples per second and busy core, where that is not the node's. */
  readonly frequencyHz?: number;
  /** True when a gate compares this pod, or somebody looks at it now: its stacks are pushed, not only its counts. */
  readonly gated: boolean;
  readonly symbols: SymbolMode;
  /** What the pod belongs to, where something owns it. */
  readonly workload?: Workload;
  /** Present when the requests it answers are to be watched. */
  readonly requests?: AssignedRequests;
  /** Present when it is to be looked at what its threads wait for. */
  readonly offCpu?: LookedFor;
  /** Present when it is to be counted what it reads, writes and syncs. */
  readonly io?: LookedFor;
  /** Present when its profiles are to be sent somewhere. */
  readonly profiles?: AssignedProfiles;
}

export interface AssignedProfiles {
  /** Names of `settings.sinks.profiles`. */
  readonly sinks: readonly string[];
  /** What of the workload runs in it: the hash of a template, where its pods have one. */
  readonly revision?: string;
  readonly image?: string;
}

export interface LookedFor {
  /** Of a wait only what is beyond this counts; a call that lasts for this or longer is slow. */
  readonly leastMs: number;
}

export interface Workload {
  readonly kind: string;
  readonly name: string;
}

export interface AssignedRequests {
  /** Patterns of src/requests/route-pattern.ts, of which the first that matches counts. */
  readonly routes: readonly string[];
  /** Present when some of them are to become spans. */
  readonly spans?: true;
}

export const MOST_ROUTE_PATTERNS = 64;

/** A tick costs 9 to 16 µs on every CPU besides what is done with it: 0.3 % at this rate. */
export const MOST_HZ = 199;

/** How often the clocks of a node have to tick: as often as the container that is sampled most. */
export const clockHzOf = ({ containers, frequencyHz }: Assignment): number =>
  containers.length === 0
    ? frequencyHz
    : Math.max(...containers.map((container) => container.frequencyHz ?? frequencyHz));

export const SYMBOL_MODES = ['Auto', 'VmStructs', 'PerfMap'] as const;
/**
 * Where names may come from. VmStructs: the JVM's own tables, nothing is written into it. PerfMap: a perf map, for which it
 * may be asked. Auto: its tables, and a perf map where they cannot be read.
 */
export type SymbolMode = (typeof SYMBOL_MODES)[number];

/** Parses an assignment as it came over the wire. Throws a TypeError that names the first wrong field. */
export function parseAssignment(json: unknown): Assignment {
  const doc = record(json, 'assignment');
  return {
    version: text(doc['version'], 'version'),
    store: text(doc['store'], 'store'),
    windowMs: integer(doc['windowMs'], 'windowMs', 1_000, 600_000),
    frequencyHz: integer(doc['frequencyHz'], 'frequencyHz', 1, MOST_HZ),
    containers: list(doc['containers'], 'containers').map(parseContainer),
    live: list(doc['live'] ?? [], 'live').map(parseLive), // a controller of before has none
    ...(doc['settings'] === undefined ? {} : { settings: parseSettings(doc['settings']) }),
  };
}

function parseSettings(json: unknown): AgentSettings {
  const doc = record(json, 'settings');
  const spool = record(doc['spool'], 'settings.spool');
  const spansEndpoint = doc['spansEndpoint'];
  return {
    spool: {
      maxAgeMs: integer(spool['maxAgeMs'], 'settings.spool.maxAgeMs', 60_000, 7 * 86_400_000),
      maxBytes: integer(spool['maxBytes'], 'settings.spool.maxBytes', 1 << 20, 2 ** 40),
    },
    ...(spansEndpoint === undefined
      ? {}
      : { spansEndpoint: httpUrl(spansEndpoint, 'settings.spansEndpoint') }),
    ...(doc['sinks'] === undefined ? {} : { sinks: parseAgentSinks(doc['sinks'], 'settings.sinks') }),
  };
}

function parseLive(json: unknown, index: number): LiveContainer {
  const at = `live[${index}]`;
  const doc = record(json, at);
  return {
    podUid: text(doc['podUid'], `${at}.podUid`),
    container: text(doc['container'], `${at}.container`),
  };
}

function parseContainer(json: unknown, index: number): AssignedContainer {
  const at = `containers[${index}]`;
  const doc = record(json, at);
  return {
    namespace: text(doc['namespace'], `${at}.namespace`),
    pod: text(doc['pod'], `${at}.pod`),
    podUid: text(doc['podUid'], `${at}.podUid`),
    container: text(doc['container'], `${at}.container`),
    containerId: text(doc['containerId'], `${at}.containerId`),
    startedAtMs: integer(doc['startedAtMs'], `${at}.startedAtMs`, 0, Number.MAX_SAFE_INTEGER),
    gated: doc['gated'] === true,
    symbols: SYMBOL_MODES.find((mode) => mode === doc['symbols']) ?? 'Auto', // a controller of before has none
    ...(doc['frequencyHz'] === undefined
      ? {}
      : { frequencyHz: integer(doc['frequencyHz'], `${at}.frequencyHz`, 1, MOST_HZ) }),
    ...(doc['workload'] === undefined ? {} : { workload: parseWorkload(doc['workload'], `${at}.workload`) }),
    ...(doc['requests'] === undefined ? {} : { requests: parseRequests(doc['requests'], `${at}.requests`) }),
    ...(doc['offCpu'] === undefined ? {} : { offCpu: parseLeast(doc['offCpu'], `${at}.offCpu`) }),
    ...(doc['io'] === undefined ? {} : { io: parseLeast(doc['io'], `${at}.io`) }),
    ...(doc['profiles'] === undefined ? {} : { profiles: parseProfiles(doc['profiles'], `${at}.profiles`) }),
  };
}

function parseWorkload(json: unknown, at: string): Workload {
  const doc = record(json, at);
  return { kind: text(doc['kind'], `${at}.kind`), name: text(doc['name'], `${at}.name`) };
}

function parseLeast(json: unknown, at: string): LookedFor {
  return { leastMs: integer(record(json, at)['leastMs'], `${at}.leastMs`, 1, 9_999) };
}

function parseRequests(json: unknown, at: string): AssignedRequests {
  const doc = record(json, at);
  const routes = list(doc['routes'], `${at}.routes`).slice(0, MOST_ROUTE_PATTERNS);
  return {
    routes: routes.map((route, i) => parseRoutePattern(text(route, `${at}.routes[${i}]`)).text),
    ...(doc['spans'] === true ? { spans: true } : {}),
  };
}

function parseProfiles(json: unknown, at: string): AssignedProfiles {
  const doc = record(json, at);
  return {
    sinks: list(doc['sinks'], `${at}.sinks`).map((name, i) => text(name, `${at}.sinks[${i}]`)),
    ...(doc['revision'] === undefined ? {} : { revision: text(doc['revision'], `${at}.revision`) }),
    ...(doc['image'] === undefined ? {} : { image: text(doc['image'], `${at}.image`, LONGEST_IMAGE) }),
  };
}

const LONGEST_IMAGE = 512;
