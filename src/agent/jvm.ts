/** A JVM that was found in a container, and what is known of it. */
import type { ExcludedBytes } from '../jvm/unsigned5.ts';
import type { PerfMap } from '../symbols/perf-map.ts';
import type { MappedFile } from '../symbols/proc-maps.ts';
import type { SymbolMode } from '../wire/assignment.ts';
import { namesOfJvm } from './attach.ts';
import type { AttachJournal } from './attach-journal.ts';
import type { AttachOutcome } from './attach-outcome.ts';
import { type AttachHistory, afterRequest, attachIsDue, maySignal, NEVER_ASKED } from './attach-schedule.ts';
import type { NameStores } from './file-name-store.ts';
import { createFrameNames, type FrameNames } from './frame-names.ts';
import { readJdkVersion, readOptions } from './jvm-facts.ts';
import type { JvmOptions } from './jvm-flags.ts';
import { DEBUG_NON_SAFEPOINTS, type JvmLayout, type LayoutAccess, readJvmLayout } from './jvm-layout.ts';
import { type JvmReport, namingReport } from './jvm-report.ts';
import { ageMs, type ProcessFacts } from './process-facts.ts';
import type { SamplerFailure, UnwoundJvm } from './sampler-host.ts';
import type { SuspendedCallers } from './suspended-callers.ts';
import { afterLayoutFailure, type LayoutKnowledge, layoutIsDue, symbolSource } from './symbol-source.ts';

export interface Jvm {
  readonly facts: ProcessFacts;
  /** What makes spans of its requests by itself, as far as that can be seen from outside. */
  readonly tracer: string | undefined;
  /** Of code that is walked by frame pointers. */
  readonly perfMap: PerfMap | undefined;
  /** Of frames that the addon unwound. */
  readonly frames: FrameNames;
  /** In what the line tables of its methods are coded. */
  readonly excludedBytes: ExcludedBytes;
  /** Of callers that wait in its heap; undefined if they are not among the frames. */
  readonly suspended: SuspendedCallers | undefined;
  /**
   * DebugNonSafepoints was on before any code was compiled. Otherwise each frame tells whether what is inlined at the leaf
   * of a stack is only that of the next safepoint.
   */
  readonly leafIsExact: boolean;
  /** Where it counts the nanoseconds that it stood still; undefined if it does not, or that is not known yet. */
  readonly stopCounter: bigint | undefined;
  /** For the sampler; undefined if the JVM is to be walked by frame pointers. */
  readonly unwound: UnwoundJvm | undefined;
  /** Reads the JVM's own tables when that is due. Bounded; never throws. */
  look(nowMs: number): Promise<void>;
  needsNames(nowMs: number, unnamedShare: number): boolean;
  /** Asks once. Bounded in time; never throws. */
  askForNames(nowMs: number): Promise<void>;
  report(): JvmReport;
  /** Lets go of its names. */
  close(): void;
}

export interface JvmAccess extends LayoutAccess {
  readonly attachAllowed: boolean;
  readonly journal: AttachJournal;
  readonly stores: NameStores;
  /** Where names may come from, as it is assigned now. */
  symbols(): SymbolMode;
}

export async function inspectJvm(facts: ProcessFacts, libjvm: MappedFile, access: JvmAccess): Promise<Jvm> {
  const options = readOptions(facts, access.procRoot);
  const jdk = await readJdkVersion(facts, libjvm, access.procRoot);
  const tables = ownTables(facts, libjvm, access);
  const attached = attachedNames(facts, options, access);
  const source = () => symbolSource(access.symbols(), tables.knowledge);
  return {
    facts,
    tracer: options.tracer,
    frames: tables.frames,
    get perfMap() {
      return attached.names;
    },
    get excludedBytes() {
      return tables.excludedBytes;
    },
    get suspended() {
      return tables.suspended;
    },
    get leafIsExact() {
      return tables.leafIsExact;
    },
    get stopCounter() {
      return tables.stopCounter;
    },
    get unwound() {
      return source() === 'VmStructs' ? tables.unwound : undefined;
    },
    look: (nowMs) => tables.look(nowMs),
    needsNames: (nowMs, unnamedShare) => source() === 'PerfMap' && attached.isDue(nowMs, unnamedShare),
    askForNames: (nowMs) => attached.ask(nowMs),
    report: () => ({
      ...namingReport({
        source: source(),
        layoutFailure: access.symbols() === 'PerfMap' ? undefined : tables.failure,
        attach: attached.latest,
        hasPerfMap: attached.names !== undefined,
        leafIsExact: tables.flags?.includes(DEBUG_NON_SAFEPOINTS) === true,
        coroutines: tables.coroutines,
        methods: tables.frames.methods,
      }),
      jdk,
      flags: [...(tables.flags ?? options.flags)],
      ...(options.environment === undefined ? {} : { environment: [...options.environment] }),
    }),
    close() {
      tables.frames.close();
      attached.close();
    },
  };
}

