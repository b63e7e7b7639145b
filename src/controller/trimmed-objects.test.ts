import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FLAG_LINE, INJECT_ANNOTATION } from './profiling-policy/flag-variables.ts';
import { trimPod } from './trimmed-objects.ts';

test('of a pod’s environment only what concerns flags is kept, and values only where they are the flags', () => {
  const env = [
    { name: 'PASSWORD', value: 'secret' },
    { name: 'JAVA_TOOL_OPTIONS', value: '-Dpassword=secret' },
    { name: 'JDK_JAVA_OPTIONS', value: FLAG_LINE },
  ];
  const annotations = { [INJECT_ANNOTATION]: 'false', other: 'secret' };

  const trimmed = trimPod({
    metadata: { name: 'orders-1', annotations },
    spec: { containers: [{ name: 'app', env, envFrom: [{ secretRef: { name: 'secret' } }] }] },
  });

  assert.deepEqual(trimmed.spec?.containers, [
    {
      name: 'app',
      env: [{ name: 'JAVA_TOOL_OPTIONS' }, { name: 'JDK_JAVA_OPTIONS', value: FLAG_LINE }],
      envFrom: [{}],
    },
  ]);
  assert.deepEqual(trimmed.metadata?.annotations, { [INJECT_ANNOTATION]: 'false' });
  assert.doesNotMatch(JSON.stringify(trimmed), /secret/);
});

test('what a pod was built from is kept, unless it is longer than anything that could mean', () => {
  const annotations = {
    'org.opencontainers.image.revision': '1f0e2d3',
    'org.opencontainers.image.source': `https://git.example/${'x'.repeat(600)}`,
    'resource.opentelemetry.io/service.name': 'orders',
  };

  const trimmed = trimPod({ metadata: { name: 'orders-1', annotations } });

  assert.deepEqual(trimmed.metadata?.annotations, { 'org.opencontainers.image.revision': '1f0e2d3' });
});
