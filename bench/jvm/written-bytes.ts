/** That nothing can be written into a watched process but by the one function of mode Live: by what addon and BPF programs can do. */
import { execFileSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { samplerOptions } from '../../src/native/sampler-fixture.ts';

// The kernel's ways into another process's memory or threads. /proc/PID/mem is opened for reading only, by this
// harness and by the agent: the kernel refuses a write through that.
const CALLS = /\b(process_vm_writev|process_madvise|ptrace|kill|tgkill|pidfd_send_signal|sigqueue)\b/g;
// By number in the object (include/uapi/linux/bpf.h): probe_write_user, send_signal, send_signal_thread.
const HELPERS = /\bcall (36|109|117)\b/;
/** Only called in mode Live; src/agent/live-attempt.test.ts sees what it changes: one byte. */
const ALLOWED = 'flag_byte.o process_vm_writev';

/** 0 in every mode but Live, or null where there is another way in: then somebody has to measure. */
export function bytesWrittenByConstruction(): number | null {
  const { objectPath } = samplerOptions();
  const build = dirname(objectPath);
  const ways = globSync('native/*.o', { cwd: build }).flatMap((file) => {
    const imported = execFileSync('nm', ['--undefined-only', join(build, file)], { encoding: 'utf8' });
    return Array.from(imported.matchAll(CALLS), ([call]) => `${file.split('/').at(-1)} ${call}`);
  });
  const programs = ['cpu.bpf.o', 'exec.bpf.o', 'requests.bpf.o'].map((name) =>
    execFileSync('llvm-objdump', ['-d', join(build, name)], { encoding: 'utf8' }),
  );
  const isNarrow = ways.length === 1 && ways[0] === ALLOWED;
  return isNarrow && !programs.some((program) => HELPERS.test(program)) ? 0 : null;
}
