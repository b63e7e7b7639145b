/** Batches for tests: every field has a default, a test names what it is about. */
import type { Batch, PodWindow } from '../../wire/batch-schema.ts';

export const WINDOW_MS = 10_000;
export const EPOCH_MS = Date.UTC(2026, 0, 1);

export function aPodWindow(fields: Partial<PodWindow> = {}): PodWindow {
  return {
    namespace: 'shop',
    pod: 'orders-1',
    podUid: 'uid-1',
    container: 'app',
    containerId: 'c1',
    startedAtMs: EPOCH_MS - 600_000,
    hz: 49,
    cpuUsec: 5_000_000,
    throttledUsec: 0,
    samples: 3,
    losses: { ringFull: 0, tableFull: 0, noUserStack: 0, truncated: 0, unnamed: 0 },
    jvm: {
      ...{ state: 'Profiled', reason: 'PerfMap', message: '', jdk: '25', flags: [] },
      environment: ['JAVA_TOOL_OPTIONS'],
    },
    counts: [
      [0, 2],
      [1, 1],
    ],
    ...fields,
  };
}

/** Window number `sequence` of node-a: begins `sequence` windows after EPOCH_MS. */
export function aBatch(fields: Partial<Batch> = {}): Batch {
  const sequence = fields.sequence ?? 0;
  return {
    version: 1,
    node: 'node-a',
    boot: 'boot-0001',
    sequence,
    startMs: EPOCH_MS + sequence * WINDOW_MS,
    endMs: EPOCH_MS + (sequence + 1) * WINDOW_MS,
    agent: { version: '0', cpuUsec: 20_000, rssBytes: 50_000_000, bpfRunNs: 1_000_000, windowsDropped: 0 },
    strings: ['encode', 'handle', 'run'],
    stacks: [
      [0, 1, 2],
      [1, 2],
    ],
    pods: [aPodWindow()],
    ...fields,
  };
}
