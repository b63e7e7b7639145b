/** What a command line asks for, once it is understood. */
import type { SHELLS } from './command-table.ts';
import type { AskedCommits } from './commits/culprit-commits.ts';
import type { Compare } from './compare/compare-options.ts';
import type { AskedCanary } from './gate-wait-options.ts';
import type { LocalRecord } from './local/local-options.ts';
import type { OutputFormat } from './output-format.ts';
import type { PlanSource } from './plan-command.ts';
import type { PodRecord, PodTop } from './pod/pod-options.ts';
import type { ReplayOverrides } from './replay.ts';
import type { ReplaySource } from './replay-sources.ts';
import type { ReportForm } from './report-output.ts';
import type { Top } from './top/top-options.ts';

/** How to reach the cluster and the controller in it. */
export interface ClusterOptions {
  /** Undefined: KUBECONFIG, ~/.kube/config or the pod's own account, as kubectl does it. */
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  /** Bearer token shown to the controller; undefined: the kubeconfig's, or one of `serviceAccount`. */
  readonly token: string | undefined;
  readonly serviceAccount: { readonly namespace: string; readonly name: string };
}

/** Of the namespaces that are looked at. */
export type Scope =
  | { readonly kind: 'all' }
  /** Undefined: that of the kubeconfig's context, as kubectl does it. */
  | { readonly kind: 'one'; readonly namespace: string | undefined };

export interface ObjectName {
  readonly namespace: string;
  readonly name: string;
}

interface OfPod {
  readonly pod: ObjectName;
  readonly cluster: ClusterOptions;
}

export type Command =
  | { readonly kind: 'help' }
  | { readonly kind: 'completion'; readonly shell: (typeof SHELLS)[number] }
  | {
      readonly kind: 'status' | 'gates';
      readonly scope: Scope;
      readonly format: OutputFormat;
      readonly cluster: ClusterOptions;
    }
  | {
      readonly kind: 'diff';
      readonly baseline: string;
      readonly canary: string;
      /** The file its page goes to. */
      readonly output: string | undefined;
      readonly title: string | undefined;
      readonly raw: boolean;
      /** Growth of a function beyond which it fails: a share of all samples; undefined: nothing is judged. */
      readonly failOn: number | undefined;
    }
  | {
      readonly kind: 'report';
      readonly report: ObjectName;
      /** text with a file: its page. */
      readonly format: ReportForm;
      readonly output: string | undefined;
      readonly raw: boolean;
      /** Of which arm slow requests are shown against normal ones, instead of the report. */
      readonly slow: 'baseline' | 'canary' | undefined;
      /** Of which route, `GET /orders/{id}`; undefined: of all, or on a page the one with the most slow requests. */
      readonly route: string | undefined;
      /** Where the commits between the builds of both arms are looked for. */
      readonly clone: AskedCommits | undefined;
      readonly cluster: ClusterOptions;
    }
  | {
      readonly kind: 'record';
      readonly namespace: string;
      readonly selector: string;
      readonly durationMs: number;
      readonly intervalMs: number;
      readonly output: string;
      readonly cluster: ClusterOptions;
    }
  | ({ readonly kind: 'local' } & LocalRecord)
  | ({ readonly kind: 'top' } & Top)
  | ({ readonly kind: 'podRecord' } & PodRecord & OfPod)
  | ({ readonly kind: 'podTop' } & PodTop & OfPod)
  | ({ readonly kind: 'compare' } & Compare)
  | { readonly kind: 'doctor'; readonly format: OutputFormat; readonly cluster: ClusterOptions }
  | {
      readonly kind: 'ui';
      /** Undefined: all that the user may read. */
      readonly namespace: string | undefined;
      /** 0: any that is free. */
      readonly port: number;
      readonly cluster: ClusterOptions;
    }
  | { readonly kind: 'noise'; readonly recordings: readonly string[] }
  | {
      readonly kind: 'replay';
      readonly source: ReplaySource;
      readonly overrides: ReplayOverrides;
      readonly format: OutputFormat;
    }
  | {
      readonly kind: 'plan';
      readonly source: PlanSource;
      readonly overrides: ReplayOverrides;
      readonly format: OutputFormat;
    }
  | {
      readonly kind: 'gate';
      readonly gate: ObjectName;
      readonly canary: AskedCanary;
      /** Hash of the revision; undefined: whatever the canary was compared with last. */
      readonly baseline: string | undefined;
      readonly timeoutMs: number;
      readonly inconclusive: 'fail' | 'pass';
      readonly format: 'text' | 'json';
      readonly cluster: ClusterOptions;
    };
