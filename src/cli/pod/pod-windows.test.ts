import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KubeError } from '../../kube/kube-error.ts';
import { encodeEndLine } from '../../wire/window-lines.ts';
import { podWindows } from './pod-windows.ts';

test('an API server that is away for a moment is asked again; one that says no is not', async () => {
  const answers = [
    () => Promise.reject(new KubeError('KUBE_UNREACHABLE', 'GET pods: ECONNREFUSED', { status: 0 })),
    () => Promise.resolve(Buffer.from(encodeEndLine(0))),
    () => Promise.reject(new KubeError('KUBE_FORBIDDEN', 'GET pods: 403', { status: 403 })),
  ];
  const controller = { get: async () => (await answers.shift()?.()) ?? assert.fail('asked too often') };
  const said: string[] = [];
  const options = {
    signal: new AbortController().signal,
    everyMs: 1,
    say: (line: string) => said.push(line),
  };
  const followed = podWindows(controller, { namespace: 'shop', name: 'orders-1' }, options);

  assert.deepEqual((await followed.next()).value, { windows: [], areOld: true });
  await assert.rejects(followed.next(), { code: 'KUBE_FORBIDDEN' });

  assert.deepEqual(said, ['asked in vain, will be repeated: KUBE_UNREACHABLE: GET pods: ECONNREFUSED']);
});
