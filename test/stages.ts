/** The stages of the suite: which files each has, which of them begin, and how many run at a time. */
import { globSync } from 'node:fs';

export type Stage = 'unit' | 'matrix' | 'replay' | 'integration' | 'e2e' | 'full';

/** Files that run one after the other, so many at a time. */
export interface Lane {
  readonly files: readonly string[];
  readonly concurrency: number;
  /** On an API server of their own instead of the test cluster's. It schedules and runs nothing; of its controllers it has these. */
  readonly bare?: readonly string[];
}

/** Each uses a CPU or two all the time. Those that take longest begin, or the last one would run alone at the end. */
const LONGEST = [
  'src/native/coroutine-callers.test.ts',
  'src/native/unwinding.test.ts',
  'src/agent/unprepared-jvm.test.ts',
  'src/agent/main.test.ts',
  'src/native/sampler.test.ts',
  'src/agent/suspended-callers.test.ts',
  'src/native/request-peers.test.ts',
  'src/native/http2-peers.test.ts',
  'src/native/hostile-process.test.ts',
  'src/native/recorded-stacks.test.ts',
  'src/symbols/functions-at.test.ts',
];

/**
 * These wait for windows, execs, time-outs or the kernel, and leave the CPUs to the others. One at a time: two of them mount
 * tracefs while they need it.
 */
const PATIENT = [
  'src/agent/requests.test.ts',
  'src/agent/live.test.ts',
  'src/agent/waits.test.ts',
  'src/agent/request-spans.test.ts',
  'src/agent/lockdown.test.ts',
  'src/agent/seccomp-profile.test.ts',
  'src/controller/operator-base.test.ts',
  'src/native/sampler-lifetime.test.ts',
  'src/native/replaced-code.test.ts',
  'src/native/waits.test.ts',
  'src/native/request-watcher.test.ts',
  'src/native/http2-watcher.test.ts',
  'src/native/request-watcher-lifetime.test.ts',
];

/** Of those on an API server: no test of these needs a Deployment's pods to be created, or what is deleted to be collected. */
const BARE = [
  'gate-certification',
  'gate-wait',
  'killed-controller',
  'kube',
  'pod-profile',
  'settings',
  'status',
].map((name) => `test/integration/${name}.test.ts`);

/** It is the only one who looks at its gates: of the test cluster there is a controller that does so, too. */
const ACTING = 'test/full/gate-acting.test.ts';
const OF_DEPLOYMENTS = ['deployment', 'replicaset', 'garbagecollector', 'namespace'];

export function lanesOf(stage: Stage): readonly Lane[] {
  switch (stage) {
    case 'unit': {
      const found = globSync(['src', 'web', 'scripts', 'bench'].map((room) => `${room}/**/*.test.ts`)).sort();
      const others = found.filter((file) => !LONGEST.includes(file) && !PATIENT.includes(file));
      return [
        { files: [...LONGEST, ...others], concurrency: 2 },
        { files: PATIENT, concurrency: 1 },
      ];
    }
    case 'matrix':
    case 'replay':
      return [{ files: filesIn(stage), concurrency: 2 }];
    case 'e2e':
      return [{ files: filesIn(stage), concurrency: 3 }]; // gates wait for minutes beside the other files
    case 'integration': // files of a lane share one API server
      return [
        { files: filesIn(stage).filter((file) => !BARE.includes(file)), concurrency: 1 },
        { files: BARE, concurrency: 1, bare: [] },
      ];
    case 'full':
      return [
        { files: filesIn(stage).filter((file) => file !== ACTING), concurrency: 1 },
        { files: [ACTING], concurrency: 1, bare: OF_DEPLOYMENTS },
      ];
  }
}

const filesIn = (stage: Stage): readonly string[] => globSync(`test/${stage}/**/*.test.ts`).sort();
