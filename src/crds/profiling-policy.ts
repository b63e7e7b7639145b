/** ProfilingPolicy: which pods are profiled, how often, and whether their JVMs may be given flags. */
import { type Static, Type } from '@sinclair/typebox';
import {
  conditions,
  DNS_LABEL,
  type Kind,
  LabelSelector,
  observedGeneration,
  oneOf,
  type PrinterColumn,
  percentage,
  type Resource,
} from './schema.ts';
import { WorkloadStatus } from './workload-status.ts';

export const FLAG_MODES = ['Never', 'Live', 'OnPodCreation', 'Immediate'] as const;
/** In order of preference; src/controller/profiling-policy/flag-variables.ts says why, and why no third one. */
export const FLAG_VARIABLES = ['JAVA_TOOL_OPTIONS', 'JDK_JAVA_OPTIONS'] as const;
export type FlagVariable = (typeof FLAG_VARIABLES)[number];
const SYMBOL_MODES = ['Auto', 'VmStructs', 'PerfMap'] as const;
/** As ROUTE_PATTERN of src/requests/route-pattern.ts, which a test compares it with. */
const ROUTE = '^/$|^(/([A-Za-z0-9_.~!$()+,:@=-]+|\\{[A-Za-z0-9_]+\\}))+(/\\*\\*)?$|^/\\*\\*$';

/** As latencies are written, from a millisecond to some seconds. */
const WAIT = '^([1-9][0-9]{0,3}ms|[1-9]s)$';

