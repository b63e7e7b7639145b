import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { readJavaVariables } from './java-variables.ts';

/** A process with this environment, and no variable more; it ends with the test. */
async function environOf(t: TestContext, env: Readonly<Record<string, string>>): Promise<string> {
  const child = spawn('/bin/sleep', ['60'], { env: { ...env }, stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  await new Promise((resolve) => child.once('spawn', resolve));
  return `/proc/${child.pid}/environ`;
}

test('of an environment only the variables that a JVM reads are kept', async (t) => {
  const path = await environOf(t, {
    PATH: '/bin',
    MY_JAVA_TOOL_OPTIONS: '-Xmx1g',
    JDK_JAVA_OPTIONS: '-Da=b -Dc=d',
    JAVA_TOOL_OPTIONS: '',
    PASSWORD: 'secret',
  });

  assert.deepEqual(readJavaVariables(path), ['JDK_JAVA_OPTIONS=-Da=b -Dc=d', 'JAVA_TOOL_OPTIONS=']);
});

test('a variable behind a megabyte of service links is found', async (t) => {
  const links = Array.from({ length: 20 }, (_, i) => [`SERVICE_${i}`, 'ü'.repeat(30_001)] as const);
  const path = await environOf(t, { ...Object.fromEntries(links), JAVA_TOOL_OPTIONS: '-Xmx1g' });

  assert.deepEqual(readJavaVariables(path), ['JAVA_TOOL_OPTIONS=-Xmx1g']);
});

test('an environment without such variables is not the same as none that could be read', async (t) => {
  assert.deepEqual(readJavaVariables(await environOf(t, { PATH: '/bin' })), []);
  assert.equal(readJavaVariables('/proc/0/environ'), undefined);
  assert.equal(readJavaVariables(await environOf(t, {})), undefined);
});
