/** The controller's process. */
import { KubeConfig } from '@kubernetes/client-node';
import { pino } from 'pino';
import { readControllerConfig } from './config.ts';
import { type Controller, startController } from './start-controller.ts';

/** Kubernetes kills after terminationGracePeriodSeconds, 20 in our manifest. */
const STOP_WITHIN_MS = 15_000;

const config = readControllerConfig();
const log = pino({ level: config.logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime });
const kubeConfig = new KubeConfig();
kubeConfig.loadFromDefault();

try {
  const controller = await startController({
    kubeConfig,
    config,
    log,
    onLost: (why) => {
      log.fatal({ why }, 'lease lost: ending');
      process.exit(1);
    },
  });
  log.info({ httpPort: controller.httpPort, httpsPort: controller.httpsPort }, 'controller started');
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => void end(controller, signal));
  }
} catch (err) {
  log.fatal({ err }, 'controller did not start');
  process.exit(1);
}

async function end(controller: Controller, signal: string): Promise<void> {
  log.info({ signal }, 'stopping');
  setTimeout(() => process.exit(1), STOP_WITHIN_MS).unref();
  await controller.stop();
  process.exit(0);
}
