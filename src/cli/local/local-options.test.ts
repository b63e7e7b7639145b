import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCommandLine } from '../command-line.ts';

const parsed = (line: string) => parseCommandLine(line.split(' '));
const ID = '0123456789abcdef'.repeat(4);

test('a process, a container of any runtime and a command can be recorded', () => {
  const common = { kind: 'local', durationMs: 30_000, frequencyHz: 97, output: 'a.pb.gz' };
  assert.deepEqual(parsed('record --pid 7 -o a.pb.gz'), { ...common, target: { kind: 'pid', pid: 7 } });
  const target = { kind: 'container', containerId: ID };
  assert.deepEqual(parsed(`record --container ${ID} -o a.pb.gz`), { ...common, target });
  assert.deepEqual(parsed(`record --container containerd://${ID} -o a.pb.gz`), { ...common, target });
  assert.deepEqual(parsed('record --duration 2m --frequency 49 -o a.txt -- java -Xmx1g -jar app.jar -o b'), {
    ...{ kind: 'local', durationMs: 120_000, frequencyHz: 49, output: 'a.txt' },
    target: { kind: 'command', command: 'java', args: ['-Xmx1g', '-jar', 'app.jar', '-o', 'b'] },
  });
});

test('what cannot be meant is refused with the option and how it is right', () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['record --pid 7', /record needs -o/],
    ['record --pid 7x -o a', /--pid is the number of a process, not "7x"/],
    ['record --pid 0 -o a', /--pid is the number of a process/],
    ['record --container web -o a', /--container is an id of 64 hexadecimal digits/],
    ['record --pid 7 -o a -- java', /one of --pid, --container and a command/],
    ['top', /one of --pid, --container/],
    ['top --pid 7 --every 0s', /--every is 1s to 1h/],
    ['top --pid 7 --times no', /--times is 1 to/],
    ['record --pid 7 -o a --duration 25h', /--duration is 1s to 24h/],
    ['record --pid 7 -o a --duration soon', /--duration: "soon" is not a duration/],
    ['record --pid 7 -o a --frequency 1000', /--frequency is 1 to 199/],
    ['record --pid 7 -o a --namespace shop', /takes no --namespace/],
    ['diff a b', /diff needs -o or --fail-on/],
    ['diff a b --fail-on much', /--fail-on: "much" is not a percentage/],
  ];
  for (const [line, message] of wrong) assert.throws(() => parsed(line), message, line);
});
