import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jvmOptions } from './jvm-flags.ts';

test('flags are seen on the command line and in the variables the JVM reads', () => {
  const seen = jvmOptions('java\0-XX:+PreserveFramePointer\0-jar\0app.jar\0', [
    'JAVA_TOOL_OPTIONS=-XX:+UnlockDiagnosticVMOptions -XX:+DebugNonSafepoints',
  ]);

  assert.deepEqual(seen.flags, ['PreserveFramePointer', 'DebugNonSafepoints']);
  assert.equal(seen.attachDisabled, false);
});

test('what the JVM reads last counts', () => {
  const seen = jvmOptions('java\0-XX:-PreserveFramePointer\0-XX:+DisableAttachMechanism\0', [
    'JAVA_TOOL_OPTIONS=-XX:+PreserveFramePointer',
    '_JAVA_OPTIONS=-XX:-DisableAttachMechanism',
  ]);

  assert.deepEqual(seen.flags, []);
  assert.equal(seen.attachDisabled, false);
});

test('a variable of a similar name means nothing', () => {
  assert.deepEqual(jvmOptions('java\0', ['MY_JAVA_TOOL_OPTIONS=-XX:+PreserveFramePointer']).flags, []);
});

test('the variables that may carry flags are told by name, even when they are empty', () => {
  const variables = ['_JAVA_OPTIONS=-Da=b', 'JDK_JAVA_OPTIONS=', 'JAVA_TOOL_OPTIONS=-Dpassword=secret'];

  assert.deepEqual(jvmOptions('java\0', variables).environment, ['JAVA_TOOL_OPTIONS', 'JDK_JAVA_OPTIONS']);
  assert.deepEqual(jvmOptions('java\0', []).environment, []);
});

test('of an environment that could not be read nothing is told', () => {
  assert.equal(jvmOptions('java\0', undefined).environment, undefined);
});

test('a Java agent that traces requests is seen wherever the JVM is told of it, and an SDK by its variables', () => {
  const tracerOf = (cmdline: string, ...variables: string[]) => jvmOptions(cmdline, variables).tracer;

  assert.equal(
    tracerOf('java\0-javaagent:/otel/opentelemetry-javaagent.jar\0-jar\0app.jar\0'),
    'opentelemetry-javaagent.jar',
  );
  assert.equal(
    tracerOf('java\0', 'JAVA_TOOL_OPTIONS=-Xmx1g -javaagent:/dd/dd-java-agent-1.40.jar=key=value'),
    'dd-java-agent-1.40.jar',
  );
  assert.equal(tracerOf('java\0', 'OTEL_SERVICE_NAME=orders'), 'OTEL_SERVICE_NAME');
  assert.equal(tracerOf('java\0', 'OTEL_SERVICE_NAME=orders', 'OTEL_SDK_DISABLED=true'), undefined);
  assert.equal(tracerOf('java\0-javaagent:/opt/jacoco.jar\0-Dx=/opentelemetry-javaagent.jar\0'), undefined);
  assert.equal(jvmOptions('java\0', undefined).tracer, undefined);
});
