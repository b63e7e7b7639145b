/** Long work on the event loop that lets others go first: a quarter of the time where they need the rest, all of it where they do not. */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Of what the work took, which others get: it can wait for some seconds, an agent that pushes cannot. */
const OTHERS_PART = 3;
/** A turn in which nobody has anything to do takes microseconds. */
const MOST_TURNS = 128;

/** To be awaited after each piece of work, with what the piece took. `now`: milliseconds, of any origin. */
export async function giveWay(workedMs: number, now: () => number = () => performance.now()): Promise<void> {
  const untilMs = now() + OTHERS_PART * workedMs;
  for (let turn = 0; turn < MOST_TURNS; turn += 1) {
    await nextTurn();
    if (now() >= untilMs) return;
  }
}

/** Does a piece of such work, and lets others go before the next one. */
export async function pieceOf<Done>(work: () => Done): Promise<Done> {
  const beganMs = performance.now();
  const done = work();
  await giveWay(performance.now() - beganMs);
  return done;
}
