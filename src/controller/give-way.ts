/** Long work on the event loop that lets others have as much of it: half of the time where they need it, all of it where they do not. */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** A turn in which nobody has anything to do takes microseconds. */
const MOST_TURNS = 64;

/** To be awaited after each piece of work, with what the piece took. `now`: milliseconds, of any origin. */
export async function giveWay(workedMs: number, now: () => number = () => performance.now()): Promise<void> {
  const untilMs = now() + workedMs;
  for (let turn = 0; turn < MOST_TURNS; turn += 1) {
    await nextTurn();
    if (now() >= untilMs) return;
  }
}
