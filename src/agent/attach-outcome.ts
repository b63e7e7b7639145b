import type { PerfMap } from '../symbols/perf-map.ts';

/** Why a JVM's names could not be had; the reason of its state. */
export type AttachReason =
  | 'AttachDisabled'
  | 'AttachNotGranted'
  | 'AttachRefused'
  | 'AttachTimeout'
  | 'PerfMapNotWritten'
  | 'PerfMapRefused'
  | 'PerfMapStale'
  | 'PerfMapUnsupported'
  | 'SigquitNotCaught'
  | 'TmpNotUsable';

export type AttachOutcome =
  | { readonly kind: 'named'; readonly map: PerfMap; readonly source: 'PerfMap' | 'ForeignPerfMap' }
  | { readonly kind: 'failed'; readonly reason: AttachReason; readonly message: string }
  | { readonly kind: 'gone' };

export class AttachFailure extends Error {
  override readonly name = 'AttachFailure';
  readonly code: AttachReason;

  constructor(code: AttachReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
