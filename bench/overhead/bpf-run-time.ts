/** CPU time of the BPF programs a process holds, as the kernel measures it. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const SWITCH = '/proc/sys/kernel/bpf_stats_enabled';

/** Has the kernel measure every BPF program; the result switches back to what was. Undefined where it may not be switched. */
export function measureBpf(): (() => void) | undefined {
  try {
    const before = readFileSync(SWITCH, 'utf8');
    writeFileSync(SWITCH, '1');
    return () => writeFileSync(SWITCH, before);
  } catch {
    return undefined; // read-only in a container; the figure is then missing, not zero
  }
}

/** Of all programs the process has open, since they were loaded. */
export function bpfRunMs(pid: number): number {
  const programs = new Map<string, number>();
  for (const fd of readdirSync(`/proc/${pid}/fdinfo`)) {
    const program = parseProgram(fdinfo(pid, fd));
    if (program) programs.set(program.id, program.runMs);
  }
  return [...programs.values()].reduce((sum, runMs) => sum + runMs, 0);
}

/** Of the fdinfo of a program (bpf_prog_show_fdinfo in kernel/bpf/syscall.c); undefined of any other file. */
export function parseProgram(text: string): { readonly id: string; readonly runMs: number } | undefined {
  const id = /^prog_id:\s+(\d+)$/m.exec(text)?.[1];
  const runNs = /^run_time_ns:\s+(\d+)$/m.exec(text)?.[1];
  if (id === undefined || runNs === undefined || !/^prog_type:/m.test(text)) return undefined; // links name a prog_id, too
  return { id, runMs: Number(runNs) / 1e6 };
}

function fdinfo(pid: number, fd: string): string {
  try {
    return readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'latin1');
  } catch {
    return ''; // closed since it was listed
  }
}