export const ProfilingPolicySpec = Type.Object(
  {
    podSelector: Type.Unsafe<LabelSelector>({
      ...LabelSelector,
      description: 'The pods of this namespace to profile.',
    }),
    containers: Type.Array(Type.String({ pattern: DNS_LABEL, minLength: 1, maxLength: 63 }), {
      maxItems: 16,
      default: [],
      'x-kubernetes-list-type': 'set',
      description: 'Names of the containers to profile. Empty: every container that runs a JVM.',
    }),
    cpu: Type.Object(
      {
        frequencyHz: Type.Integer({
          minimum: 1,
          maximum: 199,
          default: 49,
          description:
            'On-CPU samples per second and busy core. 49 costs below 1 % of a core. No higher than the install allows (rates.maxFrequencyHz of its settings).',
        }),
        maxFrequencyHz: Type.Optional(
          Type.Integer({
            minimum: 1,
            maximum: 199,
            description:
              'How far a gate may raise it, on both of its arms alike, while it has too few samples to be decided in time; afterwards it is frequencyHz again. At or below frequencyHz: never. No higher than the install allows (rates.maxRaisedFrequencyHz of its settings), which it is where nothing is said. Where pods of a gate are profiled by different policies, the lowest counts.',
          }),
        ),
      },
      { default: {}, description: 'On-CPU sampling.' },
    ),
    budget: Type.Optional(
      Type.Object(
        {
          agentCpu: Type.Optional(
            percentage({
              description:
                'How much of a core an agent may take for a gate to raise frequencyHz on its node. No more than the install allows (budget.maxAgentCpu of its settings); 5% where nothing is said. Where pods of a gate are profiled by different policies, the lowest counts.',
            }),
          ),
        },
        { default: {}, description: 'What profiling may cost.' },
      ),
    ),
    offCpu: Type.Object(
      {
        enabled: Type.Boolean({
          default: false,
          description:
            'Whether it is looked at what threads wait for, and by which stacks. Calls that block threads of Dispatchers.Default are told in the status. It costs each switch between threads of the node 0.06 µs, those of the pods 0.4 µs, and up to 1 % of a core for reading stacks; nothing is attached while no pod asks for it.',
        }),
        minDuration: Type.String({
          pattern: WAIT,
          minLength: 2,
          maxLength: 6,
          default: '1ms',
          description: 'Of each wait only what is beyond this counts: whole milliseconds or seconds.',
        }),
      },
      { default: {}, description: 'What threads wait for while they are not running.' },
    ),
    io: Type.Object(
      {
        enabled: Type.Boolean({
          default: false,
          description:
            'Whether it is counted what the pods read, write and sync, files and sockets, with bytes and latencies, and which of their functions make slow calls or sync a file often. It costs each of these calls of the pods some 0.8 µs and of other processes 0.4 µs, every other system call of the node 0.05 µs; nothing is attached while no pod asks for it.',
        }),
        minDuration: Type.String({
          pattern: WAIT,
          minLength: 2,
          maxLength: 6,
          default: '10ms',
          description: 'Calls that last for this or longer are slow: whole milliseconds or seconds.',
        }),
      },
      { default: {}, description: 'What is read, written and synced.' },
    ),
    jvm: Type.Object(
      {
        flags: Type.Object(
          {
            mode: oneOf(FLAG_MODES, {
              default: 'Never',
              description:
                'Never: no flag is set and nothing restarts. Live: the agent turns on DebugNonSafepoints in each JVM it meets in its first moments, by one byte of the JVM’s memory; nothing restarts, JVMs that run already stay as they are, and the install has to grant it (FLAMEGATE_LIVE of the agents). OnPodCreation: Pods that others create get -XX:+PreserveFramePointer, -XX:+UnlockDiagnosticVMOptions and -XX:+DebugNonSafepoints at their creation; no template changes and nothing restarts, and the install has to have config/pod-creation. Immediate: the same flags enter the pod template, which rolls the workload once, as soon as an agent has seen in a running JVM which variables the image sets itself.',
            }),
            strategy: Type.Optional(
              oneOf(['PodAdmission', 'DeploymentPatch'], {
                description:
                  'How flags reach the JVM; what the mode needs, where nothing is said. PodAdmission, of mode OnPodCreation: one environment variable in the Pod that is created. DeploymentPatch, of mode Immediate: the same in the Deployment, by server-side apply under the field manager flamegate-inject. Either way one that neither the template nor the image sets.',
              }),
            ),
            acknowledgeRestarts: Type.Boolean({
              default: false,
              description: 'Must be true for mode Immediate: the matching Deployments restart once.',
            }),
          },
          {
            default: {},
            description: 'Whether matching JVMs are given profiling flags.',
            'x-kubernetes-validations': [
              {
                // The API server also tries the rule on the bare default {}, before the fields have theirs.
                rule: "!has(self.mode) || self.mode != 'Immediate' || (has(self.acknowledgeRestarts) && self.acknowledgeRestarts)",
                message:
                  'mode Immediate restarts the matching Deployments once: set acknowledgeRestarts: true to agree',
                fieldPath: '.acknowledgeRestarts',
              },
              {
                rule: "!has(self.strategy) || !has(self.mode) || !(self.mode in ['OnPodCreation', 'Immediate']) || (self.mode == 'OnPodCreation') == (self.strategy == 'PodAdmission')",
                message:
                  'mode OnPodCreation has the strategy PodAdmission, mode Immediate DeploymentPatch: leave it out, and it follows the mode',
                fieldPath: '.strategy',
              },
            ],
          },
        ),
        symbols: oneOf(SYMBOL_MODES, {
          default: 'Auto',
          description:
            "Where names of methods come from. VmStructs: the JVM's own tables and stacks are read from outside; nothing is written into it, no flag is needed, inlined methods are seen. PerfMap: frame pointers and a perf map, for which the JVM is asked by its attach protocol (a file in its /tmp and a SIGQUIT). Auto: VmStructs, and PerfMap where the tables cannot be read.",
        }),
      },
      { default: {}, description: 'What may be done to the JVM.' },
    ),
    requests: Type.Object(
      {
        enabled: Type.Boolean({
          default: true,
          description:
            'Whether requests of HTTP/1.1, HTTP/2 without TLS and gRPC are watched at the node’s sockets, for the checks of latency and failures. Only pods that a gate compares are watched, at about 12 µs of CPU a request; nothing is attached while there are none.',
        }),
        routes: Type.Array(Type.String({ pattern: ROUTE, minLength: 1, maxLength: 253 }), {
          maxItems: 32,
          default: [],
          'x-kubernetes-list-type': 'atomic',
          description:
            'Routes as the service knows them: /orders/{id}, and /** at the end for any rest. The first that matches counts, and they come before those that are learned from the paths of requests, in which whatever looks like an id becomes {}.',
        }),
        spans: Type.Object(
          {
            enabled: Type.Boolean({
              default: false,
              description:
                'Whether the slowest requests of each window, and as many by lot, become OpenTelemetry spans, in the trace of the caller where the request has a traceparent. Only true where these services make no spans of their own: a request would be there twice. Where the agent sees a tracer in the JVM it makes none. The install says where spans go (sinks.spans of its settings).',
            }),
          },
          { default: {}, description: 'Spans of requests.' },
        ),
      },
      { default: {}, description: 'What is watched of the requests that pods answer.' },
    ),
    sinks: Type.Optional(
      Type.Array(Type.String({ pattern: DNS_LABEL, minLength: 1, maxLength: 63 }), {
        maxItems: 8,
        'x-kubernetes-list-type': 'set',
        description:
          'Where agents send the profiles of these pods: names of sinks.profiles of the install’s settings, which say the addresses. What goes there is counted in the condition SinksReady. Empty: nowhere.',
      }),
    ),
  },
  {
    description:
      'What to profile, and how. Of several policies that match a pod one counts, with all it says.',
  },
);
export type ProfilingPolicySpec = Static<typeof ProfilingPolicySpec>;

