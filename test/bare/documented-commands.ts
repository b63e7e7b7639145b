/** Commands of a page under docs/, by the names their blocks have there: what a reader would type, and nothing else. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const TIMEOUT_MS = 600_000; // on a busy machine
const ROOT = new URL('../../', import.meta.url).pathname;

/** Of `<!-- test: NAME -->` and the block that follows it. Throws where there is none. */
export function documentedCommands(page: string, name: string): string {
  const text = readFileSync(`${ROOT}${page}`, 'utf8');
  const [, block] = text.match(new RegExp(`<!-- test: ${name} -->\n\`\`\`\\w*\n([^]*?)\`\`\``)) ?? [];
  if (block === undefined) throw new Error(`${page} has no block ${name}`);
  return block;
}

/**
 * As a shell runs them from the repository's root; what they print. Rejects with it where one of them fails. Beside them the test goes on to
 * play whatever they wait for.
 */
export async function run(commands: string, env: Readonly<Record<string, string>>): Promise<string> {
  try {
    const { stdout } = await execute('bash', ['-euc', commands], {
      ...{ cwd: ROOT, env: { ...process.env, ...env }, timeout: TIMEOUT_MS },
    });
    return stdout;
  } catch (error) {
    throw new Error(commands, { cause: error });
  }
}
