/**
 * The profiles that are being written, one for each container that has a sink: windows become one until they are half a minute, since a
 * server keeps a row for each profile, and stacks of ten seconds repeat those of the ten before.
 */
import { createPprof, type PprofWriter } from '../profile/pprof-writer.ts';
import type { AssignedContainer } from '../wire/assignment.ts';

export interface EndedProfile {
  readonly container: AssignedContainer;
  /** pprof, not packed. */
  readonly pprof: Uint8Array;
  readonly samples: number;
}

export interface OpenProfiles {
  of(container: AssignedContainer, hz: number): PprofWriter;
  /** The profiles that are long enough, and those of containers that had no part in this window. */
  windowClosed(startMs: number, endMs: number): readonly EndedProfile[];
  /** All of them. */
  end(): readonly EndedProfile[];
}

/** Windows are of 10 or 30 s (window-length.ts). */
const LONG_ENOUGH_MS = 30_000;

interface OpenProfile {
  readonly container: AssignedContainer;
  readonly hz: number;
  readonly writer: PprofWriter;
  /** Until the first window is closed: not known. */
  startMs?: number;
  endMs: number;
  isInWindow: boolean;
}

export function createOpenProfiles(): OpenProfiles {
  const open = new Map<string, OpenProfile>();
  const ended: EndedProfile[] = [];

  const end = (key: string, { container, writer, startMs, endMs }: OpenProfile) => {
    open.delete(key);
    const { samples } = writer;
    if (samples === 0 || startMs === undefined) return; // a container at rest has no profile
    ended.push({ container, pprof: writer.finish({ startMs, endMs }), samples });
  };
  const taken = (): readonly EndedProfile[] => ended.splice(0);
  return {
    of(container, hz) {
      const key = container.containerId;
      const before = open.get(key);
      if (before?.hz === hz) {
        before.isInWindow = true;
        return before.writer;
      }
      if (before) end(key, before); // one sample stands for another time from now on
      const writer = createPprof(Math.round(1e9 / hz));
      open.set(key, { container, hz, writer, endMs: 0, isInWindow: true });
      return writer;
    },
    windowClosed(startMs, endMs) {
      for (const [key, profile] of open) {
        if (profile.isInWindow) {
          profile.startMs ??= startMs;
          profile.endMs = endMs;
        }
        const isLong = endMs - (profile.startMs ?? endMs) >= LONG_ENOUGH_MS;
        if (isLong || !profile.isInWindow) end(key, profile);
        profile.isInWindow = false;
      }
      return taken();
    },
    end() {
      for (const [key, profile] of open) end(key, profile);
      return taken();
    },
  };
}
