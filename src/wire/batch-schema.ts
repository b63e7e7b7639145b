/**
 * What an agent pushes: one batch per node and closed window, gzipped JSON.
 * Names are sent once (`strings`), stacks once (`stacks`, leaf first, as indices into `strings`),
 * and a pod refers to stacks by index. The same functions at other lines are another stack. A batch is identified by (node, boot, sequence): pushing it
 * twice changes nothing. The agent takes only the types from here, so TypeBox stays out of its memory.
 */
import { type Static, Type } from '@sinclair/typebox';
import {
  IO_KINDS,
  IO_KINDS_WITH_STACKS,
  IO_LATENCY_BUCKETS,
  type IoKind,
  type IoKindWithStacks,
  type IoWindow,
  MOST_IO_FUNCTIONS,
} from '../profile/io-window.ts';
import { WAIT_REASONS, WAITED_FOR, type WaitedFor, type WaitReason } from '../profile/waiting.ts';
import {
  LONGEST_BLOCKED_STACK,
  LONGEST_NAME,
  LONGEST_MESSAGE as LONGEST_WAITING_MESSAGE,
  LONGEST_REASON as LONGEST_WAITING_REASON,
  MOST_BLOCKED,
  type WaitingWindow,
} from '../profile/waiting-window.ts';
import { LARGEST_KEY } from '../requests/latency-sketch.ts';
import {
  LONGEST_MESSAGE,
  LONGEST_METHOD,
  LONGEST_REASON,
  LONGEST_ROUTE,
  MOST_REQUESTS,
} from '../requests/parse-request-window.ts';
import { MOST_ROWS, type RequestWindow } from '../requests/request-window.ts';
import { MOST_SERVED_ROWS, type ServedWindow, SPEEDS, type Speed } from '../requests/served-window.ts';
import { MOST_SINKS, type SinkReport } from './sinks.ts';

export const WIRE_VERSION = 1;
/** Bounds an ingest endpoint enforces before it looks at anything else. */
export const MAX_BATCH_GZIP_BYTES = 4 * 1024 * 1024;
export const MAX_BATCH_JSON_BYTES = 48 * 1024 * 1024;
export const MOST_STRINGS = 131_072;
export const LONGEST_STRING = 1_024;
export const MOST_STACKS = 65_536;
/** Frames. */
export const LONGEST_STACK = 1_024;

const count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const epochMs = Type.Integer({ minimum: 0, maximum: 8.64e15 });
const name = Type.String({ minLength: 1, maxLength: 253 });

/** Why samples of a pod did not become named stacks; each is a count of samples. */
export const Losses = Type.Object({
  ringFull: Type.Integer({ minimum: 0, description: 'The kernel ring had no room.' }),
  tableFull: Type.Integer({ minimum: 0, description: 'The table of distinct stacks had no room.' }),
  noUserStack: Type.Integer({ minimum: 0, description: 'No user frame could be read.' }),
  truncated: Type.Integer({ minimum: 0, description: 'The root of the stack is missing.' }),
  unnamed: Type.Integer({ minimum: 0, description: 'The leaf frame has no name.' }),
});
export type Losses = Static<typeof Losses>;

const requestCount = Type.Integer({ minimum: 0, maximum: MOST_REQUESTS });
const sketch = Type.Array(requestCount, { maxItems: 2 * (LARGEST_KEY + 1) });

/** src/requests/request-window.ts says what the fields mean. */
const Requests = Type.Unsafe<RequestWindow>(
  Type.Object({
    state: Type.Union([Type.Literal('Seen'), Type.Literal('NotObservable')]),
    reason: Type.String({ maxLength: LONGEST_REASON }),
    message: Type.String({ maxLength: LONGEST_MESSAGE }),
    lost: requestCount,
    routes: Type.Array(
      Type.Object({
        method: Type.String({ minLength: 1, maxLength: LONGEST_METHOD }),
        route: Type.String({ minLength: 1, maxLength: LONGEST_ROUTE }),
        byPattern: Type.Optional(Type.Literal(true)),
        answers: Type.Array(requestCount, { minItems: 6, maxItems: 6 }),
        clientGone: requestCount,
        unfinished: requestCount,
        reset: requestCount,
        latency: sketch,
        waited: sketch,
      }),
      { maxItems: MOST_ROWS },
    ),
  }),
);

const waitReason = Type.Unsafe<WaitReason>({ type: 'string', enum: [...WAIT_REASONS] });
const functionName = Type.String({ maxLength: LONGEST_NAME });

/** [index into stacks, count or nanoseconds] pairs. */
const countedStacks = Type.Array(
  Type.Tuple([count, Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })]),
  { maxItems: 65_536 },
);

