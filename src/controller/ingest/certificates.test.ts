import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import {
  authorityIsDue,
  makeAuthority,
  makeServing,
  pairIsReadable,
  servingIsDue,
  signingAuthority,
  trustBundle,
} from './certificates.ts';

const NOW_MS = Date.UTC(2026, 0, 1);
const DAY_MS = 24 * 3_600_000;
const NAMES = { dns: ['flamegate-controller.flamegate-system.svc', 'localhost'], ips: ['10.1.2.3', '::1'] };

test('a serving certificate is signed by the authority and good for every name it was asked for', async () => {
  const authority = await makeAuthority(NOW_MS);
  const serving = await makeServing(authority, NAMES, NOW_MS);

  const certificate = new X509Certificate(serving.certificate);
  const ca = new X509Certificate(authority.certificate);
  assert.equal(ca.ca, true);
  assert.equal(certificate.ca, false);
  assert.equal(certificate.checkIssued(ca), true);
  assert.equal(certificate.verify(ca.publicKey), true);
  for (const name of NAMES.dns) assert.equal(certificate.checkHost(name), name);
  for (const ip of NAMES.ips) assert.equal(certificate.checkIP(ip), ip);
  assert.equal(certificate.checkHost('example.com'), undefined);
});

test('a serving certificate is renewed a week before its end, an authority four months before', async () => {
  const authority = await makeAuthority(NOW_MS);
  const serving = await makeServing(authority, NAMES, NOW_MS);

  assert.equal(servingIsDue(serving, NOW_MS + 6 * DAY_MS), false);
  assert.equal(servingIsDue(serving, NOW_MS + 8 * DAY_MS), true);
  assert.equal(authorityIsDue([], NOW_MS), true);
  assert.equal(authorityIsDue([authority], NOW_MS + 240 * DAY_MS), false);
  assert.equal(authorityIsDue([authority], NOW_MS + 250 * DAY_MS), true);
});

test('a new authority signs only after a day, unless the older one cannot', async () => {
  const older = await makeAuthority(NOW_MS - 250 * DAY_MS);
  const ended = await makeAuthority(NOW_MS - 400 * DAY_MS);
  const newest = await makeAuthority(NOW_MS);

  assert.equal(signingAuthority([newest, older], NOW_MS), older);
  assert.equal(signingAuthority([newest, older], NOW_MS + 2 * DAY_MS), newest);
  assert.equal(signingAuthority([newest, ended], NOW_MS), newest);
  assert.equal(signingAuthority([newest], NOW_MS), newest);
  assert.equal(signingAuthority([], NOW_MS), undefined);
});

test('agents trust both authorities until the older one has ended', async () => {
  const older = await makeAuthority(NOW_MS - 250 * DAY_MS);
  const newest = await makeAuthority(NOW_MS);
  const certificatesIn = (bundle: string) => bundle.split('BEGIN CERTIFICATE').length - 1;

  assert.equal(certificatesIn(trustBundle([newest, older], NOW_MS)), 2);
  assert.equal(certificatesIn(trustBundle([newest, older], NOW_MS + 120 * DAY_MS)), 1);
});

test('a damaged pair is told from a whole one', async () => {
  const authority = await makeAuthority(NOW_MS);

  assert.equal(pairIsReadable(authority), true);
  assert.equal(pairIsReadable({ ...authority, certificate: authority.certificate.slice(0, 200) }), false);
  assert.equal(pairIsReadable({ certificate: '', privateKey: '' }), false);
});
