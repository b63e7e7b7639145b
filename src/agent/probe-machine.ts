/** What this machine allows: every way of watching is opened once, at this process alone, and taken down again. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { arch, release } from 'node:os';
import { type CapabilityName, missingCapabilities } from '../native/capabilities.ts';
import { watchExecs } from '../native/exec-events.ts';
import { openRequestWatcher } from '../native/request-watcher.ts';
import { openSampler, type Sampler } from '../native/sampler.ts';
import { codeOf, messageOf } from './agent-error.ts';
import { type CgroupRoots, findCgroupRoots } from './cgroup-roots.ts';
import type { AgentConfig } from './config.ts';
import { fileNameStores } from './file-name-store.ts';
import { readKernelSymbols } from './kernel-names.ts';

export interface Finding {
  readonly what: string;
  /** Ok; Limited: it goes without, less well; Missing: nothing goes without it. */
  readonly state: 'Ok' | 'Limited' | 'Missing';
  readonly found: string;
  /** What to do about it; absent where nothing has to be done. */
  readonly advice?: string;
}

export type ProbeOptions = Pick<
  AgentConfig,
  | 'addonPath'
  | 'objectPath'
  | 'offCpuObjectPath'
  | 'ioObjectPath'
  | 'requestsObjectPath'
  | 'execObjectPath'
  | 'procRoot'
  | 'cgroupRoot'
> & {
  /** Of its own, for names on disk. */
  readonly directory: string;
};

const OLDEST_KERNEL = [5, 15] as const; // ring buffer, bpf_get_stack of tasks, perf events as BPF targets
const NEEDED: readonly CapabilityName[] = ['CAP_BPF', 'CAP_PERFMON', 'CAP_SYS_PTRACE', 'CAP_DAC_READ_SEARCH'];
const SELF = BigInt(process.pid);
const SMALL = { frequencyHz: 49, ringBytes: 1 << 18, maxTargets: 16, maxProcesses: 16, maxStacks: 1_000 };

/** In the order in which they depend on each other. Never throws for what the machine is. */
export function probeMachine(options: ProbeOptions): readonly Finding[] {
  return [
    architecture(),
    kernel(),
    capabilities(),
    ...withSampler(options),
    requests(options),
    execs(options),
    kernelNames(options),
    cgroups(options),
  ];
}

function architecture(): Finding {
  const what = 'processor';
  if (arch() === 'x64') return { what, state: 'Ok', found: 'x86-64' };
  return { what, state: 'Missing', found: arch(), advice: 'stacks are unwound on x86-64 only' };
}

function kernel(): Finding {
  const found = release();
  const [major = 0, minor = 0] = found.split('.').map(Number);
  const isNew = major > OLDEST_KERNEL[0] || (major === OLDEST_KERNEL[0] && minor >= OLDEST_KERNEL[1]);
  if (isNew) return { what: 'kernel', state: 'Ok', found };
  return { what: 'kernel', state: 'Missing', found, advice: `${OLDEST_KERNEL.join('.')} or newer` };
}

function capabilities(): Finding {
  const what = 'capabilities';
  const missing = missingCapabilities(NEEDED) ?? [];
  if (missing.length === 0) return { what, state: 'Ok', found: NEEDED.join(', ') };
  return {
    what,
    state: 'Missing',
    found: `without ${missing.join(', ')}`,
    advice: 'run it as root, or grant them',
  };
}

/** Samples, waits, reads and writes come through one door. */
function withSampler(options: ProbeOptions): readonly Finding[] {
  let sampler: Sampler;
  try {
    sampler = openSampler({ ...options, ...SMALL, filter: 'pid' });
  } catch (error) {
    const advice = 'docs/errors.md says what each code means';
    return [{ what: 'CPU samples', state: 'Missing', found: failure(error), advice }];
  }
  try {
    sampler.addTarget(SELF);
    return [
      { what: 'CPU samples', state: 'Ok', found: 'BPF on the clock of each CPU' },
      stackCopies(),
      attempted('waiting (offCpu)', 'sched_switch', () => sampler.addWaits(SELF, 1_000_000n)),
      attempted('reads and writes (io)', 'tracepoints of system calls', () =>
        sampler.addIo(SELF, 1_000_000n),
      ),
    ];
  } finally {
    sampler.close();
  }
}

