/** The agent as a process of its own: it locks itself down, and does its work all the same. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { aContainer, anAgent, anAssignment, collapsed, firstProfiled } from './agent-fixture.ts';
import { aController } from './controller-fixture.ts';
import { aJvm, eventually } from './jvm-fixture.ts';

test('each thread of an agent that samples, reads and attaches is filtered, and it cannot be dumped', async (t) => {
  const controller = await aController(t);
  const container = aContainer(t);
  await aJvm(t, { cgroup: container.directory, contained: true });
  controller.assignment = anAssignment(container.id, true, 'PerfMap');
  const agent = anAgent(t, controller);
  await eventually('a named window arrives', () => firstProfiled(controller) !== undefined);
  const { pid = 0 } = agent.child;

  const tasks = readdirSync(`/proc/${pid}/task`);
  const statuses = tasks.map((tid) => readFileSync(`/proc/${pid}/task/${tid}/status`, 'utf8'));
  const limits = readFileSync(`/proc/${pid}/limits`, 'utf8');

  assert(tasks.length > 4, `${tasks.length} threads`);
  for (const status of statuses) {
    assert.match(status, /^NoNewPrivs:\t1$/m);
    assert.match(status, /^Seccomp:\t2$/m);
  }
  assert.match(limits, /^Max core file size +0 +0 /m);
  assert.match(agent.output(), /"live":false,"attach":true,"msg":"locked down"/);
  const batch = firstProfiled(controller);
  const pod = batch?.pods[0];
  assert(batch && pod);
  assert.equal(pod.jvm.symbols, 'PerfMap');
  assert(collapsed(batch, pod).some(({ names }) => names.includes('Busy.encodeSlowly')));
});
