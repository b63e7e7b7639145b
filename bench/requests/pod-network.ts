/** A network namespace with a veth, as a pod has one: what passes its outer end is what a capture on the node sees. */
import { execFileSync } from 'node:child_process';

export interface PodNetwork {
  readonly networkInterface: string;
  readonly address: string;
  /** What starts a command within. */
  readonly prefix: readonly string[];
  remove(): void;
}

const NAME = `fgb${process.pid % 100_000}`;
const OUTER = '10.239.77.1';
const INNER = '10.239.77.2';

export function makePodNetwork(): PodNetwork {
  const inner = `${NAME}p`;
  const commands = [
    ['netns', 'add', NAME],
    ['link', 'add', NAME, 'type', 'veth', 'peer', 'name', inner, 'netns', NAME],
    ['address', 'add', `${OUTER}/30`, 'dev', NAME],
    ['link', 'set', NAME, 'up'],
    ['-n', NAME, 'address', 'add', `${INNER}/30`, 'dev', inner],
    ['-n', NAME, 'link', 'set', inner, 'up'],
    ['-n', NAME, 'link', 'set', 'lo', 'up'],
  ];
  for (const command of commands) execFileSync('ip', command);
  return {
    networkInterface: NAME,
    address: INNER,
    prefix: ['ip', 'netns', 'exec', NAME],
    remove: () => void execFileSync('ip', ['netns', 'delete', NAME]),
  };
}
