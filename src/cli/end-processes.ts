/** Ends processes whole: asked first, then made to, since one that stays would hold a port, a terminal or the CPU. */
import { setTimeout as delay } from 'node:timers/promises';

export interface Patience {
  /** From SIGTERM to SIGKILL. */
  readonly askedMs: number;
  /** To be gone after SIGKILL. */
  readonly killedMs: number;
}

const PATIENCE: Patience = { askedMs: 10_000, killedMs: 5_000 };
const LOOK_MS = 100;

/** `all`: asked again and again who is there. False where somebody stays. */
export async function endProcesses(all: () => readonly number[], patience = PATIENCE): Promise<boolean> {
  return (await goneAfter('SIGTERM', all, patience.askedMs)) || goneAfter('SIGKILL', all, patience.killedMs);
}

/** Signals everybody once, and who comes later: a launcher may just be starting something. */
async function goneAfter(
  signal: 'SIGTERM' | 'SIGKILL',
  all: () => readonly number[],
  patienceMs: number,
): Promise<boolean> {
  const told = new Set<number>();
  const endsMs = Date.now() + patienceMs;
  for (;;) {
    const there = all();
    if (there.length === 0) return true;
    if (Date.now() > endsMs) return false;
    for (const pid of there.filter((each) => !told.has(each))) {
      told.add(pid);
      signalled(pid, signal);
    }
    await delay(LOOK_MS);
  }
}

export function signalled(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // it has ended meanwhile
  }
}
