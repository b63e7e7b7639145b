/** That nothing can be written into a watched process: by what addon and BPF program are able to do at all. */
import { execFileSync } from 'node:child_process';
import { samplerOptions } from '../../src/native/sampler-fixture.ts';

// The kernel's ways into another process's memory or threads. /proc/PID/mem is opened for reading only, by this
// harness and by the agent: the kernel refuses a write through that.
const CALLS = /\b(process_vm_writev|process_madvise|ptrace|kill|tgkill|pidfd_send_signal|sigqueue)\b/;
// By number in the object (include/uapi/linux/bpf.h): probe_write_user, send_signal, send_signal_thread.
const HELPERS = /\bcall (36|109|117)\b/;

/** 0, or null where there is a way in: then somebody has to measure. */
export function bytesWrittenByConstruction(): number | null {
  const { addonPath, objectPath } = samplerOptions();
  const imported = execFileSync('nm', ['-D', '--undefined-only', addonPath], { encoding: 'utf8' });
  const program = execFileSync('llvm-objdump', ['-d', objectPath], { encoding: 'utf8' });
  return CALLS.test(imported) || HELPERS.test(program) ? null : 0;
}
