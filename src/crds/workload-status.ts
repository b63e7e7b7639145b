/** What a ProfilingPolicy says of each workload it watches: how its JVMs are named, what is seen of them, and why not. */
import { type Static, Type } from '@sinclair/typebox';
import { ioStatus } from './io-status.ts';
import { oneOf } from './schema.ts';

const BlockingCall = Type.Object({
  call: Type.String({ maxLength: 256, description: 'The function that blocks.' }),
  caller: Type.String({
    maxLength: 256,
    description: 'The function of the service, or of a library, that calls it.',
  }),
  reason: Type.String({
    maxLength: 32,
    description:
      'What is waited for: lock, park (another thread, by java.util.concurrent), wait (Object.wait), sleep, socket, file, other.',
  }),
  dispatcher: oneOf(['Default'], { description: 'Whose thread is blocked.' }),
  pods: Type.Integer({ minimum: 1, description: 'Pods in which it was seen.' }),
  stack: Type.Array(Type.String({ maxLength: 256 }), {
    maxItems: 16,
    'x-kubernetes-list-type': 'atomic',
    description: 'Its callers, innermost first, without the machinery of coroutines. At most 16.',
  }),
});
export type BlockingCall = Static<typeof BlockingCall>;

export const WorkloadStatus = Type.Object({
  kind: Type.String({
    maxLength: 63,
    description: 'Kind of the workload that owns the pods; Pod when nothing does.',
  }),
  name: Type.String({ maxLength: 253, description: 'Name of the workload.' }),
  container: Type.String({ maxLength: 63, description: 'Name of the container.' }),
  pods: Type.Integer({ minimum: 0, description: 'Pods selected.' }),
  profiled: Type.Integer({ minimum: 0, description: 'Pods whose JVM delivered samples in the last minute.' }),
  jdk: Type.Optional(Type.String({ maxLength: 32, description: 'Version of the JDK, as the JVM says it.' })),
  symbols: oneOf(['VmStructs', 'PerfMap', 'Partial', 'None'], {
    description:
      "Where the names of compiled methods come from; of pods that differ, the worst. VmStructs: the JVM's own tables. PerfMap: a perf map, which sees no inlined method. Partial: nowhere, stacks have gaps. None: no JVM has been seen.",
  }),
  leaf: Type.Optional(
    oneOf(['Exact', 'SafepointAccurate'], {
      description:
        "With VmStructs, what is known of methods inlined at the leaf of a stack. SafepointAccurate: they are the next safepoint's and no verdict rests on them; DebugNonSafepoints makes them Exact, by mode Live or on the command line. Callers are exact either way.",
    }),
  ),
  coroutines: Type.Optional(
    oneOf(['Chains', 'Unsupported', 'Off'], {
      description:
        'With VmStructs, whether stacks of Kotlin coroutines that were resumed have their suspended callers; of pods that differ, the worst. Unsupported: the heap of the JVM cannot be followed. Off: the agent was told not to.',
    }),
  ),
  coroutinesReason: Type.Optional(
    Type.String({
      maxLength: 64,
      description:
        'Why coroutines are Unsupported. ZGC, Shenandoah: this collector moves objects while threads run; G1, Parallel and Serial do not. HeapUnknown: the JVM does not tell how it stores objects.',
    }),
  ),
  requests: Type.Optional(
    oneOf(['Seen', 'NotObservable'], {
      description:
        'Whether requests of the pods that a gate compares can be seen; of pods that differ, the worst. Missing while no gate compares any, and with spec.requests.enabled false.',
    }),
  ),
  requestsReason: Type.Optional(
    Type.String({
      maxLength: 64,
      description:
        'Why requests are NotObservable. Tls: that is what the pods answer by. Http2: they do on connections from before, in which no request was found yet. NoHttp: there are connections, and no request was seen on any. NoCgroup2: the node has no cgroup v2. Else the code of what failed on the node.',
    }),
  ),
  requestsMessage: Type.Optional(
    Type.String({ maxLength: 256, description: 'Why requests are NotObservable, in a sentence.' }),
  ),
  offCpu: Type.Optional(
    oneOf(['Seen', 'Unsupported'], {
      description:
        'With spec.offCpu.enabled, whether it can be seen what threads wait for; of pods that differ, the worst.',
    }),
  ),
  offCpuReason: Type.Optional(
    Type.String({
      maxLength: 64,
      description:
        'Why waiting is Unsupported. OFFCPU_NO_BTF: the kernel of the node does not describe its types. Else the code of what failed on the node.',
    }),
  ),
  offCpuMessage: Type.Optional(
    Type.String({ maxLength: 256, description: 'Why waiting is Unsupported, in a sentence.' }),
  ),
  blocking: Type.Optional(
    Type.Array(BlockingCall, {
      maxItems: 4,
      'x-kubernetes-list-type': 'atomic',
      description:
        'With spec.offCpu.enabled, calls that blocked threads of Dispatchers.Default in the last five minutes, for a hundredth of a thread’s time or more; the longest first. They belong on Dispatchers.IO. At most 4.',
    }),
  ),
  ...ioStatus,
  flags: Type.Optional(
    Type.String({ maxLength: 256, description: 'Profiling flags seen in the running JVM.' }),
  ),
  live: Type.Optional(
    Type.Object(
      {
        set: Type.Integer({ minimum: 0, description: 'Pods whose JVM runs with the flag by mode Live.' }),
        alreadyOn: Type.Integer({ minimum: 0, description: 'Pods whose JVM had the flag on already.' }),
        maxAgeMs: Type.Optional(
          Type.Integer({
            minimum: 0,
            description: 'The oldest a JVM was when the flag was set, in milliseconds since it began to run.',
          }),
        ),
        lastSetTime: Type.Optional(
          Type.String({ format: 'date-time', description: 'When the flag was last set in one of them.' }),
        ),
        tooLate: Type.Array(Type.String({ maxLength: 253 }), {
          maxItems: 16,
          'x-kubernetes-list-type': 'atomic',
          description:
            'Pods whose JVM was met when it had run for more than three seconds, so that the flag was not set; a restart of them sets it. At most 16.',
        }),
        refused: Type.Array(
          Type.Object({
            pod: Type.String({ maxLength: 253, description: 'Name of the pod.' }),
            reason: Type.String({ maxLength: 128, description: 'Why not, in one word.' }),
            message: Type.String({ maxLength: 1024, description: 'Why not, in a sentence.' }),
          }),
          {
            maxItems: 16,
            'x-kubernetes-list-type': 'atomic',
            description: 'Pods whose JVM was left as it is for another reason. At most 16.',
          },
        ),
      },
      { description: 'With spec.jvm.flags.mode Live: what became of the flag in the pods’ JVMs.' },
    ),
  ),
  creation: Type.Optional(
    Type.Object(
      {
        withFlags: Type.Integer({ minimum: 0, description: 'Pods whose container has the flags.' }),
        reason: Type.String({
          maxLength: 64,
          description:
            'Injected: all that run have them. AtNextCreation: the others get them when they are created anew. Else why pods get none: the reasons of FlagsInjected.',
        }),
        message: Type.Optional(
          Type.String({ maxLength: 1024, description: 'What to do by hand, with the line to paste.' }),
        ),
      },
      { description: 'With spec.jvm.flags.mode OnPodCreation: what became of the flags.' },
    ),
  ),
  reason: Type.String({ maxLength: 128, description: 'How profiling goes, in one word.' }),
  message: Type.String({ maxLength: 1024, description: 'How profiling goes, in a sentence.' }),
});
export type WorkloadStatus = Static<typeof WorkloadStatus>;
