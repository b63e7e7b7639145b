/** What a batch of samples meets that has to be named: methods and stubs, each told once, and functions of libraries. */
import type { SampleBatch } from '../native/sample-batch.ts';
import type { SampleRow } from '../native/sample-rows.ts';
import type { FileRegion } from '../symbols/proc-maps.ts';
import type { MetNatives } from './native-names.ts';
import type { TrackedProcess } from './tracked-process.ts';
import type { WindowNames } from './window-names.ts';

interface Processes {
  readonly processes: ReadonlyMap<number, TrackedProcess>;
}

/** What frames refer to by number is told once in a process's life. */
export function learnNames(
  { methods, names, classes }: Pick<SampleBatch, 'methods' | 'names' | 'classes'>,
  containers: { all(): readonly Processes[] },
): void {
  const jvms = new Map(
    containers.all().flatMap(({ processes }) => [...processes].map(([pid, { jvm }]) => [pid, jvm] as const)),
  );
  for (const method of methods) jvms.get(method.pid)?.frames.learnMethod(method);
  for (const name of names) jvms.get(name.pid)?.frames.learnStub(name);
  for (const [pid, met] of Map.groupBy(classes, (each) => each.pid)) jvms.get(pid)?.suspended?.learn(met);
}

/** The native frames of windows, by the file they are in. */
export function metNatives(
  windows: readonly { readonly container: Processes; readonly rows: readonly SampleRow[] }[],
  names: WindowNames,
  procRoot: string,
): readonly MetNatives[] {
  const all: MetNatives[] = [];
  for (const { container, rows } of windows) {
    for (const [pid, ofPid] of Map.groupBy(rows, (row) => row.pid)) {
      const process = container.processes.get(pid);
      if (!process) continue;
      const met = new Map<FileRegion, Set<number>>();
      for (const row of ofPid) names.meetNatives(row, process, met);
      const root = `${procRoot}/${pid}/root`;
      all.push(...Array.from(met, ([region, addresses]) => ({ root, region, addresses })));
    }
  }
  return all;
}
