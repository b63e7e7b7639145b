/** Who is told of verdicts, as the install's settings name them. */
import type { SinkAddress } from '../../wire/sinks.ts';

export type NotificationSink =
  | { readonly kind: 'Alertmanager'; readonly address: SinkAddress }
  | { readonly kind: 'Webhook'; readonly address: SinkAddress; readonly signingKey: string };
