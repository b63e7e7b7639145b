/** `flamegate record --pod` and `top --pod`, by the user's kubeconfig. */
import { clusterConfig } from '../cluster-config.ts';
import type { Command } from '../command.ts';
import { openController } from '../controller-connection.ts';
import type { TopTerminal } from '../top/top-command.ts';
import { type PodSurroundings, recordPod } from './record-pod.ts';
import { topOfPod } from './top-of-pod.ts';

export async function runOfPod(
  command: Extract<Command, { kind: 'podRecord' | 'podTop' }>,
  around: TopTerminal & PodSurroundings,
): Promise<string> {
  const controller = await openController(clusterConfig(command.cluster), command.cluster);
  switch (command.kind) {
    case 'podRecord':
      return recordPod(controller, command, around);
    case 'podTop':
      return topOfPod(controller, command, around);
  }
}