function stackCopies(): Finding {
  const what = 'types of the kernel (BTF)';
  if (existsSync('/sys/kernel/btf/vmlinux')) return { what, state: 'Ok', found: '/sys/kernel/btf/vmlinux' };
  const advice =
    'a kernel with CONFIG_DEBUG_INFO_BTF; without it nothing is seen of waiting, reads and writes';
  return { what, state: 'Limited', found: 'none', advice };
}

function attempted(what: string, found: string, attempt: () => void): Finding {
  try {
    attempt();
    return { what, state: 'Ok', found };
  } catch (error) {
    return { what, state: 'Limited', found: failure(error), advice: 'it is not watched; all else goes on' };
  }
}

function requests(options: ProbeOptions): Finding {
  const what = 'requests';
  const cgroup = ownCgroup(options);
  if (cgroup === undefined) {
    const advice = 'a kernel with cgroup v2 mounted, beside v1 or alone';
    return {
      what,
      state: 'Limited',
      found: 'no cgroup v2: sockets cannot be told apart by container',
      advice,
    };
  }
  const sizes = { ringBytes: 1 << 16, maxContainers: 16, maxConnections: 64, maxExchanges: 64 };
  let found = '';
  const tried = attempted(what, '', () => {
    const watcher = openRequestWatcher({ ...options, objectPath: options.requestsObjectPath, ...sizes });
    try {
      watcher.watch(cgroup, 1);
      found =
        watcher.hooks === 'sockets' ? 'at the sockets' : 'at system calls: this kernel is older than 6.3';
    } finally {
      watcher.close();
    }
  });
  return tried.state === 'Ok' ? { ...tried, found } : tried;
}

function execs({ execObjectPath, addonPath }: ProbeOptions): Finding {
  return attempted('starts of JVMs (mode Live)', 'exec, as it happens', () =>
    watchExecs({ objectPath: execObjectPath, addonPath, ancestor: 1n, onExec: () => undefined }).close(),
  );
}

function kernelNames({ procRoot, directory }: ProbeOptions): Finding {
  const what = 'names of the kernel';
  const symbols = readKernelSymbols(procRoot, fileNameStores(directory));
  if (symbols && !symbols.hidden) return { what, state: 'Ok', found: `${symbols.symbols} functions` };
  const advice = 'CAP_SYSLOG, or kernel.kptr_restrict=0; frames of the kernel stay [kernel] without';
  return { what, state: 'Limited', found: symbols ? 'addresses are hidden' : 'no /proc/kallsyms', advice };
}

function cgroups({ cgroupRoot }: ProbeOptions): Finding {
  const what = 'cgroups';
  try {
    return { what, state: 'Ok', found: layoutOf(findCgroupRoots(cgroupRoot)) };
  } catch (error) {
    return {
      what,
      state: 'Limited',
      found: failure(error),
      advice: 'containers cannot be found by their id',
    };
  }
}

const layoutOf = ({ v2, v1Accounting }: CgroupRoots): string =>
  v2 === undefined ? 'v1' : v1Accounting === undefined ? 'v2' : `v1, and v2 at ${v2}`;

/** Id of the cgroup v2 of this process. */
function ownCgroup({ cgroupRoot, procRoot }: ProbeOptions): bigint | undefined {
  try {
    const { v2 } = findCgroupRoots(cgroupRoot);
    const path = /^0::(.*)$/m.exec(readFileSync(`${procRoot}/self/cgroup`, 'utf8'))?.[1];
    if (v2 === undefined || path === undefined) return undefined;
    return statSync(`${v2}${path}`, { bigint: true }).ino;
  } catch {
    return undefined; // there is none that can be read
  }
}

const failure = (error: unknown): string => `${codeOf(error)}: ${messageOf(error)}`;
