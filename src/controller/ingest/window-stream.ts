/** The stored windows of some pods as lines (src/wire/window-lines.ts), pod by pod, each read only when it is its turn. */
import { setImmediate as otherWork } from 'node:timers/promises';
import type { StoredWindow } from '../../store/stored-window.ts';
import type { WindowStore } from '../../store/window-store.ts';
import { createWindowEncoder, encodeEndLine, type WindowMeta } from '../../wire/window-lines.ts';
import type { AgentReports } from '../agent-reports.ts';
import { Refusal } from './refusal.ts';

export interface StreamedPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** "" while it has none. */
  readonly node: string;
}

export interface WindowStreamOptions {
  readonly store: WindowStore;
  readonly reports: AgentReports;
  readonly pods: readonly StreamedPod[];
  readonly fromMs: number;
  /** Of lines; the encoder remembers every stack it has written, so this bounds the memory of an answer too. */
  readonly maxBytes: number;
}

/** The last line says how many windows there were. Throws Refusal WINDOWS_TOO_MANY before a line too many. */
export async function* windowStream(options: WindowStreamOptions): AsyncGenerator<string> {
  const { store, reports, pods, fromMs, maxBytes } = options;
  const encode = createWindowEncoder();
  let bytes = 0;
  let windows = 0;
  for (const pod of pods) {
    const stored = store.windows({ pods: [{ podUid: pod.uid }], fromMs, toMs: Number.MAX_SAFE_INTEGER });
    for (const window of stored) {
      const { requests } = window;
      const stacks = [...window.stacks];
      const line = encode({ meta: metaOf(window, pod, reports), stacks, ...(requests && { requests }) });
      bytes += Buffer.byteLength(line);
      if (bytes > maxBytes) {
        throw new Refusal(
          413,
          'WINDOWS_TOO_MANY',
          `more than ${maxBytes} bytes; ask for fewer pods or less time`,
        );
      }
      windows += 1;
      yield line;
    }
    await otherWork(); // an hour of one pod decodes in some 30 ms: agents push in between
  }
  yield encodeEndLine(windows);
}

function metaOf(window: StoredWindow, pod: StreamedPod, reports: AgentReports): WindowMeta {
  const cpuModel = window.host?.cpuModel ?? '';
  const container = window.pod.slice(window.pod.indexOf('/') + 1);
  return {
    node: pod.node,
    namespace: pod.namespace,
    pod: pod.name,
    podUid: pod.uid,
    container,
    startMs: window.startMs,
    endMs: window.endMs,
    startedAtMs: window.podStartedAtMs,
    hz: window.hz,
    cpuUsec: window.cpuUsec,
    throttledUsec: window.throttledUsec,
    samples: window.samplesTaken,
    lost: window.samplesLost,
    flags: window.flags,
    ...(window.java && { java: window.java }),
    jdk: reports.container(pod.uid, container)?.window.jvm.jdk ?? '',
    ...(cpuModel === '' ? {} : { cpuModel }),
  };
}