const Overhead = Type.Object(
  {
    agents: Type.Integer({ minimum: 0, description: 'Agents that reported within the last minute.' }),
    cpuPercent: Type.String({
      maxLength: 16,
      description: 'CPU of the busiest agent, in percent of one core.',
    }),
    memory: Type.String({ maxLength: 16, description: 'Resident memory of the largest agent.' }),
    samplesPerSecond: Type.Integer({ minimum: 0, description: 'Samples of all selected pods together.' }),
    lostPercent: Type.String({ maxLength: 16, description: 'Share of samples lost on the way.' }),
  },
  { description: 'What watching costs, as the agents measure it.' },
);

/** As many as a status of 64 KiB holds. */
export const MAX_INJECTIONS = 512;

export const Injection = Type.Object({
  kind: Type.String({ maxLength: 63, description: 'Kind of the workload that owns the pods.' }),
  name: Type.String({ maxLength: 253, description: 'Name of the workload.' }),
  container: Type.String({ maxLength: 63, description: 'Name of the container.' }),
  variables: Type.Array(oneOf(FLAG_VARIABLES), {
    maxItems: 2,
    'x-kubernetes-list-type': 'atomic',
    description:
      'The variables that its image is known not to set and its JVM to read. The first that the pod does not set gets the flags; none: the container gets nothing.',
  }),
});
export type Injection = Static<typeof Injection>;

export const ProfilingPolicyStatus = Type.Object(
  {
    observedGeneration: Type.Optional(observedGeneration),
    conditions: Type.Optional(conditions),
    selected: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'Pods the selector matches, those that another policy profiles among them.',
      }),
    ),
    profiled: Type.Optional(Type.Integer({ minimum: 0, description: 'Pods that deliver samples.' })),
    workloads: Type.Optional(
      Type.Array(WorkloadStatus, {
        maxItems: 64,
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['kind', 'name', 'container'],
        description: 'The containers that this policy profiles, by workload.',
      }),
    ),
    injections: Type.Optional(
      Type.Array(Injection, {
        maxItems: MAX_INJECTIONS,
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['kind', 'name', 'container'],
        description:
          'With spec.jvm.flags.mode OnPodCreation, what pods get that are created from now on. The API server reads it here at each creation of a Pod, by config/pod-creation.',
      }),
    ),
    overhead: Type.Optional(Overhead),
  },
  { description: 'What the controller and the agents found. Nobody else writes it.' },
);
export type ProfilingPolicyStatus = Static<typeof ProfilingPolicyStatus>;

export type ProfilingPolicy = Resource<ProfilingPolicySpec, ProfilingPolicyStatus>;

/** Of both kinds of policies. */
export const policyColumns: readonly PrinterColumn[] = [
  { name: 'Selected', type: 'integer', jsonPath: '.status.selected' },
  { name: 'Profiled', type: 'integer', jsonPath: '.status.profiled' },
  { name: 'Flags', type: 'string', jsonPath: '.spec.jvm.flags.mode' },
  { name: 'Ready', type: 'string', jsonPath: ".status.conditions[?(@.type=='Ready')].status" },
  { name: 'Reason', type: 'string', jsonPath: ".status.conditions[?(@.type=='Ready')].reason" },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  {
    name: 'Message',
    type: 'string',
    jsonPath: ".status.conditions[?(@.type=='Ready')].message",
    priority: 1,
  },
];

export const profilingPolicyKind: Kind = {
  kind: 'ProfilingPolicy',
  plural: 'profilingpolicies',
  singular: 'profilingpolicy',
  shortNames: ['profpol'],
  description: 'Chooses the pods of a namespace whose JVMs are profiled from the kernel.',
  spec: ProfilingPolicySpec,
  status: ProfilingPolicyStatus,
  columns: policyColumns,
};
