/** The command line: words in, one command out. */
import { parseArgs } from 'node:util';
import { parseRevision } from '../crds/built-from.ts';
import { usageError as usage } from './cli-error.ts';
import type { AskedCommits } from './commits/culprit-commits.ts';
import { COMPARE_OPTIONS, COMPARE_TAKES, type Compare, compareOptions } from './compare/compare-options.ts';
import {
  type AskedCanary,
  askedCanary,
  GATE_WAIT_OPTIONS,
  inconclusiveAs,
  revisionHash,
  timeoutMs,
  waitFormat,
} from './gate-wait-options.ts';
import { isLocal, LOCAL_OPTIONS, type LocalRecord, localRecord } from './local/local-options.ts';
import type { PlanSource } from './plan-command.ts';
import { durationOption, percentageOption } from './quantity-options.ts';
import type { ReplayOverrides } from './replay.ts';
import {
  armNames,
  mostPlacebos,
  OVERRIDES,
  outputFormat,
  REPLAY_OPTIONS,
  replayOverrides,
} from './replay-options.ts';
import type { ReplaySource } from './replay-sources.ts';
import type { OutputFormat } from './replay-text.ts';
import { type ReportForm, reportOutput } from './report-output.ts';
import { TOP_OPTIONS, type Top, topOptions } from './top/top-options.ts';

/** How to reach the cluster and the controller in it. */
export interface ClusterOptions {
  /** Undefined: KUBECONFIG, ~/.kube/config or the pod's own account, as kubectl does it. */
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  /** Bearer token shown to the controller; undefined: the kubeconfig's, or one of `serviceAccount`. */
  readonly token: string | undefined;
  readonly serviceAccount: { readonly namespace: string; readonly name: string };
}

export interface ObjectName {
  readonly namespace: string;
  readonly name: string;
}

export type Command =
  | { readonly kind: 'help' }
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
  | ({ readonly kind: 'compare' } & Compare)
  | { readonly kind: 'doctor'; readonly format: OutputFormat; readonly cluster: ClusterOptions }
  | {
      readonly kind: 'ui';
      readonly namespace: string;
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

const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  output: { type: 'string', short: 'o' },
  title: { type: 'string' },
  raw: { type: 'boolean' },
  slow: { type: 'string' },
  route: { type: 'string' },
  repo: { type: 'string' },
  namespace: { type: 'string', short: 'n' },
  selector: { type: 'string', short: 'l' },
  duration: { type: 'string' },
  interval: { type: 'string' },
  kubeconfig: { type: 'string' },
  context: { type: 'string' },
  token: { type: 'string' },
  'service-account': { type: 'string' },
  'fail-on': { type: 'string' },
  ...LOCAL_OPTIONS,
  ...TOP_OPTIONS,
  port: { type: 'string' },
  ...COMPARE_OPTIONS,
  ...REPLAY_OPTIONS,
  ...GATE_WAIT_OPTIONS,
} as const;
type Values = { readonly [Name in Exclude<keyof typeof OPTIONS, 'help' | 'raw'>]?: string | undefined } & {
  readonly raw?: boolean | undefined;
};

const CLUSTER = ['kubeconfig', 'context', 'token', 'service-account'] as const;
const LOCAL = ['pid', 'container', 'frequency'] as const;
const TAKES: Readonly<Record<Exclude<Command['kind'], 'help' | 'local'>, readonly (keyof Values)[]>> = {
  diff: ['output', 'title', 'raw', 'fail-on'],
  report: ['output', 'raw', 'slow', 'route', 'repo', 'baseline', 'canary', ...CLUSTER],
  record: ['output', 'namespace', 'selector', 'duration', 'interval', ...LOCAL, ...CLUSTER],
  top: [...LOCAL, 'every', 'times'],
  compare: COMPARE_TAKES,
  doctor: ['output', ...CLUSTER],
  ui: ['namespace', 'port', ...CLUSTER],
  noise: [],
  replay: ['output', 'gate', 'database', 'baseline', 'canary', ...OVERRIDES, ...CLUSTER],
  plan: ['output', 'gate', 'baseline', 'placebos', ...OVERRIDES, ...CLUSTER],
  gate: ['output', 'canary', 'canary-of', 'baseline', 'timeout', 'inconclusive', 'kubeconfig', 'context'],
};
/** Made by config/rbac/viewer.yaml. */
const VIEWER_ACCOUNT = 'flamegate-system/flamegate-viewer';
const LONGEST_RECORDING_MS = 7 * 24 * 3_600_000;

