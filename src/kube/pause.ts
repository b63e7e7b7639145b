/** A wait that ends early, and quietly, when it is told to. */
import { setTimeout as delay } from 'node:timers/promises';

/** Leaves no listener with the signal: who pauses for as long as a process lives would pile them up. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await delay(ms, undefined, { signal }).catch(() => undefined);
}
