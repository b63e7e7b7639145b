/**
 * Every command, with the options it takes and the values that are known beforehand: the command line is parsed by this table, and shells
 * complete what it says, so that neither knows what the other does not. Pure.
 */
import { COMPARE_FORMATS, COMPARE_OPTIONS, COMPARE_TAKES } from './compare/compare-options.ts';
import { GATE_WAIT_OPTIONS, INCONCLUSIVE_AS, WAIT_FORMATS } from './gate-wait-options.ts';
import { LOCAL_OPTIONS } from './local/local-options.ts';
import { OUTPUT_FORMATS } from './output-format.ts';
import { POD_OPTIONS } from './pod/pod-options.ts';
import { OVERRIDES, REPLAY_OPTIONS } from './replay-options.ts';
import { REPORT_FORMS } from './report-output.ts';
import { TOP_OPTIONS } from './top/top-options.ts';

const text = { type: 'string' } as const;

/** For node:util's parseArgs. */
export const OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  output: { type: 'string', short: 'o' },
  title: text,
  raw: { type: 'boolean' },
  slow: text,
  route: text,
  repo: text,
  namespace: { type: 'string', short: 'n' },
  'all-namespaces': { type: 'boolean', short: 'A' },
  selector: { type: 'string', short: 'l' },
  duration: text,
  interval: text,
  kubeconfig: text,
  context: text,
  token: text,
  'service-account': text,
  'fail-on': text,
  ...LOCAL_OPTIONS,
  ...TOP_OPTIONS,
  ...POD_OPTIONS,
  port: text,
  ...COMPARE_OPTIONS,
  ...REPLAY_OPTIONS,
  ...GATE_WAIT_OPTIONS,
} as const;

export type OptionName = Exclude<keyof typeof OPTIONS, 'help'>;
type Flag = 'raw' | 'all-namespaces';

/** As parsed; each command takes some of them. */
export type Values = { readonly [Name in Exclude<OptionName, Flag>]?: string | undefined } & {
  readonly [Name in Flag]?: boolean | undefined;
};

/** What may stand for a value, or for a word behind the command. */
export interface Known {
  readonly choices?: readonly string[];
  readonly path?: 'file' | 'directory';
}

interface CommandEntry {
  /** In a line, for shells that show it. */
  readonly says: string;
  readonly takes: readonly OptionName[];
  readonly output?: Known;
  /** Words that are no options. */
  readonly words?: Known;
}

export const ARMS = ['baseline', 'canary'] as const;
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

export const KUBE = ['kubeconfig', 'context'] as const;
export const CLUSTER = [...KUBE, 'token', 'service-account'] as const;
const LOCAL = ['pid', 'container', 'frequency'] as const;
const SCOPE = ['namespace', 'all-namespaces'] as const;
const LISTS: Known = { choices: OUTPUT_FORMATS };
const FILE: Known = { path: 'file' };
const DIRECTORY: Known = { path: 'directory' };

export const COMMANDS = {
  status: {
    says: 'what is installed and how it works, what is wrong first',
    takes: ['output', ...SCOPE, ...KUBE],
    output: LISTS,
  },
  'gate list': { says: 'gates and their verdicts', takes: ['output', ...SCOPE, ...KUBE], output: LISTS },
  'gate wait': {
    says: 'wait for the verdict of a canary',
    takes: ['output', 'canary', 'canary-of', 'baseline', 'timeout', 'inconclusive', ...KUBE],
    output: { choices: WAIT_FORMATS },
  },
  report: {
    says: 'print a RegressionReport, or save its page',
    takes: ['output', 'raw', 'slow', 'route', 'repo', 'baseline', 'canary', ...CLUSTER],
    output: { choices: REPORT_FORMS, path: 'file' },
  },
  ui: { says: 'gates and reports in a browser', takes: [...SCOPE, 'port', ...CLUSTER] },
  record: {
    says: 'record a process, a container, a command, a pod, or the pods of a gate',
    takes: ['output', 'pod', 'namespace', 'selector', 'duration', 'interval', ...LOCAL, ...CLUSTER],
    output: FILE,
  },
  top: {
    says: 'the functions that take the CPU, as they run',
    takes: ['output', 'pod', ...LOCAL, 'every', 'times', ...CLUSTER],
    output: LISTS,
  },
  diff: {
    says: 'two profiles as one diff flame graph',
    takes: ['output', 'title', 'raw', 'fail-on'],
    output: FILE,
    words: FILE,
  },
  compare: {
    says: 'two builds in turn on this machine, until it is decided',
    takes: COMPARE_TAKES,
    output: { choices: COMPARE_FORMATS, path: 'file' },
  },
  doctor: {
    says: 'what machine, JVMs and cluster allow',
    takes: ['output', ...KUBE],
    output: LISTS,
  },
  noise: { says: 'what recordings say about noise', takes: [], words: DIRECTORY },
  replay: {
    says: 'judge evaluations again, with other settings',
    takes: ['output', 'gate', 'database', 'baseline', 'canary', ...OVERRIDES, ...CLUSTER],
    output: LISTS,
    words: DIRECTORY,
  },
  plan: {
    says: 'what a gate sees with how many canary pods',
    takes: ['output', 'gate', 'baseline', 'placebos', ...OVERRIDES, ...KUBE],
    output: LISTS,
    words: DIRECTORY,
  },
  completion: { says: 'a script that completes this in your shell', takes: [], words: { choices: SHELLS } },
} as const satisfies Readonly<Record<string, CommandEntry>>;

export type CommandName = keyof typeof COMMANDS;

const KNOWN: Readonly<Partial<Record<OptionName, Known>>> = {
  slow: { choices: ARMS },
  inconclusive: { choices: INCONCLUSIVE_AS },
  kubeconfig: FILE,
  database: FILE,
  repo: DIRECTORY,
  page: FILE,
};

/** Of an option of a command; undefined where anything may stand, or where it has no value. */
export const knownValues = (command: CommandName, option: OptionName): Known | undefined =>
  option === 'output' ? entryOf(command).output : KNOWN[option];

export const knownWords = (command: CommandName): Known | undefined => entryOf(command).words;

export const optionsOf = (command: CommandName): readonly OptionName[] => COMMANDS[command].takes;

const entryOf = (command: CommandName): CommandEntry => COMMANDS[command];

/** The command that words begin with, and the words behind it; undefined: there is no such command. */
export function commandIn(
  words: readonly string[],
): { readonly name: CommandName; readonly rest: readonly string[] } | undefined {
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(' ');
    if (isCommand(name)) return { name, rest: words.slice(length) };
  }
  return undefined;
}

const isCommand = (name: string): name is CommandName => Object.hasOwn(COMMANDS, name);