/** Throws a CliError USAGE that says what is wrong and how it is right. */
export function parseCommandLine(argv: readonly string[]): Command {
  const { values, positionals } = parsed(argv);
  const [kind, ...rest] = positionals;
  if (values.help === true || kind === undefined || kind === 'help') {
    return { kind: 'help' };
  }
  if (!isCommand(kind)) {
    throw usage(`there is no command "${kind}"`);
  }
  const foreign = Object.keys(values).find((name) => !TAKES[kind].some((taken) => taken === name));
  if (foreign !== undefined) {
    throw usage(`${kind} takes no --${foreign}`);
  }
  switch (kind) {
    case 'diff':
      return diffCommand(rest, values);
    case 'report':
      return reportCommand(rest, values);
    case 'record':
      return recordCommand(rest, values);
    case 'top':
      exactly(0, rest, 'top --pid PID');
      return { kind, ...topOptions(values) };
    case 'compare':
      exactly(0, rest, "compare --baseline 'COMMAND' --canary 'COMMAND'");
      return { kind, ...compareOptions(values) };
    case 'doctor':
      exactly(0, rest, 'doctor takes options only');
      return { kind, format: outputFormat(values.output), cluster: clusterOptions(values) };
    case 'ui':
      return uiCommand(rest, values);
    case 'noise':
      return { kind, recordings: some(rest, 'noise DIR...') };
    case 'replay':
      return replayCommand(rest, values);
    case 'plan':
      return planCommand(rest, values);
    case 'gate':
      return gateCommand(rest, values);
  }
}

