/** The command line: words in, one command out. */
import { parseArgs } from 'node:util';
import { usageError as usage } from './cli-error.ts';
import type { ClusterOptions, Command, ObjectName, Scope } from './command.ts';
import {
  ARMS,
  CLUSTER,
  type CommandName,
  commandIn,
  KUBE,
  OPTIONS,
  type OptionName,
  optionsOf,
  SHELLS,
  type Values,
} from './command-table.ts';
import { isRevision } from './commits/asked-revision.ts';
import type { AskedCommits } from './commits/culprit-commits.ts';
import { compareOptions } from './compare/compare-options.ts';
import { askedCanary, inconclusiveAs, revisionHash, timeoutMs, waitFormat } from './gate-wait-options.ts';
import { isLocal, localRecord } from './local/local-options.ts';
import { outputFormat } from './output-format.ts';
import type { PlanSource } from './plan-command.ts';
import { podRecordOptions, podTopOptions } from './pod/pod-options.ts';
import { durationOption, percentageOption } from './quantity-options.ts';
import { armNames, mostPlacebos, OVERRIDES, replayOverrides } from './replay-options.ts';
import type { ReplaySource } from './replay-sources.ts';
import { reportOutput } from './report-output.ts';
import { topOptions } from './top/top-options.ts';

/** Made by config/rbac/viewer.yaml. */
const VIEWER_ACCOUNT = 'flamegate-system/flamegate-viewer';
const GATE_RIGHT = 'flamegate gate wait NAMESPACE/NAME --canary HASH, or flamegate gate list';
const LONGEST_RECORDING_MS = 7 * 24 * 3_600_000;

/** Throws a CliError USAGE that says what is wrong and how it is right. */
export function parseCommandLine(argv: readonly string[]): Command {
  const { values, positionals } = parsed(argv);
  const [first] = positionals;
  if (values.help === true || first === undefined || first === 'help') {
    return { kind: 'help' };
  }
  const command = commandIn(positionals);
  if (command === undefined) {
    throw usage(first === 'gate' ? `expected: ${GATE_RIGHT}` : `there is no command "${first}"`);
  }
  const { name, rest } = command;
  const foreign = Object.keys(values).find((given) => !optionsOf(name).some((taken) => taken === given));
  if (foreign !== undefined) {
    throw usage(`${name} takes no --${foreign}`);
  }
  return commandOf(name, rest, values);
}

function commandOf(name: CommandName, rest: readonly string[], values: Values): Command {
  switch (name) {
    case 'status':
      exactly(0, rest, 'status takes options only');
      return { kind: name, ...listed(values), cluster: clusterOptions(values) };
    case 'gate list':
      exactly(0, rest, 'gate list takes options only');
      return { kind: 'gates', ...listed(values), cluster: clusterOptions(values) };
    case 'gate wait':
      return gateWaitCommand(rest, values);
    case 'diff':
      return diffCommand(rest, values);
    case 'report':
      return reportCommand(rest, values);
    case 'record':
      return recordCommand(rest, values);
    case 'top':
      return topCommand(rest, values);
    case 'compare':
      exactly(0, rest, "compare --baseline 'COMMAND' --canary 'COMMAND'");
      return { kind: name, ...compareOptions(values) };
    case 'doctor':
      exactly(0, rest, 'doctor takes options only');
      return { kind: name, format: outputFormat(values.output), cluster: clusterOptions(values) };
    case 'ui':
      return uiCommand(rest, values);
    case 'noise':
      return { kind: name, recordings: some(rest, 'noise DIR...') };
    case 'replay':
      return replayCommand(rest, values);
    case 'plan':
      return planCommand(rest, values);
    case 'completion':
      return completionCommand(rest);
  }
}

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
  if (output === undefined) refuse(['title'], values, 'diff without a page (-o)');
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
  if (format !== 'text') refuse(['raw'], values, `report as ${format}`);
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
    if (revision !== undefined && !isRevision(revision)) {
      throw usage(`--${arm}: "${revision.slice(0, 64)}" is no revision of git`);
    }
  }
  return { path: repo, baseline, canary };
}

