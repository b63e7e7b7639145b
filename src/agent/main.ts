/** The node agent: one process a node. */
import { lockDown } from '../native/lockdown.ts';
import type { SpanCandidate } from '../requests/span-sample.ts';
import type { Assignment } from '../wire/assignment.ts';
import { codeOf, messageOf } from './agent-error.ts';
import type { Answerer } from './answerer.ts';
import { loadAssignment, saveAssignment } from './assignment-file.ts';
import { pollAssignments } from './assignment-poll.ts';
import { openAttachJournal, recoverFromJournal } from './attach-journal.ts';
import { findCgroupRoots } from './cgroup-roots.ts';
import { createCodeUpkeep } from './code-upkeep.ts';
import { type AgentConfig, readConfig } from './config.ts';
import { createControllerClient } from './controller-client.ts';
import { fileNameStores } from './file-name-store.ts';
import { startHealthServer } from './health-server.ts';
import { createLiveSetter } from './live-setter.ts';
import { type AgentLog, createLog } from './log.ts';
import { type AgentMetrics, createMetrics } from './metrics.ts';
import { createNodeAgent } from './node-agent.ts';
import { resourceSpans } from './otlp-traces.ts';
import { createPushLoop } from './push-loop.ts';
import { createRequestDurations } from './request-durations.ts';
import { createRequestHost } from './request-host.ts';
import { createSamplerHost } from './sampler-host.ts';
import { createSinkHost } from './sink-host.ts';
import { createSpanExporter } from './span-exporter.ts';
import { openSpool } from './spool.ts';
import { watchContainers } from './watched-containers.ts';

// An import of node:crypto evaluates its lazy exports, WebCrypto among them.
const { randomBytes } = process.getBuiltinModule('node:crypto');
const STANDSTILL_MS = 60_000;
const FLUSH_MS = 3_000; // of the 30 s Kubernetes grants to stop

/** Runs until the signal is aborted. */
export async function runAgent(config: AgentConfig, log: AgentLog, signal: AbortSignal): Promise<void> {
  const roots = findCgroupRoots(config.cgroupRoot);
  const spool = await openSpool(config.spoolDirectory, config.spoolBytes);
  const journalDirectory = `${config.spoolDirectory}/attach`;
  const journal = await openAttachJournal(journalDirectory);
  const recovered = await recoverFromJournal(journalDirectory, config.procRoot);
  const durations = createRequestDurations();
  const sinks = createSinkHost({
    ...{ ...config, log, now: Date.now, random: Math.random, randomBytes },
    families: () => metrics.families(),
  });
  const metrics = createMetrics(durations, () => sinks.reports());
  const client = createControllerClient({ ...config, url: config.controllerUrl });
  const filter = roots.v2 === undefined ? 'pid' : 'cgroup';
  const host = createSamplerHost({ ...config, filter, log });
  const spans = spanExport(metrics, log);
  const requests = createRequestHost({ ...config, filter, log, durations, spans });
  const push = createPushLoop({
    ...{ client, spool, log, random: Math.random },
    pushed: (result, code) => metrics.pushes.inc({ result, code }),
  });
  const stores = fileNameStores(config.spoolDirectory);
  const live = createLiveSetter({
    ...config,
    ...{ cgroupRoot: roots.v2 ?? roots.v1Accounting ?? '', isCgroup2: roots.v2 !== undefined },
    ...{ outcomes: metrics.live, log },
  });
  const containers = watchContainers({ ...config, roots, journal, stores, live });
  const boot = randomBytes(8).toString('hex');
  const keepCodeSmall = createCodeUpkeep(config.addonPath);
  const agent = createNodeAgent({
    ...{ config, boot, containers, live, host, requests, spool, sinks, stores, metrics, log },
    windowClosed(windowMs) {
      push.wake(windowMs);
      keepCodeSmall();
    },
  });

  const assign = (assignment: Assignment) => {
    const { settings } = assignment;
    if (settings) spool.limit(settings.spool);
    spans.sendTo(settings?.spansEndpoint);
    sinks.sendTo(settings?.sinks);
    agent.assign(assignment);
  };
  const ended = new AbortController();
  const until = AbortSignal.any([signal, ended.signal]);
  let running: readonly Promise<void>[] = [];
  const health = await startHealthServer(config.httpPort, {
    metrics: metrics.families,
    alive: () => Date.now() - agent.lastLookMs < STANDSTILL_MS,
    failure: () => host.failure,
  });
  try {
    const kept = `${config.spoolDirectory}/assignment.json`;
    const before = await loadAssignment(kept, log);
    if (before) assign(before);
    const fields = { boot, filter, recovered, containers: before?.containers.length ?? 0, port: health.port };
    log.info(fields, 'agent started');
    const take = async (assignment: Assignment) => {
      assign(assignment);
      log.info(
        { version: assignment.version, containers: assignment.containers.length },
        'assignment received',
      );
      await saveAssignment(kept, assignment);
      await push.storeIs(assignment.store);
    };
    const failed = (code: string) => metrics.assignmentFailures.inc({ code });
    const polled = { client, log, take, failed, node: config.nodeName, random: Math.random };
    running = [agent.run(until), push.run(until), pollAssignments(polled, until), spans.run(until)];
    await Promise.all(running);
    const flushed = AbortSignal.timeout(FLUSH_MS);
    await Promise.all([push.flush(flushed), sinks.stop(flushed)]);
  } finally {
    ended.abort(); // where one part fails, the others end too
    await Promise.allSettled(running);
    host.close();
    requests.close();
    client.close();
    await health.stop();
  }
}

function spanExport({ spans }: AgentMetrics, log: AgentLog) {
  const exporter = createSpanExporter({ spans, log, random: Math.random });
  const hex = (digits: number) => randomBytes(digits / 2).toString('hex');
  return {
    get isOpen() {
      return exporter.isOpen;
    },
    sendTo: exporter.sendTo,
    run: exporter.run,
    add(answerer: Answerer, candidates: readonly SpanCandidate[]) {
      const epochNs = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint(); // anew: clocks are set
      exporter.add([resourceSpans(answerer, candidates, { epochNs, hex })]);
    },
  };
}

/** A node that cannot filter system calls is watched all the same: then the kernel's capabilities alone bound the agent. */
function giveUpRights(config: AgentConfig, log: AgentLog): void {
  try {
    lockDown(config);
    log.info({ live: config.liveAllowed, attach: config.attachAllowed }, 'locked down');
  } catch (error) {
    log.error({ err: error, code: codeOf(error) }, 'not locked down');
  }
}

async function main(): Promise<void> {
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stop.abort());
  let log = createLog('info', '');
  try {
    const config = readConfig();
    log = createLog(config.logLevel, config.nodeName);
    giveUpRights(config, log); // before it has read anything of anybody's
    await runAgent(config, log, stop.signal);
  } catch (error) {
    log.fatal({ err: error, code: codeOf(error) }, messageOf(error));
    process.exit(1); // whatever may still be open: one that only seems to run is not started again
  }
}

if (import.meta.main) await main();
