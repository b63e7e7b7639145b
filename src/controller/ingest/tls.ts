/**
 * Keeps the authority in a Secret that all replicas share, its certificate in a ConfigMap that agents mount, and a
 * serving certificate of this replica in memory.
 */
import type { Logger } from 'pino';
import type { KubeClient } from '../../kube/client.ts';
import { isKubeError } from '../../kube/kube-error.ts';
import {
  authorityIsDue,
  type KeyPair,
  makeAuthority,
  makeServing,
  pairIsReadable,
  type SubjectNames,
  servingIsDue,
  signingAuthority,
  trustBundle,
} from './certificates.ts';

export const TLS_SECRET = 'flamegate-controller-tls';
export const CA_CONFIG_MAP = 'flamegate-ca';
const CA_FILE = 'ca.crt';

export interface TlsOptions {
  readonly client: KubeClient;
  readonly systemNamespace: string;
  readonly agentsNamespace: string;
  readonly names: SubjectNames;
  readonly now: () => number;
  readonly log: Logger;
  /** Called with every new serving certificate after the first. */
  readonly onRenewed: (serving: KeyPair) => void;
  /** Called with whom to trust at each look, also where nothing changed: whoever keeps it elsewhere can mend it. */
  readonly onTrust?: (bundle: string) => Promise<void>;
}

export interface ServingCertificate {
  readonly first: KeyPair;
  stop(): Promise<void>;
}

const CHECK_EVERY_MS = 10 * 60_000;

/** Resolves once a serving certificate is there and agents can read whom to trust. */
export async function startServingCertificate(options: TlsOptions): Promise<ServingCertificate> {
  let current = await renewed(options, undefined);
  const first = current.serving;
  let underWay: Promise<void> = Promise.resolve();
  const check = async (): Promise<void> => {
    try {
      const next = await renewed(options, current);
      if (next.serving !== current.serving) options.onRenewed(next.serving);
      current = next;
    } catch (error) {
      options.log.error({ err: error }, 'certificate check failed; the present one stays');
    }
  };
  const timer = setInterval(() => {
    underWay = check();
  }, CHECK_EVERY_MS);
  timer.unref();
  return {
    first,
    async stop() {
      clearInterval(timer);
      await underWay;
    },
  };
}

interface Current {
  readonly signer: string;
  readonly serving: KeyPair;
}

async function renewed(options: TlsOptions, current: Current | undefined): Promise<Current> {
  const nowMs = options.now();
  const authorities = await sharedAuthorities(options, nowMs);
  const bundle = trustBundle(authorities, nowMs);
  await publishTrust(options, bundle);
  await options.onTrust?.(bundle);
  const signer = signingAuthority(authorities, nowMs);
  if (signer === undefined) throw new Error('no authority although one was just made');
  const keep = current?.signer === signer.certificate && !servingIsDue(current.serving, nowMs);
  if (keep) return current;
  options.log.info({ names: options.names }, 'serving certificate made');
  return { signer: signer.certificate, serving: await makeServing(signer, options.names, nowMs) };
}

interface Secret {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly resourceVersion?: string };
  readonly data?: Readonly<Record<string, string>>;
}

/** Of two replicas that begin at once, one creates and the other reads: creating and replacing are optimistic. */
async function sharedAuthorities(options: TlsOptions, nowMs: number): Promise<readonly KeyPair[]> {
  const ref = secretRef(options);
  for (let attempt = 0; attempt < 5; attempt++) {
    const secret = await options.client.get<Secret>(ref);
    const authorities = authoritiesIn(secret);
    if (!authorityIsDue(authorities, nowMs)) return authorities;
    const next = [await makeAuthority(nowMs), ...authorities.slice(0, 1)];
    if (await secretWasWritten(options, secret, next)) return next;
  }
  throw new Error(`Secret ${ref.namespace}/${ref.name} changed five times while it was being written`);
}

async function secretWasWritten(
  options: TlsOptions,
  before: Secret | undefined,
  authorities: readonly KeyPair[],
): Promise<boolean> {
  const ref = secretRef(options);
  const { resourceVersion } = before?.metadata ?? {};
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'Opaque',
    metadata: {
      name: ref.name,
      namespace: ref.namespace,
      labels: { 'app.kubernetes.io/part-of': 'flamegate' },
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
    data: secretData(authorities),
  };
  try {
    const collection = `/api/v1/namespaces/${ref.namespace}/secrets`;
    if (before === undefined) await options.client.request('POST', collection, secret);
    else await options.client.request('PUT', `${collection}/${ref.name}`, secret);
    options.log.info({ secret: ref.name }, 'certificate authority made');
    return true;
  } catch (error) {
    if (isKubeError(error, 'KUBE_CONFLICT')) return false;
    throw error;
  }
}

const secretRef = (options: TlsOptions) => ({
  apiVersion: 'v1',
  plural: 'secrets',
  namespace: options.systemNamespace,
  name: TLS_SECRET,
});

const KEYS = [
  ['ca.crt', 'ca.key'],
  ['previous-ca.crt', 'previous-ca.key'],
] as const;

function secretData(authorities: readonly KeyPair[]): Record<string, string> {
  const encode = (text: string) => Buffer.from(text).toString('base64');
  return Object.fromEntries(
    KEYS.flatMap(([certificate, privateKey], index) => {
      const pair = authorities[index];
      if (pair === undefined) return [];
      return [
        [certificate, encode(pair.certificate)],
        [privateKey, encode(pair.privateKey)],
      ];
    }),
  );
}

function authoritiesIn(secret: Secret | undefined): readonly KeyPair[] {
  const decode = (name: string) => Buffer.from(secret?.data?.[name] ?? '', 'base64').toString('utf8');
  return KEYS.map(([certificate, privateKey]) => ({
    certificate: decode(certificate),
    privateKey: decode(privateKey),
  })).filter(pairIsReadable);
}

async function publishTrust(options: TlsOptions, bundle: string): Promise<void> {
  const ref = {
    apiVersion: 'v1',
    plural: 'configmaps',
    namespace: options.agentsNamespace,
    name: CA_CONFIG_MAP,
  };
  const configMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: ref.name,
      namespace: ref.namespace,
      labels: { 'app.kubernetes.io/part-of': 'flamegate' },
    },
    data: { [CA_FILE]: bundle },
  };
  await options.client.apply(ref, configMap, { fieldManager: 'flamegate', force: true });
}
