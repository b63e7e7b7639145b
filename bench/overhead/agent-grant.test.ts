import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseAgentGrant } from './agent-grant.ts';

test('the install says how the agent starts, without what only a cluster knows', () => {
  const install = readFileSync(`${import.meta.dirname}/../../config/agent/agent.yaml`, 'utf8');

  const { command, env, capabilities } = parseAgentGrant(install);

  assert.equal(command.at(-1), '/app/dist/agent/main.mjs');
  assert(command.includes('--lite-mode'));
  assert.equal(env['MALLOC_ARENA_MAX'], '1');
  assert(!('NODE_NAME' in env));
  assert(capabilities.includes('BPF') && capabilities.includes('PERFMON'));
});

test('a file without the template is refused', () => {
  assert.throws(() => parseAgentGrant('kind: ServiceAccount\n'), /no PodTemplate/);
});
