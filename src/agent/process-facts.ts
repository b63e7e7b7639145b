/** What /proc tells of a process. */
import { readText } from './bounded-read.ts';

export interface ProcessFacts {
  readonly pid: number;
  /** With the pid it names a process for ever: pids are used again, start times are not. */
  readonly startTicks: number;
  /** Pid in its innermost pid namespace. */
  readonly nsPid: number;
  readonly uid: number;
  readonly gid: number;
}

const MAX_STATUS_BYTES = 16 * 1024;
const TICKS_PER_SECOND = 100; // USER_HZ, the same on every architecture Linux runs Node on
const SIGQUIT_BIT = 1n << 2n;

/** Undefined when the process ended. */
export function readProcessFacts(procRoot: string, pid: number): ProcessFacts | undefined {
  const startTicks = readStartTicks(procRoot, pid);
  const status = readText(`${procRoot}/${pid}/status`, MAX_STATUS_BYTES);
  if (startTicks === undefined || status === undefined) return undefined;
  const nsPid = Number(statusField(status, 'NSpid').at(-1) ?? pid);
  const uid = Number(statusField(status, 'Uid')[1]);
  const gid = Number(statusField(status, 'Gid')[1]);
  return { pid, startTicks, nsPid, uid, gid };
}

/** Undefined when there is no such process. */
export function readStartTicks(procRoot: string, pid: number): number | undefined {
  const stat = readText(`${procRoot}/${pid}/stat`, 4096);
  // the second field, the command, may hold spaces and parentheses; the start time is the 22nd
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields?.[19]);
  return fields && Number.isSafeInteger(ticks) && fields[0] !== 'Z' ? ticks : undefined;
}

export function isAlive(procRoot: string, process: Pick<ProcessFacts, 'pid' | 'startTicks'>): boolean {
  return readStartTicks(procRoot, process.pid) === process.startTicks;
}

/** Milliseconds since the process started. */
export function ageMs(procRoot: string, process: Pick<ProcessFacts, 'startTicks'>): number {
  const uptimeSeconds = Number.parseFloat(readText(`${procRoot}/uptime`, 128) ?? '0');
  return uptimeSeconds * 1000 - (process.startTicks * 1000) / TICKS_PER_SECOND;
}

/** Whether a SIGQUIT would be handled; if not, it ends the process. */
export function catchesSigquit(procRoot: string, pid: number): boolean {
  const status = readText(`${procRoot}/${pid}/status`, MAX_STATUS_BYTES);
  const mask = status && statusField(status, 'SigCgt')[0];
  return mask !== undefined && /^[0-9a-f]+$/.test(mask) && (BigInt(`0x${mask}`) & SIGQUIT_BIT) !== 0n;
}

function statusField(status: string, name: string): readonly string[] {
  const line = status.split('\n').find((each) => each.startsWith(`${name}:`));
  return (
    line
      ?.slice(name.length + 1)
      .trim()
      .split(/\s+/) ?? []
  );
}
