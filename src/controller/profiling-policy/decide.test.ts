import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findCondition } from '../../kube/conditions.ts';
import { decide } from './decide.ts';
import type { Observed } from './gather.ts';
import { aJvm, anObserved, aPolicy, aSelected, NOW_MS } from './testing/samples.ts';

const condition = (observed: Observed, type: string): string => {
  const found = findCondition(decide(observed).status.conditions, type);
  return found === undefined ? 'absent' : `${found.status} ${found.reason}: ${found.message}`;
};

test('a selector that matches nothing is not ready, and the sentence names namespace and selector', () => {
  const observed = anObserved({ containers: [], pods: 0 });

  assert.equal(
    condition(observed, 'Ready'),
    'False NoPodsSelected: no pod in namespace shop matches app=orders',
  );
});

test('one profiled pod makes a policy ready, and the others are told of', () => {
  const failed = aJvm({
    state: 'AttachFailed',
    reason: 'AttachRefused',
    message: 'the socket did not appear',
  });
  const observed = anObserved({ containers: [aSelected(), aSelected({ pod: 'orders-2', state: failed })] });

  assert.equal(
    condition(observed, 'Ready'),
    'True Profiling: 1 of 2 pods are profiled; Deployment orders, container main: 1 of 2 pods: orders-2: the socket did not appear',
  );
});

test('without agents nothing can be profiled, and that is the reason', () => {
  const observed = anObserved({ containers: [aSelected({ state: undefined })], agents: [] });

  assert.equal(
    condition(observed, 'Ready'),
    'False AgentsMissing: 0 of 1 agents have reported within the last minute',
  );
});

test('pods that no agent has reported yet are waited for', () => {
  const observed = anObserved({ containers: [aSelected({ state: undefined })] });

  assert.match(condition(observed, 'Ready'), /^Unknown WaitingForAgents/);
  assert.match(condition(observed, 'Reconciling'), /^True Progressing/);
});

test('pods without a JVM are named as such', () => {
  const observed = anObserved({
    containers: [aSelected({ state: aJvm({ state: 'NoJvm', message: 'no libjvm is mapped', jdk: '' }) })],
  });

  assert.equal(
    condition(observed, 'Ready'),
    'False NoJvm: Deployment orders, container main: 1 of 1 pods: orders-1: no libjvm is mapped',
  );
});

test('a sidecar without a JVM does not trouble a profiled service', () => {
  const sidecar = aSelected({ container: 'logger', state: aJvm({ state: 'NoJvm', jdk: '' }) });

  assert.equal(
    condition(anObserved({ containers: [aSelected(), sidecar] }), 'Ready'),
    'True Profiling: 1 of 1 pods are profiled',
  );
});

test('a container that does not run is the reason of its own', () => {
  const observed = anObserved({
    containers: [aSelected({ running: false, phase: 'Pending', state: undefined })],
  });

  assert.match(condition(observed, 'Ready'), /^False ContainerNotRunning/);
});

test('selected pods without the named container are told', () => {
  const observed = anObserved({ policy: aPolicy({ containers: ['api'] }), containers: [], pods: 2 });

  assert.equal(
    condition(observed, 'Ready'),
    'False ContainerNotFound: none of the 2 selected pods has a container api',
  );
});

test('a report older than a minute does not count as profiled', () => {
  const observed = anObserved({ containers: [aSelected({ state: aJvm({}, 90_000) })] });

  assert.match(condition(observed, 'Ready'), /^False AgentSilent: .*90 s old$/);
});

test('agents are ready when each is scheduled, ready and has reported', () => {
  assert.match(condition(anObserved(), 'AgentsReady'), /^True AllReady/);
  assert.match(condition(anObserved({ daemonSet: undefined }), 'AgentsReady'), /^False DaemonSetMissing/);
  assert.match(condition(anObserved({ agents: [] }), 'AgentsReady'), /^False NoneReported/);
});

test('during the first 90 s of a controller missing agents are unknown, not wrong', () => {
  const observed = anObserved({ agents: [], listeningSinceMs: NOW_MS - 30_000 });

  assert.match(condition(observed, 'AgentsReady'), /^Unknown NoneReported/);
});

