/** How the naming of a JVM goes, as the wire says it. Pure. */
import { LIVE_FLAG } from '../jvm/live-flag.ts';
import type { PodWindow } from '../wire/batch-schema.ts';
import type { AttachOutcome } from './attach-outcome.ts';
import { MIN_JVM_AGE_MS } from './attach-schedule.ts';
import type { SymbolSource } from './symbol-source.ts';

export type JvmReport = PodWindow['jvm'];
export type NamingReport = Pick<
  JvmReport,
  'state' | 'reason' | 'message' | 'symbols' | 'leaf' | 'coroutines' | 'coroutinesReason'
>;

type CoroutineSupport =
  | { readonly kind: 'Chains' | 'Off' }
  | { readonly kind: 'Unsupported'; readonly reason: string };

export interface NamingFacts {
  readonly source: SymbolSource;
  /** Why the JVM's own tables are not what names come from; undefined if they are, or were not asked for. */
  readonly layoutFailure: { readonly reason: string; readonly message: string } | undefined;
  readonly attach: AttachOutcome | undefined;
  /** Names of a perf map are there, if only old ones. */
  readonly hasPerfMap: boolean;
  readonly leafIsExact: boolean;
  /** Whether coroutines have their suspended callers; undefined until the JVM's own tables are read. */
  readonly coroutines: CoroutineSupport | undefined;
  readonly methods: number;
}

const MAX_MESSAGE = 1024;

/** The JVM's flags may have been read before the byte was written. */
export function withLive(report: JvmReport, live: JvmReport['live']): JvmReport {
  if (!live) return report;
  const flags = live.state === 'Set' ? new Set([...report.flags, LIVE_FLAG]) : report.flags;
  const leaf = report.leaf !== undefined && live.state === 'Set' ? 'Exact' : report.leaf;
  return { ...report, flags: [...flags], ...(leaf === undefined ? {} : { leaf }), live };
}

const MAX_DOUBTFUL = 0.02; // of a window's samples; those are marked one by one

/** With the flag on, code of before is still there: too much of it, and the leaf is not said to be exact. */
export function withDoubt(report: JvmReport, doubtful: number, samples: number): JvmReport {
  if (report.leaf !== 'Exact' || doubtful <= MAX_DOUBTFUL * samples) return report;
  return { ...report, leaf: 'SafepointAccurate' };
}

export function namingReport(facts: NamingFacts): NamingReport {
  const { source, layoutFailure } = facts;
  switch (source) {
    case 'VmStructs':
      return {
        ...{ state: 'Profiled', reason: 'VmStructs', message: `${facts.methods} methods seen` },
        ...{ symbols: 'VmStructs', leaf: facts.leafIsExact ? 'Exact' : 'SafepointAccurate' },
        ...coroutinesOf(facts.coroutines),
      };
    case 'Pending': {
      const why = layoutFailure ? `: ${layoutFailure.message}` : '';
      const message = `the JVM's own tables are not read yet${why}`.slice(0, MAX_MESSAGE);
      return { state: 'Starting', reason: 'JvmYoung', message, symbols: 'Partial' };
    }
    case 'None': {
      const { reason, message } = layoutFailure ?? { reason: 'VmStructs', message: '' };
      return { state: 'Partial', reason, message: message.slice(0, MAX_MESSAGE), symbols: 'Partial' };
    }
    case 'PerfMap':
      return withCause(perfMapReport(facts), layoutFailure);
  }
}

function coroutinesOf(
  support: CoroutineSupport | undefined,
): Pick<NamingReport, 'coroutines' | 'coroutinesReason'> {
  if (!support) return {};
  if (support.kind !== 'Unsupported') return { coroutines: support.kind };
  return { coroutines: support.kind, coroutinesReason: support.reason };
}

/** A failure to refresh names leaves those that are there. */
function perfMapReport({ attach, hasPerfMap }: NamingFacts): NamingReport {
  const symbols = hasPerfMap ? 'PerfMap' : 'Partial';
  if (!attach) {
    const message = `the JVM is younger than ${MIN_JVM_AGE_MS} ms, or its names are being asked for`;
    return { state: 'Starting', reason: 'JvmYoung', message, symbols };
  }
  switch (attach.kind) {
    case 'named':
      return {
        state: 'Profiled',
        reason: attach.source,
        message: `${attach.map.entries} names of a perf map`,
        symbols,
      };
    case 'gone':
      return { state: 'Gone', reason: 'JvmEnded', message: 'the JVM ended', symbols };
    case 'failed':
      return {
        state: hasPerfMap ? 'Profiled' : 'AttachFailed',
        reason: attach.reason,
        message: attach.message.slice(0, MAX_MESSAGE),
        symbols,
      };
  }
}

/** Names that are there, but only second best, say why. So do names that could not be had in either way. */
function withCause(report: NamingReport, cause: NamingFacts['layoutFailure']): NamingReport {
  if (!cause) return report;
  const message = `${report.message}; the JVM's own tables: ${cause.reason}: ${cause.message}`;
  const reason = report.state === 'Profiled' ? cause.reason : report.reason;
  return { ...report, reason, message: message.slice(0, MAX_MESSAGE) };
}
