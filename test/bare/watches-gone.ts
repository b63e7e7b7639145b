/** Watches that end every few seconds while a gate is open, and cannot go on: what they have seen last is compacted away by then. */
import { withOpenGate } from './open-gate.ts';

export interface WatchesGone {
  readonly verdict: string;
  readonly sameVerdict: boolean;
  /** How often the controller listed policies, which it does once, and again when a watch is told 410 Gone. */
  readonly lists: number;
  /** Whether a watch ended in any other way than that. */
  readonly failed: boolean;
}

/** A watch ends after five to ten seconds, and nothing between it and etcd remembers. */
const API_FLAGS = ['--min-request-timeout=5', '--watch-cache=false'];
const COMPACT_MS = 500;

export function measureWatchesGone(): Promise<WatchesGone> {
  return withOpenGate({ nodes: 2, deadline: '15m', apiFlags: API_FLAGS }, async (gate) => {
    const { api, controller, verdict, isAsUndisturbed } = gate;
    let compacting: Promise<void> = Promise.resolve();
    const timer = setInterval(() => {
      compacting = compacting.then(api.compact);
    }, COMPACT_MS);
    try {
      const report = await verdict();
      const sameVerdict = await isAsUndisturbed(report);
      const lists = await api.listsOf('profilingpolicies');
      const failed = controller.has('watch failed');
      return { failed, verdict: `${report.status?.verdict} ${report.status?.reason}`, sameVerdict, lists };
    } finally {
      clearInterval(timer);
      await compacting;
    }
  });
}