const isCommand = (kind: string): kind is keyof typeof TAKES => Object.hasOwn(TAKES, kind);

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true, strict: true });
  } catch (cause) {
    throw usage(cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function diffCommand(rest: readonly string[], values: Values): Command {
  const right = 'diff A B -o diff.html, or diff A B --fail-on 1%';
  const [baseline = '', canary = ''] = exactly(2, rest, right);
  const { output, title, raw = false } = values;
  const failOn = values['fail-on'] === undefined ? undefined : percentageOption('fail-on', values['fail-on']);
  if (output === undefined && failOn === undefined) throw usage(`diff needs -o or --fail-on: ${right}`);
  return { kind: 'diff', baseline, canary, output, title, raw, failOn };
}

function reportCommand(rest: readonly string[], values: Values): Command {
  const [name = ''] = exactly(1, rest, 'report NAMESPACE/NAME');
  const { raw = false } = values;
  const { format, output } = reportOutput(values.output);
  const slow = armOf(values.slow);
  const { route } = values;
  if (route !== undefined && (slow === undefined || output === undefined)) {
    throw usage('--route chooses what is drawn: report --slow canary -o a.html --route "GET /orders/{id}"');
  }
  if (format !== 'text' && slow !== undefined) {
    throw usage(`--slow is text, or a page: report --slow canary [-o a.html], not ${format}`);
  }
  const cluster = clusterOptions(values);
  const isPage = format === 'text' && output !== undefined;
  const clone = askedCommits(values, isPage || slow !== undefined || format === 'junit');
  return { kind: 'report', report: objectName(name), format, output, raw, slow, route, clone, cluster };
}

function askedCommits({ repo, baseline, canary }: Values, hasNoRoom: boolean): AskedCommits | undefined {
  if (repo === undefined) {
    if (baseline === undefined && canary === undefined) return undefined;
    throw usage('--baseline and --canary are commits of a clone: report NAMESPACE/NAME --repo PATH');
  }
  if (hasNoRoom) throw usage('--repo is for text, json, yaml and markdown');
  for (const [arm, revision] of Object.entries({ baseline, canary })) {
    if (revision !== undefined && parseRevision(revision) === undefined) {
      throw usage(`--${arm}: "${revision.slice(0, 64)}" is neither a commit nor a tag`);
    }
  }
  return { path: repo, baseline, canary };
}

function uiCommand(rest: readonly string[], values: Values): Command {
  exactly(0, rest, 'ui takes options only');
  const { namespace, port = '0' } = values;
  if (namespace === undefined || !/^[a-z0-9-]{1,63}$/.test(namespace)) {
    throw usage('ui needs a namespace: ui --namespace shop');
  }
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw usage(`--port is 0 to 65535, not "${port}"`);
  return { kind: 'ui', namespace, port: Number(port), cluster: clusterOptions(values) };
}

function armOf(text: string | undefined): 'baseline' | 'canary' | undefined {
  if (text === undefined || text === 'baseline' || text === 'canary') return text;
  throw usage(`--slow is canary or baseline, not "${text}"`);
}

function recordCommand(rest: readonly string[], values: Values): Command {
  if (isLocal(rest, values)) return localCommand(rest, values);
  const { namespace, selector, output } = values;
  if (namespace === undefined || selector === undefined || output === undefined) {
    throw usage(
      'record needs --namespace, --selector and -o: record --namespace shop --selector app=orders -o DIR',
    );
  }
  const durationMs = durationOption('duration', values.duration ?? '1h');
  const intervalMs = durationOption('interval', values.interval ?? '60s');
  if (durationMs > LONGEST_RECORDING_MS || intervalMs < 10_000 || intervalMs > 30 * 60_000) {
    throw usage(
      '--duration may be 7 days at most (168h), --interval from 10s to 30m: the controller keeps one hour',
    );
  }
  return {
    kind: 'record',
    namespace,
    selector,
    durationMs,
    intervalMs,
    output,
    cluster: clusterOptions(values),
  };
}

function localCommand(rest: readonly string[], values: Values): Command {
  const foreign = (['namespace', 'selector', 'interval', ...CLUSTER] as const).find(
    (name) => values[name] !== undefined,
  );
  if (foreign !== undefined) throw usage(`record of this machine takes no --${foreign}`);
  return { kind: 'local', ...localRecord(rest, values) };
}

function replayCommand(rest: readonly string[], values: Values): Command {
  const { gate, database, output } = values;
  const given = [rest.length > 0, gate !== undefined, database !== undefined].filter((one) => one).length;
  if (given !== 1) throw usage('replay needs one of DIR..., --gate NAMESPACE/NAME and --database FILE');
  const arms = armNames(values);
  if (arms !== undefined && rest.length === 0) throw usage('--baseline and --canary are for recordings');
  const source: ReplaySource =
    gate !== undefined
      ? { kind: 'gate', gate: objectName(gate), cluster: clusterOptions(values) }
      : database !== undefined
        ? { kind: 'database', file: database }
        : { kind: 'recordings', directories: rest, arms };
  return { kind: 'replay', source, overrides: replayOverrides(values), format: outputFormat(output) };
}

function planCommand(rest: readonly string[], values: Values): Command {
  const { gate, baseline, placebos, output } = values;
  if ((gate === undefined) === (rest.length === 0)) {
    throw usage('plan needs either DIR... or --gate NAMESPACE/NAME');
  }
  const foreign = ['baseline', 'placebos', ...OVERRIDES].find((name) => Object.hasOwn(values, name));
  if (gate !== undefined && foreign !== undefined) {
    throw usage(`--${foreign} is for recordings: a gate is certified with its own settings`);
  }
  const source: PlanSource =
    gate === undefined
      ? { kind: 'recordings', directories: rest, pods: baseline, mostPlacebos: mostPlacebos(placebos) }
      : { kind: 'gate', gate: objectName(gate), cluster: clusterOptions(values) };
  return { kind: 'plan', source, overrides: replayOverrides(values), format: outputFormat(output) };
}

function gateCommand(rest: readonly string[], values: Values): Command {
  const right = 'gate wait NAMESPACE/NAME --canary HASH';
  const [verb, name = ''] = exactly(2, rest, right);
  if (verb !== 'wait') throw usage(`expected: flamegate ${right}`);
  const { baseline } = values;
  return {
    ...{ kind: 'gate', gate: objectName(name), canary: askedCanary(values.canary, values['canary-of']) },
    baseline: baseline === undefined ? undefined : revisionHash('baseline', baseline),
    timeoutMs: timeoutMs(values.timeout),
    inconclusive: inconclusiveAs(values.inconclusive),
    format: waitFormat(values.output),
    cluster: clusterOptions(values),
  };
}

function clusterOptions(values: Values): ClusterOptions {
  return {
    kubeconfig: values.kubeconfig,
    context: values.context,
    token: values.token,
    serviceAccount: objectName(values['service-account'] ?? VIEWER_ACCOUNT),
  };
}

function objectName(text: string): ObjectName {
  const [, namespace, name] = /^([a-z0-9-]{1,63})\/([a-z0-9.-]{1,253})$/.exec(text) ?? [];
  if (namespace === undefined || name === undefined) {
    throw usage(`"${text}" is not NAMESPACE/NAME`);
  }
  return { namespace, name };
}

function exactly(count: number, rest: readonly string[], right: string): readonly string[] {
  if (rest.length !== count) {
    throw usage(`expected: flamegate ${right}`);
  }
  return rest;
}

function some(rest: readonly string[], right: string): readonly string[] {
  if (rest.length === 0) {
    throw usage(`expected: flamegate ${right}`);
  }
  return rest;
}
