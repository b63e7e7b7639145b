/** Where the addon and the programs for the kernel are: beside dist, unless the environment says so. */
import { resolve } from 'node:path';

const BUILD = resolve(import.meta.dirname, '../../build'); // of src/cli and of dist/cli alike
const built = (variable: string, file: string): string => process.env[variable] ?? `${BUILD}/${file}`;

export const nativeFiles = () => ({
  addonPath: built('FLAMEGATE_ADDON', 'flamegate.node'),
  objectPath: built('FLAMEGATE_BPF_OBJECT', 'cpu.bpf.o'),
  offCpuObjectPath: built('FLAMEGATE_OFFCPU_OBJECT', 'offcpu.bpf.o'),
  ioObjectPath: built('FLAMEGATE_IO_OBJECT', 'io.bpf.o'),
  requestsObjectPath: built('FLAMEGATE_REQUESTS_OBJECT', 'requests.bpf.o'),
  execObjectPath: built('FLAMEGATE_EXEC_OBJECT', 'exec.bpf.o'),
});