/** What the JVM tells by itself: how it is unwound, and the names of what is met on the way. */
function ownTables(facts: ProcessFacts, libjvm: MappedFile, access: JvmAccess) {
  const { procRoot, stores, symbols } = access;
  const frames = createFrameNames(() => stores.open());
  let knowledge: LayoutKnowledge = 'Unread';
  let triedMs = Number.NEGATIVE_INFINITY;
  let read: JvmLayout | undefined;
  let unwound: UnwoundJvm | undefined;
  let failure: { readonly reason: string; readonly message: string } | undefined;

  const refused = ({ code, message }: SamplerFailure) => {
    knowledge = 'Failed';
    unwound = undefined;
    failure = { reason: 'SamplerRefused', message: `${code}: ${message}` };
  };
  return {
    frames,
    get knowledge() {
      return knowledge;
    },
    get unwound() {
      return unwound;
    },
    get failure() {
      return failure;
    },
    get flags() {
      return read?.flags;
    },
    get excludedBytes() {
      return read?.excludedBytes ?? 0; // until it is read, no method is known
    },
    get coroutines() {
      return read?.suspended;
    },
    get suspended() {
      return callersOf(read);
    },
    get stopCounter() {
      return read?.stopCounter;
    },
    get leafIsExact() {
      return read?.isLeafExactFromStart === true;
    },
    async look(nowMs: number) {
      if (!layoutIsDue(symbols(), knowledge, nowMs - triedMs)) return;
      triedMs = nowMs;
      const outcome = await readJvmLayout(facts, libjvm, access);
      if (outcome.kind === 'failed') {
        knowledge = afterLayoutFailure(ageMs(procRoot, facts));
        failure = outcome;
        return;
      }
      knowledge = 'Read';
      read = outcome;
      failure = undefined;
      const begin = () => {
        frames.forget();
        callersOf(outcome)?.forget();
      };
      const heap = callersOf(outcome)?.heap;
      unwound = { pid: facts.pid, layout: outcome.layout, heap, begin, refused };
    },
  };
}

const callersOf = (layout: JvmLayout | undefined): SuspendedCallers | undefined =>
  layout?.suspended.kind === 'Chains' ? layout.suspended.callers : undefined;

/** What the JVM, or somebody else, writes into a perf map. */
function attachedNames(facts: ProcessFacts, options: JvmOptions, access: JvmAccess) {
  let history: AttachHistory = NEVER_ASKED;
  let latest: AttachOutcome | undefined;
  let names: PerfMap | undefined;
  let closed = false;

  const request = (): Promise<AttachOutcome> => {
    const allowed = access.attachAllowed && !options.attachDisabled;
    const grant = !allowed ? 'read' : maySignal(history) ? 'signal' : 'connect';
    return namesOfJvm(facts, { ...access, grant });
  };
  return {
    get names() {
      return names;
    },
    get latest() {
      return latest;
    },
    isDue: (nowMs: number, unnamedShare: number) =>
      attachIsDue(history, { nowMs, unnamedShare, jvmAgeMs: ageMs(access.procRoot, facts) }),
    async ask(nowMs: number) {
      const outcome = disabledByFlag(await request(), options);
      history = afterRequest(history, nowMs, outcome.kind === 'failed' ? outcome.reason : undefined);
      latest = outcome;
      if (outcome.kind !== 'named') return;
      names?.close();
      names = closed ? undefined : outcome.map;
      if (closed) outcome.map.close();
    },
    close() {
      closed = true;
      names?.close();
      names = undefined;
    },
  };
}

function disabledByFlag(outcome: AttachOutcome, options: JvmOptions): AttachOutcome {
  if (!options.attachDisabled || outcome.kind !== 'failed' || outcome.reason !== 'AttachNotGranted')
    return outcome;
  return { ...outcome, reason: 'AttachDisabled', message: 'the JVM runs with -XX:+DisableAttachMechanism' };
}
