/** Requests that the pods of an arm have served since they were started: what a JVM warms by. */
import { requestsIn } from '../requests/request-window.ts';
import type { PodWindow } from './pod-window.ts';

interface Served {
  requests: number;
  windowMs: number;
  /** Before its first window, at the rate of that. */
  before: number;
}

export class ServedSinceStart {
  readonly #pods = new Map<string, Served>();

  /** Takes the windows of a look; those without requests tell nothing. */
  add(windows: readonly PodWindow[]): void {
    const seen = windows.filter(({ requests }) => requests?.state === 'Seen');
    for (const [pod, ofPod] of Map.groupBy(seen, (window) => window.pod)) {
      const rows = ofPod.flatMap((window) => window.requests?.routes ?? []);
      const requests = requestsIn(rows);
      const windowMs = ofPod.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
      const known = this.#pods.get(pod) ?? { requests: 0, windowMs: 0, before: 0 };
      this.#pods.set(pod, known);
      if (known.requests === 0 && requests > 0) {
        const [first] = ofPod;
        const ageMs = first === undefined ? 0 : Math.max(0, first.startMs - first.podStartedAtMs);
        known.before = (requests / windowMs) * ageMs;
      }
      known.requests += requests;
      known.windowMs += windowMs;
    }
  }

  /** Of the pods of these windows, each as much; 0 where no requests of them are seen. */
  of(windows: readonly PodWindow[]): number {
    const pods = [...new Set(windows.map(({ pod }) => pod))].flatMap((pod) => this.#pods.get(pod) ?? []);
    if (pods.length === 0) return 0;
    return pods.reduce((sum, { before, requests }) => sum + before + requests, 0) / pods.length;
  }
}
