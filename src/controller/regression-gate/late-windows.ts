/**
 * Windows of the time that a verdict speaks of, and that came after it: it does not rest on them, and stays. Only the leader that found
 * the verdict can tell them: the next one is sent everything anew.
 */
import { Gauge, type Registry } from 'prom-client';
import type { WindowQuery, WindowStore } from '../../store/window-store.ts';

/** What was judged: windows of these containers and times, as far as they had been stored by then. */
export interface JudgedWindows {
  readonly storeId: string;
  readonly query: Pick<WindowQuery, 'pods' | 'fromMs' | 'toMs'>;
  /** Newest window of each container, by its id. */
  readonly seen: ReadonlyMap<string, number>;
}

export interface LateWindows {
  /** A verdict fell, and rests on these. */
  decided(gate: string, judged: JudgedWindows): void;
  /** Returns how many came since the last look. Throws STORE_READ_FAILED. */
  recount(gate: string): number;
  /** The gate is gone, or is being evaluated anew. */
  drop(gate: string): void;
  /** Of gates whose verdict was found here. */
  counts(): ReadonlyMap<string, number>;
}

interface Verdict {
  readonly judged: JudgedWindows;
  late: number;
}

export function lateWindows(store: Pick<WindowStore, 'storeId' | 'countAfter'>): LateWindows {
  const verdicts = new Map<string, Verdict>(); // one entry per gate that exists
  return {
    decided: (gate, judged) => void verdicts.set(gate, { judged, late: 0 }),
    recount(gate) {
      const verdict = verdicts.get(gate);
      // In a store that was begun anew everything is new.
      if (verdict === undefined || verdict.judged.storeId !== store.storeId()) return 0;
      const { query, seen } = verdict.judged;
      const before = verdict.late;
      verdict.late = Math.max(before, store.countAfter(query, seen)); // the store drops them again by age
      return verdict.late - before;
    },
    drop: (gate) => void verdicts.delete(gate),
    counts: () => new Map([...verdicts].map(([gate, { late }]) => [gate, late])),
  };
}

export function exposeLateWindows(registry: Registry, late: Pick<LateWindows, 'counts'>): void {
  new Gauge({
    name: 'flamegate_gate_late_windows',
    help: "Windows that came after a gate's verdict, of the time it speaks of: it does not rest on them. Told by the leader that found it.",
    labelNames: ['k8s_namespace_name', 'gate'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [key, count] of late.counts()) {
        const [namespace = '', name = ''] = key.split('/');
        this.set({ k8s_namespace_name: namespace, gate: name }, count);
      }
    },
  });
}
