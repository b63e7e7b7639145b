/** Commands of a page under docs/, by the names their blocks have there: what a reader would type, and nothing else. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const ROOT = new URL('../../', import.meta.url).pathname;

/** Of `<!-- test: NAME -->` and the block that follows it. Throws where there is none. */
export function documentedCommands(page: string, name: string): string {
  const text = readFileSync(`${ROOT}${page}`, 'utf8');
  const [, block] = text.match(new RegExp(`<!-- test: ${name} -->\n\`\`\`\\w*\n([^]*?)\`\`\``)) ?? [];
  if (block === undefined) throw new Error(`${page} has no block ${name}`);
  return block;
}

/** As a shell runs them from the repository's root; what they print. Throws with it where one of them fails. */
export function run(commands: string, env: Readonly<Record<string, string>>): string {
  const done = spawnSync('bash', ['-euc', commands], {
    ...{ cwd: ROOT, encoding: 'utf8', env: { ...process.env, ...env }, timeout: 600_000 },
  });
  if (done.status !== 0)
    throw new Error(`${commands}ended with ${done.status}: ${done.stdout}${done.stderr}`);
  return done.stdout;
}
