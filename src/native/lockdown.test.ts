/** What an agent gives up, on the real kernel. It cannot be taken back, so each test has a process of its own. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { samplerOptions } from './sampler-fixture.ts';

const { addonPath } = samplerOptions();

/** Every call that the program tries from a thread of before, and how it ended; one of each name is not enough for `kill`. */
function tried(...granted: readonly string[]): readonly string[] {
  const program = join(addonPath, '../locked-calls');
  const { status, stdout, stderr } = spawnSync(program, granted, { encoding: 'utf8', timeout: 20_000 });
  assert.equal(status, 0, `${stdout}${stderr}`);
  return stdout.trim().split('\n');
}

const REFUSED = ['ptrace', 'execve', 'open_by_handle_at', 'unshare', 'setns', 'mount', 'init_module'].concat([
  'kexec_load',
  'keyctl',
  'io_uring_setup',
  'clone',
  'x32',
  'int80',
]);

test('every thread is refused what an agent never does, reads other processes, and leaves no dump', () => {
  const lines = tried();

  for (const call of REFUSED) assert(lines.includes(`${call} EPERM`), `${call}: ${lines.join(', ')}`);
  assert(lines.includes('process_vm_readv done'));
  assert(lines.includes('process_vm_writev EPERM'));
  assert.deepEqual(
    lines.filter((line) => line.startsWith('kill')),
    ['kill done', 'kill EPERM', 'kill EPERM'], // is it there, SIGCONT, SIGQUIT
  );
  assert.deepEqual(
    lines.filter((line) => line.startsWith('tgkill')),
    ['tgkill EPERM', 'tgkill done'], // another process, itself
  );
  assert.deepEqual(lines.slice(-2), ['thread done', 'dumpable 0, core 0']);
});

test('what the install grants stays: a byte of mode Live, and SIGQUIT of the attach protocol', () => {
  const [live, attach] = [tried('live'), tried('attach')];

  assert(live.includes('process_vm_writev done'));
  assert(live.includes('ptrace EPERM'));
  assert(attach.includes('process_vm_writev EPERM'));
  assert.deepEqual(
    attach.filter((line) => line.startsWith('kill')),
    ['kill done', 'kill EPERM', 'kill done'],
  );
});

test('Node itself goes on: files, sockets, timers, threads of its pool and new workers', () => {
  const module = join(import.meta.dirname, 'lockdown.ts');
  const script = `
    const { lockDown } = await import(${JSON.stringify(module)});
    lockDown({ addonPath: ${JSON.stringify(addonPath)}, liveAllowed: false, attachAllowed: false });
    const { readFile } = await import('node:fs/promises');
    const { createServer, get } = await import('node:http');
    const { gzip } = await import('node:zlib');
    const { Worker } = await import('node:worker_threads');
    const { spawnSync } = await import('node:child_process');
    const status = await readFile('/proc/self/status', 'utf8');
    const server = createServer((_, response) => response.end('answered')).listen(0);
    await new Promise((resolve) => server.once('listening', resolve));
    const answer = await new Promise((resolve) => get({ port: server.address().port }, (response) => response.once('data', resolve)));
    await new Promise((resolve, reject) => gzip('x', (error) => (error ? reject(error) : resolve())));
    const worker = new Worker('1', { eval: true });
    await new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject));
    const spawned = spawnSync('true').error?.code;
    console.log(JSON.stringify({ seccomp: /^Seccomp:\\t(\\d)/m.exec(status)[1], answer: String(answer), spawned }));
    process.exit(0);`;

  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    timeout: 20_000,
  });

  assert.deepEqual(
    JSON.parse(stdout || 'null'),
    { seccomp: '2', answer: 'answered', spawned: 'EPERM' },
    stderr,
  );
});
