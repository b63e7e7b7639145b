/** `flamegate replay`: which past rollouts would have failed under other margins. */
import type { Outcome } from './cli-error.ts';
import type { Command } from './command.ts';
import { replay, replayExitCode } from './replay.ts';
import { pastEvaluations } from './replay-sources.ts';
import { renderReplay } from './replay-text.ts';

export async function runReplay(command: Extract<Command, { kind: 'replay' }>): Promise<Outcome> {
  const evaluations = await pastEvaluations(command.source);
  const replayed = evaluations.map((evaluation) => replay(evaluation, command.overrides));
  return { text: renderReplay(replayed, command.format), exitCode: replayExitCode(replayed) };
}
