/** The profile that an install may give its container runtime (config/agent/seccomp), on the real kernel but without a runtime. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { refusedCalls } from '../native/lockdown.ts';
import { aContainer, anAgent, anAssignment, collapsed, firstProfiled } from './agent-fixture.ts';
import { aController } from './controller-fixture.ts';
import { aJvm, eventually } from './jvm-fixture.ts';

interface Profile {
  readonly defaultAction: string;
  readonly syscalls: readonly { readonly names: readonly string[]; readonly action: string }[];
}
const root = `${import.meta.dirname}/../..`;
const profile: Profile = JSON.parse(
  readFileSync(`${root}/config/agent/seccomp/flamegate-agent.json`, 'utf8'),
);
const allowed = new Set(
  profile.syscalls.flatMap(({ names, action }) => (action === 'SCMP_ACT_ALLOW' ? names : [])),
);
/** The runtime executes the agent under it. */
const RUNTIME = ['execve', 'execveat'];

test('the profile refuses what it does not name, and what the agent gives up itself is not named', () => {
  const given = [...refusedCalls(`${root}/build/flamegate.node`), 'process_vm_writev'];

  assert.equal(profile.defaultAction, 'SCMP_ACT_ERRNO');
  assert(given.length > 40);
  assert.deepEqual(
    given.filter((call) => allowed.has(call)),
    RUNTIME,
  );
});

test('a name is resolved under it: glibc asks for both kinds of address by one call', () => {
  assert(allowed.has('sendmmsg')); // without it EAI_AGAIN, which an agent that knows localhost only does not meet
});

test('an agent that may make only these calls samples, reads a JVM and asks one for its names', async (t) => {
  const controller = await aController(t);
  const container = aContainer(t);
  await aJvm(t, { cgroup: container.directory, contained: true });
  controller.assignment = anAssignment(container.id, true, 'PerfMap');
  const numbers = numbersOfCalls();
  const calls = [...allowed].flatMap((call) => numbers.get(call) ?? []);
  assert(calls.length > 150, `${calls.length} calls are known`);
  const agent = anAgent(t, controller, { under: [`${root}/build/only-calls`, calls.join(',')] });

  await eventually('a named window arrives', () => firstProfiled(controller) !== undefined);

  const batch = firstProfiled(controller);
  const pod = batch?.pods[0];
  assert(batch && pod);
  assert.equal(pod.jvm.symbols, 'PerfMap');
  assert(collapsed(batch, pod).some(({ names }) => names.includes('Busy.encodeSlowly')));
  assert.match(agent.output(), /"msg":"locked down"/);
});

/** As the headers of this machine have them; names of other architectures are in the profile and not here. */
function numbersOfCalls(): ReadonlyMap<string, number> {
  const header = readFileSync('/usr/include/x86_64-linux-gnu/asm/unistd_64.h', 'utf8');
  return new Map(
    [...header.matchAll(/^#define __NR_(\w+) (\d+)$/gm)].map(([, name = '', number]) => [
      name,
      Number(number),
    ]),
  );
}
