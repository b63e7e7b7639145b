/** `flamegate doctor`: what this machine, its JVMs and the cluster allow, each obstacle named, and what to do about it. */
import { existsSync } from 'node:fs';
import { mkdtempDisposable } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { probeJvms } from '../../agent/probe-jvms.ts';
import { type Finding, probeMachine } from '../../agent/probe-machine.ts';
import type { Outcome } from '../cli-error.ts';
import { CliError } from '../cli-error.ts';
import type { Command } from '../command.ts';
import { nativeFiles } from '../native-files.ts';
import { type OutputFormat, printed } from '../output-format.ts';
import { textTable } from '../text-table.ts';
import { visible } from '../visible.ts';

type Doctor = Extract<Command, { kind: 'doctor' }>;

const PROC_ROOT = '/proc';
const CGROUP_ROOT = '/sys/fs/cgroup';
const OK = 0;
const CANNOT_WORK = 4;

interface Examined {
  readonly machine: readonly Finding[];
  readonly jvms: readonly Finding[];
  /** Undefined where nobody has a kubeconfig. */
  readonly cluster: readonly Finding[] | undefined;
}

export async function runDoctor(command: Doctor): Promise<Outcome> {
  await using scratch = await mkdtempDisposable(join(tmpdir(), 'flamegate-doctor-'));
  const directory = scratch.path;
  const examined: Examined = {
    machine: probeMachine({ ...nativeFiles(), procRoot: PROC_ROOT, cgroupRoot: CGROUP_ROOT, directory }),
    jvms: await probeJvms(PROC_ROOT, directory),
    cluster: await cluster(command),
  };
  const all = [...examined.machine, ...examined.jvms, ...(examined.cluster ?? [])];
  const exitCode = all.some(({ state }) => state === 'Missing') ? CANNOT_WORK : OK;
  return { text: rendered(examined, command.format), exitCode };
}

async function cluster({ cluster: options }: Doctor): Promise<readonly Finding[] | undefined> {
  const isAsked = options.kubeconfig !== undefined || options.context !== undefined;
  const isThere = process.env['KUBECONFIG'] !== undefined || existsSync(join(homedir(), '.kube/config'));
  if (!isAsked && !isThere) return undefined;
  const [{ clusterConfig }, { clusterFindings }] = await Promise.all([
    import('../cluster-config.ts'),
    import('./cluster-findings.ts'),
  ]);
  try {
    return await clusterFindings(clusterConfig(options));
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    const advice = 'look at --kubeconfig and --context';
    return [{ what: 'kubeconfig', state: 'Missing', found: error.message, advice }];
  }
}

const rendered = (examined: Examined, format: OutputFormat): string =>
  printed(format, examined, () =>
    [
      section('this machine', examined.machine, 'nothing'),
      section('its JVMs', examined.jvms, 'none runs that can be seen'),
      section(
        'the cluster',
        examined.cluster ?? [],
        'no kubeconfig: KUBECONFIG, ~/.kube/config or --kubeconfig',
      ),
    ].join('\n'),
  );

const MARKS = { Ok: 'ok', Limited: 'limited', Missing: 'MISSING' } as const;

function section(title: string, findings: readonly Finding[], none: string): string {
  if (findings.length === 0) return `${title}: ${none}\n`;
  const rows = findings.map(({ what, state, found, advice }) => [
    `  ${MARKS[state]}`,
    visible(what),
    visible(advice === undefined ? found : `${found}; ${advice}`),
  ]);
  return `${title}\n${textTable(rows).join('\n')}\n`;
}
