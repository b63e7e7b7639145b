/** Mode Live: meets the JVMs of the pods that ask for it while they start, and remembers what became of each. */
import { statSync } from 'node:fs';
import { type ExecEvents, watchExecs } from '../native/exec-events.ts';
import type { Assignment } from '../wire/assignment.ts';
import { codeOf, messageOf } from './agent-error.ts';
import { readPids } from './cgroup-usage.ts';
import { cgroupSubtree, findPodCgroups, findPodsCgroup } from './container-cgroups.ts';
import type { Metric } from './exposition.ts';
import { attemptLive, type LiveOutcome } from './live-attempt.ts';
import type { AgentLog } from './log.ts';
import { containerNameOf, podUidIn, podUidOf } from './pod-of-process.ts';
import { isAlive, type ProcessFacts, readProcessFacts } from './process-facts.ts';

export interface LiveSetter {
  /** Follows what is asked for; looks at once at what runs there already. */
  assign(assignment: Pick<Assignment, 'live'>): void;
  /** A JVM that a look has found: for those whose exec was not seen. */
  found(facts: ProcessFacts, podUid: string, container: string): void;
  /** Undefined where nobody asks for it, and while it is not known. */
  outcomeOf(facts: ProcessFacts, podUid: string, container: string): LiveOutcome | undefined;
  stop(): Promise<void>;
}

export interface LiveSetterOptions {
  /** By the install. Without it nothing is watched, and every JVM is refused. */
  readonly liveAllowed: boolean;
  readonly procRoot: string;
  readonly addonPath: string;
  readonly execObjectPath: string;
  /** Of the hierarchy that names processes' cgroups: v2, else v1. */
  readonly cgroupRoot: string;
  /** Whether that is v2, whose ids execs are filtered by. */
  readonly isCgroup2: boolean;
  readonly outcomes: Metric;
  readonly log: AgentLog;
}

const MAX_ATTEMPTS = 64; // at a time; a node does not start more JVMs in ten seconds
const MAX_KNOWN = 1024; // JVMs that run, and some that ended
const RETRY_MS = 30_000;
const SCAN_MS = 250; // where execs cannot be seen
const NOT_GRANTED = 'the install does not grant mode Live: FLAMEGATE_LIVE of the agents';

interface Attempt {
  readonly startTicks: number;
  readonly cancel: AbortController;
  readonly done: Promise<void>;
}

