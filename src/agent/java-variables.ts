/** The variables of a process that a JVM, or OpenTelemetry in it, takes options from, out of its /proc/PID/environ. */
import { readChunks } from './bounded-read.ts';

const READ_BY_A_JVM = ['JAVA_TOOL_OPTIONS=', 'JDK_JAVA_OPTIONS=', '_JAVA_OPTIONS=', 'OTEL_'];
/** All that exec lets through: three quarters of _STK_LIM (fs/exec.c, bprm_stack_limits). Service links fill megabytes. */
const MAX_ENVIRON_BYTES = 6 * 1024 * 1024;

/**
 * Their entries `NAME=value`; the rest is dropped chunk by chunk. Undefined if the process ended, which reads as empty.
 * Throws as the kernel does: another user's environment takes CAP_SYS_PTRACE.
 */
export function readJavaVariables(path: string): readonly string[] | undefined {
  const found: string[] = [];
  const keep = (entries: readonly string[]) =>
    found.push(...entries.filter((entry) => READ_BY_A_JVM.some((start) => entry.startsWith(start))));
  let cut = ''; // the entry that the next chunk goes on with: at most 128 KB, as one string of exec
  let bytes = 0;
  readChunks(path, MAX_ENVIRON_BYTES, (chunk) => {
    bytes += chunk.length;
    // latin1: no character is torn between chunks, and only ASCII is looked for
    const text = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString('latin1');
    const entries = `${cut}${text}`.split('\0');
    cut = entries.pop() ?? '';
    keep(entries);
  });
  keep([cut]);
  return bytes === 0 ? undefined : found;
}
