/** A constant load on one service, by test/load. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export interface LoadSummary {
  readonly requests: number;
  readonly errors: number;
  readonly achievedPerPod: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Rate and seconds of a load on a port. */
export type Load = (port: number, rate: number, seconds: number) => Promise<LoadSummary>;

const MAX_IDS = 1_000_000;

/** As many orders as there are requests, each once and in the same sequence, so that no window has another mix. */
export function loadWith(binary: string): Load {
  return async (port, rate, seconds) => {
    const ids = Math.min(rate * seconds, MAX_IDS);
    const flags = ['-targets', `127.0.0.1:${port}`, '-rate', `${rate}`, '-duration', `${seconds}s`];
    const { stdout } = await promisify(execFile)(binary, [...flags, '-path-ids', `${ids}`]);
    const summary: { readonly groups: { readonly all: LoadSummary } } = JSON.parse(stdout);
    return summary.groups.all;
  };
}