function uiCommand(rest: readonly string[], values: Values): Command {
  exactly(0, rest, 'ui takes options only');
  const { port = '0' } = values;
  const scope = scopeOf(values);
  const namespace = scope.kind === 'one' ? scope.namespace : undefined;
  if (scope.kind === 'one' && namespace === undefined) {
    throw usage('ui needs a namespace: ui --namespace shop, or ui -A for all that you may read');
  }
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw usage(`--port is 0 to 65535, not "${port}"`);
  return { kind: 'ui', namespace, port: Number(port), cluster: clusterOptions(values) };
}

function armOf(text: string | undefined): (typeof ARMS)[number] | undefined {
  const arm = ARMS.find((each) => each === text);
  if (arm !== undefined || text === undefined) return arm;
  throw usage(`--slow is canary or baseline, not "${text}"`);
}

function topCommand(rest: readonly string[], values: Values): Command {
  exactly(0, rest, 'top --pid PID');
  if (values.pod === undefined) {
    refuse(CLUSTER, values, 'top of this machine');
    return { kind: 'top', ...topOptions(values) };
  }
  refuse(['pid', 'container', 'frequency', 'every'], values, 'top of a pod');
  return { kind: 'podTop', ...podTopOptions(values), ...podOf(values.pod, values) };
}

const podOf = (pod: string, values: Values) => ({ pod: objectName(pod), cluster: clusterOptions(values) });

function recordCommand(rest: readonly string[], values: Values): Command {
  if (values.pod !== undefined) {
    exactly(0, rest, 'record --pod NAMESPACE/NAME -o a.pb.gz');
    refuse(['pid', 'container', 'frequency', 'namespace', 'selector', 'interval'], values, 'record of a pod');
    return { kind: 'podRecord', ...podRecordOptions(values), ...podOf(values.pod, values) };
  }
  if (isLocal(rest, values)) return localCommand(rest, values);
  refuse(['frequency'], values, 'record of the pods of a gate');
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
  refuse(['namespace', 'selector', 'interval', ...CLUSTER], values, 'record of this machine');
  return { kind: 'local', ...localRecord(rest, values) };
}

function refuse(names: readonly OptionName[], values: Values, what: string): void {
  const foreign = names.find((name) => values[name] !== undefined);
  if (foreign !== undefined) throw usage(`${what} takes no --${foreign}`);
}

function replayCommand(rest: readonly string[], values: Values): Command {
  const { gate, database, output } = values;
  const given = [rest.length > 0, gate !== undefined, database !== undefined].filter((one) => one).length;
  if (given !== 1) throw usage('replay needs one of DIR..., --gate NAMESPACE/NAME and --database FILE');
  const arms = armNames(values);
  if (arms !== undefined && rest.length === 0) throw usage('--baseline and --canary are for recordings');
  if (gate === undefined) refuse(CLUSTER, values, 'replay of recordings and databases');
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
  if (gate === undefined) refuse(KUBE, values, 'plan of recordings');
  const source: PlanSource =
    gate === undefined
      ? { kind: 'recordings', directories: rest, pods: baseline, mostPlacebos: mostPlacebos(placebos) }
      : { kind: 'gate', gate: objectName(gate), cluster: clusterOptions(values) };
  return { kind: 'plan', source, overrides: replayOverrides(values), format: outputFormat(output) };
}

function gateWaitCommand(rest: readonly string[], values: Values): Command {
  const [name = ''] = exactly(1, rest, 'gate wait NAMESPACE/NAME --canary HASH');
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

function completionCommand(rest: readonly string[]): Command {
  const right = `completion ${SHELLS.join('|')}`;
  const [word] = exactly(1, rest, right);
  const shell = SHELLS.find((each) => each === word);
  if (shell === undefined) throw usage(`expected: flamegate ${right}`);
  return { kind: 'completion', shell };
}

/** What every command that lists something of a cluster is asked. */
const listed = (values: Values) => ({
  scope: scopeOf(values),
  format: outputFormat(values.output),
});

function scopeOf({ namespace, 'all-namespaces': isAll }: Values): Scope {
  if (isAll === true && namespace !== undefined)
    throw usage('give --namespace or --all-namespaces, not both');
  if (isAll === true) return { kind: 'all' };
  if (namespace !== undefined && !/^[a-z0-9-]{1,63}$/.test(namespace)) {
    throw usage(`--namespace: "${namespace.slice(0, 64)}" is no name of a namespace`);
  }
  return { kind: 'one', namespace };
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
