/** Windows end at whole multiples of their length, on every node alike. The first after a change of length is shorter, or longer. */

export interface EndedWindow {
  readonly startMs: number;
  readonly endMs: number;
  /** False if the agent began in the middle of it, or comes too late to tell it from the next. */
  readonly whole: boolean;
  /** Windows that are lost for coming too late. */
  readonly missed: number;
}

export interface WindowClock {
  /** When the open window ends. */
  readonly boundaryMs: number;
  /** Start of the open window, if it was watched from its start. */
  readonly openSinceMs: number | undefined;
  /** The window that has ended by now, at most once; the next one is open then, of the length given. One that is open ends earlier for a shorter length. */
  turn(nowMs: number, nextWindowMs: number): EndedWindow | undefined;
}

export function createWindowClock(nowMs: number, windowMs: number): WindowClock {
  let lengthMs = windowMs;
  let boundaryMs = multipleAfter(nowMs, windowMs);
  let openSinceMs: number | undefined;
  return {
    get boundaryMs() {
      return boundaryMs;
    },
    get openSinceMs() {
      return openSinceMs;
    },
    turn(now, nextWindowMs) {
      const backwards = now < boundaryMs - lengthMs; // somebody set the clock
      if (nextWindowMs < lengthMs && now < boundaryMs && !backwards) {
        lengthMs = nextWindowMs;
        boundaryMs = multipleAfter(now, nextWindowMs);
      }
      if (now < boundaryMs && !backwards) return undefined;
      const onTime = !backwards && now - boundaryMs < lengthMs / 2;
      const begun = openSinceMs !== undefined;
      const ended = {
        startMs: openSinceMs ?? boundaryMs - lengthMs,
        endMs: boundaryMs,
        whole: begun && onTime,
        missed: begun && !onTime ? 1 + Math.max(0, Math.floor((now - boundaryMs) / lengthMs)) : 0,
      };
      openSinceMs = onTime ? boundaryMs : undefined;
      lengthMs = nextWindowMs;
      boundaryMs = multipleAfter(onTime ? boundaryMs : now, nextWindowMs);
      return ended;
    },
  };
}

function multipleAfter(nowMs: number, windowMs: number): number {
  return (Math.floor(nowMs / windowMs) + 1) * windowMs;
}
