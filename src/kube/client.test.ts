import assert from 'node:assert/strict';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { KubeConfig } from '@kubernetes/client-node';
import 'reflect-metadata'; // @peculiar/x509 registers its classes with it at load
import * as x509 from '@peculiar/x509';
import { type KubeClient, kubeClient } from './client.ts';

async function aCertificate(): Promise<{ cert: string; key: string }> {
  const signingAlgorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await crypto.subtle.generateKey(signingAlgorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=api',
    signingAlgorithm,
    keys,
  });
  const key = await crypto.subtle.exportKey('pkcs8', keys.privateKey);
  return { cert: certificate.toString('pem'), key: x509.PemConverter.encode(key, 'PRIVATE KEY') };
}

/** Answers one request on each connection, and cuts it as it meets a second one. */
async function aForgetfulServer(t: TestContext): Promise<{ client: KubeClient; met: string[] }> {
  const met: string[] = [];
  const served = new WeakSet<Socket>();
  const server = createServer(await aCertificate(), (request, response) => {
    met.push(`${request.method} ${request.url}`);
    if (served.has(request.socket)) request.socket.destroy();
    else response.end('{}');
    served.add(request.socket);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.after(() => void server.close());
  t.after(() => server.closeAllConnections());
  const { port } = server.address() as AddressInfo;
  const kubeConfig = new KubeConfig();
  const cluster = { name: 'test', server: `https://127.0.0.1:${port}`, skipTLSVerify: true };
  kubeConfig.loadFromClusterAndUser(cluster, { name: 'test' });
  return { client: kubeClient(kubeConfig), met };
}

test('a request on a connection that the server has just closed is repeated, unless it may create something twice', async (t) => {
  const { client, met } = await aForgetfulServer(t);
  const reviews = '/apis/authentication.k8s.io/v1/tokenreviews';
  const pods = '/api/v1/namespaces/shop/pods';
  await client.request('GET', pods);

  await client.request('GET', pods); // cut, and repeated on a connection of its own
  await client.request('POST', reviews, {});
  await assert.rejects(client.request('POST', pods, {}), { code: 'KUBE_UNREACHABLE' });

  const [get, review] = [`GET ${pods}`, `POST ${reviews}`];
  assert.deepEqual(met, [get, get, get, review, review, `POST ${pods}`]);
});
