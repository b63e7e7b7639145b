import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { loadAddon } from './addon.ts';
import { explained } from './native-failure.ts';
import { SamplerError } from './sampler-error.ts';

export interface ExecEventOptions {
  /** exec.bpf.o and flamegate.node, of one build. */
  readonly objectPath: string;
  readonly addonPath: string;
  /** Cgroup v2 id: only what execs below it is told; 0 is the whole node. */
  readonly ancestor: bigint;
  /** A process of this pid of the initial namespace began to run another program, at this time of CLOCK_MONOTONIC. */
  onExec(pid: number, timeMs: number): void;
}

export interface ExecEvents {
  /** Events there was no room for. */
  readonly lost: number;
  /** Leaves nothing in the kernel. Safe to call twice. */
  close(): void;
}

/** Tells of every exec, within a millisecond when this process is idle. Throws a SamplerError. */
export function watchExecs(options: ExecEventOptions): ExecEvents {
  const objectPath = resolve(options.objectPath);
  if (!existsSync(objectPath)) {
    throw new SamplerError('BPF_OBJECT_MISSING', `there is no BPF object at ${objectPath}`);
  }
  const addon = loadAddon(resolve(options.addonPath));
  const execs = explained(() => addon.watchExecs(objectPath, options.ancestor, options.onExec));
  return {
    get lost() {
      return addon.execsLost(execs);
    },
    close() {
      addon.closeExecs(execs);
    },
  };
}
