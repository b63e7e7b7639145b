import { readFile, rename, writeFile } from 'node:fs/promises';
import { type Assignment, parseAssignment } from '../wire/assignment.ts';
import { codeOf, messageOf } from './agent-error.ts';
import type { AgentLog } from './log.ts';

/** The last assignment, kept on the node's disk: a restarted agent goes on without the controller. */
export async function loadAssignment(file: string, log: AgentLog): Promise<Assignment | undefined> {
  try {
    return parseAssignment(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    if (codeOf(error) !== 'ENOENT')
      log.warn({ file, reason: messageOf(error) }, 'kept assignment not usable');
    return undefined;
  }
}

export async function saveAssignment(file: string, assignment: Assignment): Promise<void> {
  await writeFile(`${file}.tmp`, JSON.stringify(assignment));
  await rename(`${file}.tmp`, file);
}
