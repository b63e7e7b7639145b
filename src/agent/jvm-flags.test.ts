import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jvmOptions } from './jvm-flags.ts';

test('flags are seen on the command line and in the variables the JVM reads', () => {
  const seen = jvmOptions(
    'java\0-XX:+PreserveFramePointer\0-jar\0app.jar\0',
    'PATH=/bin\0JAVA_TOOL_OPTIONS=-XX:+UnlockDiagnosticVMOptions -XX:+DebugNonSafepoints\0',
  );

  assert.deepEqual(seen, { flags: ['PreserveFramePointer', 'DebugNonSafepoints'], attachDisabled: false });
});

test('what the JVM reads last counts', () => {
  const seen = jvmOptions(
    'java\0-XX:-PreserveFramePointer\0-XX:+DisableAttachMechanism\0',
    'JAVA_TOOL_OPTIONS=-XX:+PreserveFramePointer\0_JAVA_OPTIONS=-XX:-DisableAttachMechanism\0',
  );

  assert.deepEqual(seen, { flags: [], attachDisabled: false });
});

test('a variable of a similar name means nothing', () => {
  assert.deepEqual(jvmOptions('java\0', 'MY_JAVA_TOOL_OPTIONS=-XX:+PreserveFramePointer\0').flags, []);
});
