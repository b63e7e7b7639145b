import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { watchExecs } from './exec-events.ts';
import { aCgroup, bpfObjectsOf, eventually, holdings, samplerOptions } from './sampler-fixture.ts';

const { addonPath, objectPath } = samplerOptions();
const execObject = join(objectPath, '../exec.bpf.o');

/** The pid of a shell that ran another program in the cgroup. */
function exec(cgroup: string): number {
  const script = 'echo $$; echo $$ > "$0/cgroup.procs"; exec true';
  return Number(spawnSync('sh', ['-c', script, cgroup], { encoding: 'utf8' }).stdout);
}

test('an exec below the cgroup is told with its pid and time, one beside it is not', async (t) => {
  const [inside, outside] = [aCgroup(t), aCgroup(t)];
  const seen: { pid: number; timeMs: number }[] = [];
  const ancestor = statSync(inside, { bigint: true }).ino;
  const events = watchExecs({
    ...{ addonPath, objectPath: execObject, ancestor },
    onExec: (pid, timeMs) => seen.push({ pid, timeMs }),
  });
  t.after(() => events.close());

  const other = exec(outside);
  const first = exec(inside);
  const second = exec(inside);

  await eventually('both are told', () => seen.some(({ pid }) => pid === second));
  assert.deepEqual(
    seen.map(({ pid }) => pid),
    [first, second],
  );
  assert(!seen.some(({ pid }) => pid === other));
  const [before, after] = [seen[0]?.timeMs ?? 0, seen[1]?.timeMs ?? 0];
  assert(before > 0 && before < after);
  assert.equal(events.lost, 0);
});

test('without an ancestor every exec is told, and close leaves nothing', async () => {
  const before = holdings();
  const seen = new Set<number>();
  const events = watchExecs({
    ...{ addonPath, objectPath: execObject, ancestor: 0n },
    onExec: (pid) => seen.add(pid),
  });
  const { pid } = spawnSync('true');
  await eventually('it is told', () => seen.has(pid));

  events.close();
  events.close();

  assert.deepEqual(bpfObjectsOf('self'), { programs: [], maps: [] });
  assert.deepEqual(holdings(), before);
});

test('a BPF object that is not there is said', () => {
  assert.throws(
    () => watchExecs({ addonPath, objectPath: '/nowhere/exec.bpf.o', ancestor: 0n, onExec: () => {} }),
    { code: 'BPF_OBJECT_MISSING' },
  );
  assert.throws(() => watchExecs({ addonPath, objectPath, ancestor: 0n, onExec: () => {} }), {
    code: 'BPF_OBJECT_INVALID',
  });
});