test('overhead is that of the busiest and the largest agent', () => {
  assert.deepEqual(decide(anObserved()).status.overhead, {
    agents: 1,
    cpuPercent: '0.80%',
    memory: '58Mi',
    samplesPerSecond: 40,
    lostPercent: '1.00%',
  });
});

test('workloads have a row for each container, with what runs in it', () => {
  const state = aJvm({ flags: ['PreserveFramePointer'] });
  const observed = anObserved({ containers: [aSelected({ state }), aSelected({ pod: 'orders-2', state })] });

  assert.deepEqual(decide(observed).status.workloads, [
    {
      kind: 'Deployment',
      name: 'orders',
      container: 'main',
      pods: 2,
      profiled: 2,
      jdk: '17.0.15',
      symbols: 'PerfMap',
      flags: 'PreserveFramePointer',
      reason: 'Profiled',
      message: '2 of 2 pods are profiled',
    },
  ]);
});

const SEEN = { state: 'Seen', reason: '', message: '' } as const;

const rowOf = (...jvms: Parameters<typeof aJvm>[0][]) => {
  const containers = jvms.map((jvm, i) => aSelected({ pod: `orders-${i}`, state: aJvm(jvm) }));
  return decide(anObserved({ containers })).status.workloads?.[0];
};

test('a row tells where names come from and how far the leaf is to be trusted: of pods that differ, the worst', () => {
  const exact = { symbols: 'VmStructs', leaf: 'Exact', reason: 'VmStructs' } as const;
  const coarse = { ...exact, leaf: 'SafepointAccurate' } as const;
  const perfMap = { symbols: 'PerfMap', reason: 'PerfMap' } as const;
  const partial = { symbols: 'Partial', state: 'Partial', reason: 'LayoutOdd', message: 'odd' } as const;
  const told = (...jvms: Parameters<typeof rowOf>) => {
    const row = rowOf(...jvms);
    return `${row?.symbols} ${row?.leaf ?? '-'}`;
  };

  assert.equal(told(exact, exact), 'VmStructs Exact');
  assert.equal(told(exact, coarse), 'VmStructs SafepointAccurate');
  assert.equal(told(exact, perfMap), 'PerfMap Exact');
  assert.equal(told(perfMap, partial), 'Partial -');
  assert.equal(told({ state: 'NoJvm', jdk: '' }), 'None -');
});

test('a row tells whether requests are seen, and of the first pod where they are not, why', () => {
  const told = (...states: readonly ('Seen' | 'NotObservable' | undefined)[]) => {
    const containers = states.map((state, at) => {
      const why = { reason: 'Tls', message: 'the container answers by TLS' };
      const requests = state === 'Seen' ? { state, reason: '', message: '' } : { state, ...why };
      const { window, ...seen } = aJvm();
      const jvm = { ...seen, window: { ...window, ...(state && { requests: { ...requests, state } }) } };
      return aSelected({ pod: `orders-${at}`, state: jvm });
    });
    const [row] = decide(anObserved({ containers })).status.workloads ?? [];
    return [row?.requests, row?.requestsReason, row?.requestsMessage];
  };

  assert.deepEqual(told(undefined, undefined), [undefined, undefined, undefined]);
  assert.deepEqual(told('Seen', undefined), ['Seen', undefined, undefined]);
  const why = 'orders-1: the container answers by TLS';
  assert.deepEqual(told('Seen', 'NotObservable'), ['NotObservable', 'Tls', why]);
});

