/** What a change of the settings file does: log, metrics, Event, store, and another look at what it concerns. */
import type { EventRecorder } from '../../kube/events.ts';
import type { WindowStore } from '../../store/window-store.ts';
import type { ControllerMetrics } from '../metrics.ts';
import type { SettingsSource } from './settings-source.ts';

/** The ConfigMap of `config/controller/settings.yaml`. */
const SETTINGS_NAME = 'flamegate-settings';

export interface SettingsEffects {
  readonly metrics: Pick<ControllerMetrics, 'settings'>;
  readonly events: Pick<EventRecorder, 'record'>;
  readonly store: Pick<WindowStore, 'limit'>;
  readonly log: {
    info(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
  /** Of the ConfigMap. */
  readonly namespace: string;
}

export function watchSettings(
  settings: SettingsSource,
  { metrics, events, store, log, namespace }: SettingsEffects,
  lookAgain: () => void,
): void {
  const regarding = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: SETTINGS_NAME, uid: '' };
  metrics.settings(settings.hash(), true);
  settings.watch({
    changed(hash) {
      store.limit(settings.current().store);
      metrics.settings(hash, true);
      log.info({ hash }, 'settings changed');
      lookAgain();
    },
    refused({ code, message }) {
      const inForce = settings.hash();
      metrics.settings(inForce, false);
      log.error(
        { code, inForce, problem: message },
        'settings refused: what they said before stays in force',
      );
      const note = `${message}; what the settings said before stays in force`;
      events.record({ regarding, type: 'Warning', reason: 'SettingsRefused', note, action: 'ReadSettings' });
    },
    restored() {
      metrics.settings(settings.hash(), true);
      log.info({ hash: settings.hash() }, 'settings are again what is in force');
    },
  });
}
