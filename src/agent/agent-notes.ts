/** What the agent says of its work, in its log and to Prometheus. */
import type { Sampler } from '../native/sampler.ts';
import { requestsOf } from '../requests/request-window.ts';
import type { Batch } from '../wire/batch-schema.ts';
import type { Jvm } from './jvm.ts';
import type { AgentLog } from './log.ts';
import type { AgentMetrics } from './metrics.ts';

interface Voice {
  readonly metrics: AgentMetrics;
  readonly log: AgentLog;
}

/** Says it again only when it has changed. */
export function noteNaming(jvm: Jvm, told: WeakMap<Jvm, string>, log: AgentLog): void {
  const { state, reason, message, symbols, leaf, jdk } = jvm.report();
  const now = `${state} ${reason}`;
  if (told.get(jvm) === now) return;
  told.set(jvm, now);
  log.info({ pid: jvm.facts.pid, jdk, state, reason, symbols, leaf, detail: message }, 'naming of a JVM');
}

export function noteAttach(jvm: Jvm, { metrics, log }: Voice): void {
  const { state, reason, message } = jvm.report();
  metrics.attaches.inc({ outcome: reason });
  const fields = { pid: jvm.facts.pid, state, reason, detail: message };
  if (state === 'AttachFailed') log.warn(fields, 'names of a JVM not to be had');
  else log.info(fields, 'names of a JVM read');
}

export function noteWindow(batch: Batch, { metrics, log }: Voice): void {
  metrics.windows.inc();
  let samples = 0;
  for (const pod of batch.pods) {
    samples += pod.samples;
    for (const [cause, count] of Object.entries(pod.losses)) metrics.lost.inc({ cause }, count);
    for (const row of pod.requests?.routes ?? []) metrics.requests.inc({}, requestsOf(row));
    if (pod.requests) metrics.requestsLost.inc({}, pod.requests.lost);
  }
  metrics.samples.inc({}, samples);
  metrics.io.add(batch);
  log.debug(
    { sequence: batch.sequence, pods: batch.pods.length, samples, stacks: batch.stacks.length },
    'window closed',
  );
}

/** Since the sampler was opened. */
export function noteUnwinding(sampler: Sampler | undefined, metrics: AgentMetrics): void {
  const counters = sampler?.counters();
  if (!counters) return;
  const { unwinding, chains, waits } = counters;
  for (const [outcome, count] of [
    ['stack', waits.stacks],
    ['moved', waits.moved],
    ['noRoom', waits.threadsFull],
  ] as const) {
    if (count > 0) metrics.waits.set(count, { outcome });
  }
  metrics.unwound.set(unwinding.complete, { outcome: 'complete' });
  for (const [mark, count] of Object.entries(unwinding.byMark)) {
    if (count > 0) metrics.unwound.set(count, { outcome: mark });
  }
  for (const [end, count] of Object.entries(chains)) {
    if (count > 0) metrics.resumed.set(count, { outcome: end });
  }
}