test('a row tells which calls block Dispatchers.Default in how many pods, with their callers, the longest first', () => {
  const coroutine = [
    'kotlin.coroutines.jvm.internal.BaseContinuationImpl.resumeWith',
    'kotlinx.coroutines.DispatchedTask.run',
    'kotlinx.coroutines.scheduling.CoroutineScheduler.runSafely',
    'kotlinx.coroutines.scheduling.CoroutineScheduler$Worker.run',
  ];
  const asleep = { call: 'java.lang.Thread.sleep', caller: 'shop.Codec.encode', reason: 'sleep' } as const;
  const reading = {
    call: 'java.io.FileInputStream.read',
    caller: 'shop.Stock.load',
    reason: 'file',
  } as const;
  const native = ['pthread_cond_timedwait [libc.so.6]', 'java.lang.Thread.sleep0'];
  const stack = [...native, asleep.call, asleep.caller, 'shop.Orders$take$1.invokeSuspend', ...coroutine];
  const waitingIn = (...blocked: readonly { readonly ns: number }[]) => {
    const { window, ...seen } = aJvm();
    const calls = [
      { ...asleep, stack },
      { ...reading, stack: [] },
    ].map((call, i) => ({ ...call, ...blocked[i] }));
    const told = calls.flatMap(({ ns, ...call }) => (ns === undefined ? [] : [{ ...call, ns }]));
    return { ...seen, window: { ...window, waiting: { ...SEEN, blocked: told } } };
  };
  const rowFor = (...states: readonly ReturnType<typeof aJvm>[]) => {
    const containers = states.map((state, at) => aSelected({ pod: `orders-${at}`, state }));
    return decide(anObserved({ containers })).status.workloads?.[0];
  };

  const row = rowFor(waitingIn({ ns: 1e9 }), waitingIn({ ns: 2e9 }, { ns: 4e9 }));

  const blocking = row?.blocking ?? [];
  assert.deepEqual(
    blocking.map(({ call, pods }) => `${call} ${pods}`),
    ['java.io.FileInputStream.read 1', 'java.lang.Thread.sleep 2'],
  );
  assert.deepEqual(blocking[1]?.stack, [
    'java.lang.Thread.sleep',
    'shop.Codec.encode',
    'suspend shop.Orders.take',
    '[coroutines: Default]',
  ]);
  assert.deepEqual(
    [row?.offCpu, rowFor(waitingIn())?.blocking, rowFor(aJvm())?.offCpu],
    ['Seen', undefined, undefined],
  );
});

test('a row tells why it cannot be seen who waits', () => {
  const { window, ...seen } = aJvm();
  const why = { state: 'Unsupported', reason: 'OFFCPU_NO_BTF', message: 'no types', blocked: [] } as const;
  const containers = [
    aSelected({ state: { ...seen, window: { ...window, waiting: { ...SEEN, blocked: [] } } } }),
    aSelected({ pod: 'orders-2', state: { ...seen, window: { ...window, waiting: why } } }),
  ];

  const row = decide(anObserved({ containers })).status.workloads?.[0];

  assert.deepEqual(
    [row?.offCpu, row?.offCpuReason, row?.offCpuMessage],
    ['Unsupported', 'OFFCPU_NO_BTF', 'orders-2: no types'],
  );
});

test('a row tells whether coroutines have their callers and what forbids it: of pods that differ, the worst', () => {
  const chains = { symbols: 'VmStructs', reason: 'VmStructs', coroutines: 'Chains' } as const;
  const zgc = { ...chains, coroutines: 'Unsupported', coroutinesReason: 'ZGC' } as const;
  const off = { ...chains, coroutines: 'Off' } as const;
  const told = (...jvms: Parameters<typeof rowOf>) => {
    const row = rowOf(...jvms);
    return `${row?.coroutines ?? '-'} ${row?.coroutinesReason ?? '-'}`;
  };

  assert.equal(told(chains, chains), 'Chains -');
  assert.equal(told(chains, off), 'Off -');
  assert.equal(told(off, chains, zgc), 'Unsupported ZGC');
  assert.equal(told({ symbols: 'PerfMap', reason: 'PerfMap' }), '- -');
});

test('a JVM whose tables cannot be read, and that is named nevertheless, says why', () => {
  const message = "300 names of a perf map; the JVM's own tables: LayoutIncomplete: it does not tell x";
  const row = rowOf({ symbols: 'PerfMap', reason: 'LayoutIncomplete', message });

  assert.deepEqual([row?.reason, row?.message], ['Profiled', `1 of 1 pods are profiled; ${message}`]);
});

test('a JVM that may be named in no way has the reason in its row', () => {
  const row = rowOf({
    symbols: 'Partial',
    state: 'Partial',
    reason: 'MemoryRefused',
    message: '/proc/7/mem: EPERM',
  });

  assert.deepEqual([row?.profiled, row?.reason], [0, 'MemoryRefused']);
});

test('what a status says is the same when nothing changed', () => {
  const first = decide(anObserved()).status;
  const policy = { ...aPolicy(), status: first };

  assert.deepEqual(decide(anObserved({ policy, nowMs: NOW_MS + 10_000 })).status, first);
});
