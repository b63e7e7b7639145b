/** The controller as a Deployment keeps it: on a machine that stands still for seconds it loses its lease, ends, and is started again. */
import { type ControllerProcessOptions, startControllerProcess } from './controller-process.ts';

export interface KeptController {
  /** Of the process that runs now. */
  log(): string;
  stop(): Promise<void>;
}

export function keptController(options: ControllerProcessOptions): KeptController {
  let controller = startControllerProcess(options);
  const timer = setInterval(() => {
    if (controller.ended()) controller = startControllerProcess(options);
  }, 1_000);
  return {
    log: () => controller.log(),
    stop() {
      clearInterval(timer);
      return controller.kill();
    },
  };
}