/** src/profile/waiting-window.ts says what the fields mean. */
const Waiting = Type.Unsafe<WaitingWindow>(
  Type.Object({
    state: Type.Union([Type.Literal('Seen'), Type.Literal('Unsupported')]),
    reason: Type.String({ maxLength: LONGEST_WAITING_REASON }),
    message: Type.String({ maxLength: LONGEST_WAITING_MESSAGE }),
    leastMs: count,
    totals: Type.Array(
      Type.Object({
        waitedFor: Type.Unsafe<WaitedFor>({ type: 'string', enum: [...WAITED_FOR] }),
        waits: count,
        ns: count,
      }),
      { maxItems: WAITED_FOR.length },
    ),
    reasons: Type.Array(Type.Object({ reason: waitReason, ns: count }), { maxItems: WAIT_REASONS.length }),
    lostNs: count,
    blocked: Type.Array(
      Type.Object({
        call: functionName,
        caller: functionName,
        reason: waitReason,
        ns: count,
        stack: Type.Array(functionName, { maxItems: LONGEST_BLOCKED_STACK }),
      }),
      { maxItems: MOST_BLOCKED },
    ),
    counts: countedStacks,
  }),
);

/** src/profile/io-window.ts says what the fields mean. */
const Io = Type.Unsafe<IoWindow>(
  Type.Object({
    state: Type.Union([Type.Literal('Seen'), Type.Literal('Unsupported')]),
    reason: Type.String({ maxLength: LONGEST_WAITING_REASON }),
    message: Type.String({ maxLength: LONGEST_WAITING_MESSAGE }),
    leastMs: count,
    totals: Type.Array(
      Type.Object({
        kind: Type.Unsafe<IoKind>({ type: 'string', enum: [...IO_KINDS] }),
        calls: count,
        failed: count,
        bytes: count,
        ns: count,
        latency: Type.Array(count, { maxItems: IO_LATENCY_BUCKETS }),
      }),
      { maxItems: IO_KINDS.length },
    ),
    unseen: count,
    lost: Type.Object({ calls: count, ns: count }),
    functions: Type.Array(
      Type.Object({
        call: functionName,
        caller: functionName,
        kind: Type.Unsafe<IoKindWithStacks>({ type: 'string', enum: [...IO_KINDS_WITH_STACKS] }),
        calls: count,
        ns: count,
        stack: Type.Array(functionName, { maxItems: LONGEST_BLOCKED_STACK }),
      }),
      { maxItems: MOST_IO_FUNCTIONS },
    ),
    counts: countedStacks,
  }),
);

/** src/requests/served-window.ts says what the fields mean. */
const Served = Type.Unsafe<ServedWindow>(
  Type.Object({
    otherSamples: count,
    otherWaitedNs: count,
    rows: Type.Array(
      Type.Object({
        method: Type.String({ minLength: 1, maxLength: LONGEST_METHOD }),
        route: Type.String({ minLength: 1, maxLength: LONGEST_ROUTE }),
        byPattern: Type.Optional(Type.Literal(true)),
        speed: Type.Unsafe<Speed>({ type: 'string', enum: [...SPEEDS] }),
        requests: requestCount,
        latencyNs: count,
        unreadNs: count,
        stoppedNs: count,
        stopsKnown: requestCount,
        slowest: Type.Optional(
          Type.Object({ traceId: Type.String({ pattern: '^[0-9a-f]{32}$' }), latencyNs: count }),
        ),
        samples: countedStacks,
        waited: countedStacks,
      }),
      { maxItems: MOST_SERVED_ROWS },
    ),
  }),
);

