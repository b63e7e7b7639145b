/** The controller's own certificate authority: what is made, when it is replaced, which of two signs. */
import 'reflect-metadata'; // @peculiar/x509 registers its classes with it at load
import * as x509 from '@peculiar/x509';

type Key = Parameters<typeof crypto.subtle.exportKey>[1];

/** PEM text. */
export interface KeyPair {
  readonly certificate: string;
  readonly privateKey: string;
}

export interface SubjectNames {
  readonly dns: readonly string[];
  readonly ips: readonly string[];
}

const DAY_MS = 24 * 3_600_000;
const CA_DAYS = 365;
/** A new authority is made a third of a life before the old one ends. */
const CA_RENEW_BEFORE_DAYS = 120;
/** A new authority signs only after agents had a day to read it: the kubelet takes about a minute. */
const CA_SETTLE_MS = DAY_MS;
const SERVING_DAYS = 14;
const SERVING_RENEW_BEFORE_DAYS = 7;
/** Clocks of nodes may be behind ours. */
const BACKDATE_MS = 10 * 60_000;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

export async function makeAuthority(nowMs: number): Promise<KeyPair> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=flamegate-ca-${new Date(nowMs).toISOString().slice(0, 10)}`,
    notBefore: new Date(nowMs - BACKDATE_MS),
    notAfter: new Date(nowMs + CA_DAYS * DAY_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: certificate.toString('pem'), privateKey: await privateKeyPem(keys.privateKey) };
}

export async function makeServing(authority: KeyPair, names: SubjectNames, nowMs: number): Promise<KeyPair> {
  const issuer = new x509.X509Certificate(authority.certificate);
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: 'CN=flamegate-controller',
    issuer: issuer.subject,
    notBefore: new Date(nowMs - BACKDATE_MS),
    notAfter: new Date(Math.min(nowMs + SERVING_DAYS * DAY_MS, issuer.notAfter.getTime())),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: await importPrivateKey(authority.privateKey),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        ...names.dns.map((value) => ({ type: 'dns' as const, value })),
        ...names.ips.map((value) => ({ type: 'ip' as const, value })),
      ]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  });
  return { certificate: certificate.toString('pem'), privateKey: await privateKeyPem(keys.privateKey) };
}

export const servingIsDue = (serving: KeyPair, nowMs: number): boolean =>
  new x509.X509Certificate(serving.certificate).notAfter.getTime() - nowMs <
  SERVING_RENEW_BEFORE_DAYS * DAY_MS;

/** Newest first. True when none is left that will still be good for CA_RENEW_BEFORE_DAYS. */
export const authorityIsDue = (authorities: readonly KeyPair[], nowMs: number): boolean =>
  !authorities.some((pair) => validity(pair).toMs - nowMs >= CA_RENEW_BEFORE_DAYS * DAY_MS);

/**
 * The authority that signs now, of at most two, newest first.
 *
 * newest | older          → signs
 * settled | any           → newest
 * fresh   | still valid   → older: agents may not have read the new one yet
 * fresh   | none or ended → newest
 */
export function signingAuthority(authorities: readonly KeyPair[], nowMs: number): KeyPair | undefined {
  const [newest, older] = authorities;
  if (newest === undefined) return undefined;
  const settled = nowMs - validity(newest).fromMs >= CA_SETTLE_MS;
  const olderStillGood = older !== undefined && validity(older).toMs - nowMs > SERVING_DAYS * DAY_MS;
  return settled || !olderStillGood ? newest : older;
}

/** What agents trust: every authority that has not ended. */
export const trustBundle = (authorities: readonly KeyPair[], nowMs: number): string =>
  authorities
    .filter((pair) => validity(pair).toMs > nowMs)
    .map((pair) => `${pair.certificate.trim()}\n`)
    .join('');

/** False for a pair somebody has damaged: it counts as absent, so that the Secret heals itself. */
export function pairIsReadable(pair: KeyPair): boolean {
  try {
    x509.PemConverter.decodeFirst(pair.privateKey);
    return validity(pair).toMs > 0;
  } catch {
    return false;
  }
}

function validity(pair: KeyPair): { readonly fromMs: number; readonly toMs: number } {
  const certificate = new x509.X509Certificate(pair.certificate);
  return { fromMs: certificate.notBefore.getTime(), toMs: certificate.notAfter.getTime() };
}

async function privateKeyPem(key: Key): Promise<string> {
  return x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
}

function importPrivateKey(pem: string): Promise<Key> {
  return crypto.subtle.importKey('pkcs8', x509.PemConverter.decodeFirst(pem), ALGORITHM, false, ['sign']);
}
