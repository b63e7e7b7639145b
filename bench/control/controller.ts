/** The controller's own process before so many agents: until it leads, and how it ended. */
import {
  type ControllerProcess,
  type ControllerProcessOptions,
  startControllerProcess,
} from '../../test/bare/controller-process.ts';
import { eventually } from '../../test/cluster/cluster.ts';

export const PORTS = { httpPort: 18_080, httpsPort: 18_443 };
/** With more heap than it ships with: docs/scale.md. */
const FLAGS = ['--max-semi-space-size=8', '--max-old-space-size=320'];

export interface LeadingController {
  readonly pid: number;
  readonly readyAfterMs: number;
  /** Throws with its log if it has ended by itself. */
  assertRuns(): void;
  /** Asks it to end, and waits. */
  stop(): Promise<void>;
}

export async function startLeadingController(
  options: Pick<ControllerProcessOptions, 'kubeconfigFile' | 'settingsFile' | 'dataDirectory'>,
): Promise<LeadingController> {
  const beganMs = performance.now();
  const controller = startControllerProcess({
    ...{ ...options, ...PORTS, podName: 'flamegate-controller-bench', flags: FLAGS },
  });
  await said(controller, 'controller started');
  const readyAfterMs = performance.now() - beganMs;
  await said(controller, 'leading');
  const assertRuns = (): void => {
    if (controller.ended()) throw new Error(`the controller has ended by itself:\n${controller.log()}`);
  };
  return {
    ...{ pid: controller.pid, readyAfterMs, assertRuns },
    async stop() {
      assertRuns();
      controller.signal('SIGTERM');
      await eventually('the end of the controller', 60, () => controller.ended() || undefined);
    },
  };
}

const said = (controller: ControllerProcess, message: string): Promise<true> =>
  eventually(message, 180, () => {
    if (controller.ended()) throw new Error(`the controller has ended:\n${controller.log()}`);
    return controller.has(message) || undefined;
  });