/** One container of one pod in one window. */
export const PodWindow = Type.Object({
  namespace: name,
  pod: name,
  podUid: name,
  container: name,
  containerId: name,
  startedAtMs: epochMs,
  hz: Type.Integer({ minimum: 1, maximum: 199 }),
  cpuUsec: count,
  throttledUsec: count,
  samples: count,
  losses: Losses,
  jvm: Type.Object({
    state: Type.Unsafe<JvmState>({
      type: 'string',
      enum: ['Profiled', 'Partial', 'NoJvm', 'AttachFailed', 'Gone', 'Starting'],
    }),
    reason: Type.String({ maxLength: 128 }),
    message: Type.String({ maxLength: 1024 }),
    jdk: Type.String({ maxLength: 64 }),
    flags: Type.Array(Type.String({ maxLength: 64 }), { maxItems: 8 }),
    /** Where names come from now. Missing without a JVM, and from agents that know only one way. */
    symbols: Type.Optional(
      Type.Unsafe<SymbolsFrom>({ type: 'string', enum: ['VmStructs', 'PerfMap', 'Partial'] }),
    ),
    /** Of stacks named by VmStructs: whether what is inlined at the leaf is certain. */
    leaf: Type.Optional(Type.Unsafe<LeafState>({ type: 'string', enum: ['Exact', 'SafepointAccurate'] })),
    /** Of stacks named by VmStructs: whether coroutines that were resumed have their suspended callers. */
    coroutines: Type.Optional(
      Type.Unsafe<CoroutineState>({ type: 'string', enum: ['Chains', 'Unsupported', 'Off'] }),
    ),
    /** Why they are Unsupported: the collector's name, or HeapUnknown. */
    coroutinesReason: Type.Optional(Type.String({ maxLength: 64 })),
    /** Names only. Missing when it could not be read, and from agents that do not look. */
    environment: Type.Optional(
      Type.Array(
        Type.Unsafe<OptionVariable>({ type: 'string', enum: ['JAVA_TOOL_OPTIONS', 'JDK_JAVA_OPTIONS'] }),
        { maxItems: 2 },
      ),
    ),
    /** What became of the flag that mode Live sets; missing where no policy asks for it, and before it is known. */
    live: Type.Optional(
      Type.Object({
        state: Type.Unsafe<LiveState>({ type: 'string', enum: ['Set', 'AlreadyOn', 'TooLate', 'Refused'] }),
        reason: Type.String({ maxLength: 128 }),
        message: Type.String({ maxLength: 1024 }),
        /** Of the JVM's program, when it was set or left alone. */
        ageMs: count,
        atMs: epochMs,
      }),
    ),
  }),
  /** src/profile/java-samples.ts says what the fields mean. Missing where HotSpot's tables tell no frame, and from agents that do not look. */
  java: Type.Optional(Type.Object({ samples: count, interpreted: count })),
  /** Only for pods under a gate, and from agents that watch requests. */
  requests: Type.Optional(Requests),
  /** Only where a policy asks what threads wait for. */
  waiting: Type.Optional(Waiting),
  /** Only where a policy asks what is read and written. */
  io: Type.Optional(Io),
  /** Whose requests its samples belong to; only where its requests are seen. */
  served: Type.Optional(Served),
  /** [index into stacks, samples] pairs, only for pods under a gate. */
  counts: Type.Array(Type.Tuple([count, Type.Integer({ minimum: 1 })]), { maxItems: 65_536 }),
});
/** Partial: there is a JVM, and names of its compiled code are not to be had in the ways allowed. */
export type JvmState = 'Profiled' | 'Partial' | 'NoJvm' | 'AttachFailed' | 'Gone' | 'Starting';
export type SymbolsFrom = 'VmStructs' | 'PerfMap' | 'Partial';
/** AlreadyOn: somebody else had set it. TooLate: the JVM had run its program for a while when it was met. */
export type LiveState = 'Set' | 'AlreadyOn' | 'TooLate' | 'Refused';
export type LeafState = 'Exact' | 'SafepointAccurate';
export type CoroutineState = 'Chains' | 'Unsupported' | 'Off';
/** The variables that may carry flags to a JVM. */
export type OptionVariable = 'JAVA_TOOL_OPTIONS' | 'JDK_JAVA_OPTIONS';
export type PodWindow = Static<typeof PodWindow>;

const Sink = Type.Unsafe<SinkReport>(
  Type.Object({
    name,
    sent: count,
    refused: count,
    lost: count,
    failing: Type.Optional(Type.String({ minLength: 1, maxLength: 64, pattern: '^[A-Za-z0-9_:]+$' })),
  }),
);

export const Batch = Type.Object({
  version: Type.Literal(WIRE_VERSION),
  node: name,
  /** The node's CPU, as /proc/cpuinfo has it. Missing where it says nothing, and from agents that do not look. */
  cpuModel: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
  /** Random, new at each start of the agent. */
  boot: Type.String({ minLength: 8, maxLength: 64 }),
  sequence: count,
  startMs: epochMs,
  endMs: epochMs,
  agent: Type.Object({
    version: Type.String({ maxLength: 64 }),
    cpuUsec: count,
    rssBytes: count,
    bpfRunNs: count,
    windowsDropped: count,
    /** What became of what it sends itself; missing where it sends nothing. */
    sinks: Type.Optional(Type.Array(Sink, { maxItems: 2 * MOST_SINKS })),
  }),
  strings: Type.Array(Type.String({ maxLength: LONGEST_STRING }), { maxItems: MOST_STRINGS }),
  stacks: Type.Array(Type.Array(count, { maxItems: LONGEST_STACK }), { maxItems: MOST_STACKS }),
  /**
   * Where in the source the frames of a stack stood, one list for each of `stacks`: indices into `strings` from 1 on,
   * 0 where it is not known; empty where it is known of none. Missing from agents that do not tell.
   */
  places: Type.Optional(
    Type.Array(Type.Array(count, { maxItems: LONGEST_STACK }), { maxItems: MOST_STACKS }),
  ),
  pods: Type.Array(PodWindow, { maxItems: 512 }),
});
export type Batch = Static<typeof Batch>;

/** What the controller answers to a batch. */
export const BatchReceipt = Type.Object({
  accepted: Type.Boolean(),
  /** Identity of the controller's store. When it changes, the agent sends its spool again. */
  store: Type.String({ minLength: 8, maxLength: 64 }),
});
export type BatchReceipt = Static<typeof BatchReceipt>;
