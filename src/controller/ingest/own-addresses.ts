/** Where this process can be reached, for the names in its certificate. */
import { networkInterfaces } from 'node:os';

/** Loopback and the pod's own addresses. */
export const ownAddresses = (): readonly string[] => [
  '127.0.0.1',
  '::1',
  ...Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, scopeid }) => !internal && !(scopeid ?? 0))
    .map(({ address }) => address),
];