export function createLiveSetter(options: LiveSetterOptions): LiveSetter {
  const { procRoot, log } = options;
  let wanted = new Map<string, ReadonlySet<string>>();
  const attempts = new Map<number, Attempt>();
  const known = new Map<string, LiveOutcome | 'no JVM'>();
  const execs = execWatch(options, (pid, execMs) => attended(() => meet(pid, execMs), log));
  let scanning: NodeJS.Timeout | undefined;
  const isWanted = (podUid: string, container: string) => wanted.get(podUid)?.has(container) === true;

  const remember = (facts: ProcessFacts, outcome: LiveOutcome | undefined) => {
    known.set(keyOf(facts), outcome ?? 'no JVM');
    if (known.size > MAX_KNOWN) forgetEnded(known, procRoot);
    if (!outcome) return;
    options.outcomes.inc({ state: outcome.state, reason: outcome.reason });
    log.info({ pid: facts.pid, ...outcome }, 'mode Live met a JVM');
  };
  const begin = (facts: ProcessFacts, execMs: number | undefined) => {
    attempts.get(facts.pid)?.cancel.abort();
    known.delete(keyOf(facts));
    if (attempts.size >= MAX_ATTEMPTS) return; // a look finds it later, too late perhaps
    const cancel = new AbortController();
    const { signal } = cancel;
    const done = attemptLive({ facts, execMs, signal }, options)
      .then((outcome) => {
        if (!signal.aborted) remember(facts, outcome);
      })
      .catch((error: unknown) => log.warn({ err: error, pid: facts.pid }, 'a JVM could not be looked at'))
      .finally(() => {
        if (attempts.get(facts.pid) === attempt) attempts.delete(facts.pid);
      });
    const attempt = { startTicks: facts.startTicks, cancel, done };
    attempts.set(facts.pid, attempt);
  };
  /** Each exec is another program: what was known of the process is old. */
  const meet = (pid: number, execMs: number | undefined) => {
    const podUid = podUidOf(procRoot, pid);
    const containers = podUid === undefined ? undefined : wanted.get(podUid);
    if (podUid === undefined || !containers) return;
    const container = containerNameOf(procRoot, pid, podUid);
    const facts = container !== undefined && containers.has(container) && readProcessFacts(procRoot, pid);
    if (facts) begin(facts, execMs);
  };
  const isMet = ({ pid, startTicks }: Pick<ProcessFacts, 'pid' | 'startTicks'>) =>
    attempts.get(pid)?.startTicks === startTicks || known.has(keyOf({ pid, startTicks }));
  /** Of processes that run already, those that were not met. */
  const scan = () => {
    for (const directory of findPodCgroups(options.cgroupRoot, new Set(wanted.keys()), podUidIn)) {
      for (const pid of cgroupSubtree(directory).flatMap(({ path }) => readPids(path))) {
        const facts = readProcessFacts(procRoot, pid);
        if (facts && !isMet(facts)) meet(pid, undefined);
      }
    }
  };
  /** Only while execs cannot be seen. */
  const scanAgainAndAgain = () => {
    scanning ??= setInterval(() => {
      if (execs.ensure(Date.now())) stopScanning();
      else attended(scan, log);
    }, SCAN_MS).unref();
  };
  const stopScanning = () => {
    clearInterval(scanning);
    scanning = undefined;
  };
  const rest = () => {
    execs.close();
    stopScanning();
  };

  return {
    assign({ live }) {
      const groups = Map.groupBy(live, ({ podUid }) => podUid);
      const before = wanted;
      wanted = new Map(
        Array.from(groups, ([uid, each]) => [uid, new Set(each.map(({ container }) => container))]),
      );
      if (!options.liveAllowed) return;
      if (wanted.size === 0) rest();
      else if (!execs.ensure(Date.now())) scanAgainAndAgain();
      if ([...wanted.keys()].some((uid) => !before.has(uid))) attended(scan, log);
    },
    found(facts, podUid, container) {
      if (!options.liveAllowed || !isWanted(podUid, container)) return;
      if (known.get(keyOf(facts)) === 'no JVM' || !isMet(facts)) begin(facts, undefined);
    },
    outcomeOf(facts, podUid, container) {
      if (!isWanted(podUid, container)) return undefined;
      if (!options.liveAllowed) return notGranted();
      const outcome = known.get(keyOf(facts));
      return outcome === 'no JVM' ? undefined : outcome;
    },
    async stop() {
      rest();
      for (const { cancel } of attempts.values()) cancel.abort();
      await Promise.all([...attempts.values()].map(({ done }) => done));
    },
  };
}

function notGranted(): LiveOutcome {
  return { state: 'Refused', reason: 'LiveNotGranted', message: NOT_GRANTED, ageMs: 0, atMs: 0 };
}

/** Opens the watch while it is needed, and tries again where it cannot be had. */
function execWatch(options: LiveSetterOptions, onExec: (pid: number, timeMs: number) => void) {
  let events: ExecEvents | undefined;
  let triedMs = Number.NEGATIVE_INFINITY;
  const open = () => {
    const { addonPath, execObjectPath, log } = options;
    try {
      const pods = findPodsCgroup(options.cgroupRoot);
      const ancestor = pods === undefined ? 0n : statSync(pods, { bigint: true }).ino;
      events = watchExecs({ addonPath, objectPath: execObjectPath, ancestor, onExec });
      log.info({ pods, ancestor: String(ancestor) }, 'execs of pods are watched');
    } catch (error) {
      log.warn(
        { code: codeOf(error), detail: messageOf(error), retryMs: RETRY_MS },
        'execs of pods cannot be watched: their JVMs are looked for instead',
      );
    }
  };
  return {
    /** Whether execs are seen. */
    ensure(nowMs: number): boolean {
      if (!events && options.isCgroup2 && nowMs - triedMs >= RETRY_MS) {
        triedMs = nowMs;
        open();
      }
      return events !== undefined;
    },
    close() {
      events?.close();
      events = undefined;
      triedMs = Number.NEGATIVE_INFINITY;
    },
  };
}

/** A look that fails must not end the agent; the next one comes. */
function attended(look: () => void, log: AgentLog): void {
  try {
    look();
  } catch (error) {
    log.warn({ err: error }, 'a look for new JVMs failed');
  }
}

function keyOf({ pid, startTicks }: Pick<ProcessFacts, 'pid' | 'startTicks'>): string {
  return `${pid} ${startTicks}`;
}

function forgetEnded(known: Map<string, unknown>, procRoot: string): void {
  for (const key of known.keys()) {
    const [pid = 0, startTicks = 0] = key.split(' ').map(Number);
    if (!isAlive(procRoot, { pid, startTicks })) known.delete(key);
  }
}
