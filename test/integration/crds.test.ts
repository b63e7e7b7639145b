/**
 * The kinds on a real API server: it must accept the CRDs, and judge every manifest of the corpus as ajv does.
 * The CRDs stay, since other tests of the same cluster use them; everything else lives in a namespace of its own.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { KubeConfig } from '@kubernetes/client-node';
import { parse } from 'yaml';
import { emitCrd, emitRoot, type OpenApiSchema } from '../../src/crds/emit.ts';
import { KINDS } from '../../src/crds/kinds.ts';
import { API_VERSION } from '../../src/crds/schema.ts';
import {
  manifestProblems,
  parseClusterProfilingPolicy,
  parseProfilingPolicy,
  parseRegressionGate,
  parseRegressionReport,
} from '../../src/crds/validators.ts';
import { kubeClient, pathOf } from '../../src/kube/client.ts';
import { isKubeError } from '../../src/kube/kube-error.ts';
import { eventually, kubectl } from '../cluster/cluster.ts';

interface Manifest {
  readonly file: string;
  readonly text: string;
  readonly kind: string;
  readonly object: { readonly spec?: Record<string, unknown> };
}

// A namespace lives on for seconds after its deletion: a name of its own lets the next run begin at once.
const NAMESPACE = `flamegate-crds-${process.pid}`;
const PARSERS: Readonly<Record<string, (json: unknown) => unknown>> = {
  ProfilingPolicy: parseProfilingPolicy,
  ClusterProfilingPolicy: parseClusterProfilingPolicy,
  RegressionGate: parseRegressionGate,
  RegressionReport: parseRegressionReport,
};
const kubeconfig = process.env['FLAMEGATE_TEST_KUBECONFIG'];
assert.ok(kubeconfig, 'FLAMEGATE_TEST_KUBECONFIG names the kubeconfig of a cluster for tests');
const config = new KubeConfig();
config.loadFromFile(kubeconfig);
const client = kubeClient(config);

const gates = { apiVersion: API_VERSION, plural: 'regressiongates', namespace: NAMESPACE };
const reports = { apiVersion: API_VERSION, plural: 'regressionreports', namespace: NAMESPACE };
const namespaces = { apiVersion: 'v1', plural: 'namespaces' };

function manifests(directory: string): Manifest[] {
  const files = globSync(join(import.meta.dirname, '../fixtures/manifests', directory, '*.yaml')).sort();
  assert.ok(files.length > 0, `no manifests in ${directory}`);
  return files.map((file) => {
    const text = readFileSync(file, 'utf8');
    const object = parse(text);
    return { file: basename(file), text, kind: object.kind, object };
  });
}

/** What the API server makes of a manifest, defaults and all, without storing it. Rejects when it refuses. */
function dryRun({ kind, object }: Manifest): Promise<unknown> {
  const { plural = kind, scope } = KINDS.find((known) => known.kind === kind) ?? {};
  const where = scope === 'Cluster' ? {} : { namespace: NAMESPACE };
  const collection = pathOf({ apiVersion: API_VERSION, plural, ...where });
  return client.request('POST', `${collection}?dryRun=All&fieldValidation=Strict`, object);
}

const headerOf = (manifest: Manifest, key: string): string =>
  new RegExp(`^# ${key}: (.+)$`, 'm').exec(manifest.text)?.[1] ?? '';

before(async () => {
  for (const crd of KINDS.map(emitCrd)) {
    const ref = {
      apiVersion: 'apiextensions.k8s.io/v1',
      plural: 'customresourcedefinitions',
      name: crd.metadata.name,
    };
    await client.apply(ref, crd, { fieldManager: 'flamegate-install', force: true });
  }
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
});

after(async () => {
  await client.delete({ ...namespaces, name: NAMESPACE });
});

test('the API server establishes every CRD and finds its schema structural', async () => {
  for (const { plural } of KINDS) {
    const conditions = await eventually(`${plural} Established`, 30, async () => {
      const crd = await client.get<{ status?: { conditions?: { type: string; status: string }[] } }>({
        apiVersion: 'apiextensions.k8s.io/v1',
        plural: 'customresourcedefinitions',
        name: `${plural}.flamegate.dev`,
      });
      const found = crd?.status?.conditions ?? [];
      return found.some(({ type, status }) => type === 'Established' && status === 'True')
        ? found
        : undefined;
    });
    assert.ok(!conditions.some(({ type }) => type === 'NonStructuralSchema'), JSON.stringify(conditions));
  }
});

test('every valid manifest is accepted, and comes back as an object the controller accepts', async () => {
  for (const manifest of manifests('valid')) {
    assert.deepEqual(manifestProblems(manifest.kind, manifest.object), [], manifest.file);

    const stored = await dryRun(manifest);

    const metadata = { resourceVersion: '1', ...Object(stored).metadata };
    PARSERS[manifest.kind]?.({ ...Object(stored), metadata });
  }
});

test('every invalid manifest is refused by the API server with the expected message', async () => {
  for (const manifest of manifests('invalid')) {
    const expected = headerOf(manifest, 'expect');
    assert.notEqual(expected, '', `${manifest.file} says no expected message`);

    await assert.rejects(
      dryRun(manifest),
      (error: unknown) => {
        assert.ok(isKubeError(error, 'KUBE_INVALID'), `${manifest.file}: ${String(error)}`);
        assert.ok(error.message.includes(expected), `${manifest.file}: ${error.message}`);
        return true;
      },
      manifest.file,
    );
  }
});

test('ajv refuses the same manifests, but for those only a CEL rule can tell', () => {
  for (const manifest of manifests('invalid')) {
    const problems = manifestProblems(manifest.kind, manifest.object);

    assert.equal(problems.length > 0, headerOf(manifest, 'by') === 'schema', `${manifest.file}: ${problems}`);
  }
});

test('a gate with nothing but a target is complete', async () => {
  const object = {
    apiVersion: API_VERSION,
    kind: 'RegressionGate',
    metadata: { name: 'orders' },
    spec: { targetRef: { name: 'orders' } },
  };

  const stored = parseRegressionGate(await client.create(gates, object));

  assert.deepEqual(stored.spec, {
    targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'orders' },
    mode: 'Concurrent',
    onFailed: 'Report',
    onInconclusive: 'Hold',
    checks: {
      cpu: { function: { margin: '0.5%' }, perRequest: { margin: '10%', decides: false } },
      latency: [
        { quantile: 'p50', margin: { relative: '10%', absolute: '2ms' }, required: false },
        { quantile: 'p99', margin: { relative: '10%', absolute: '2ms' }, required: false },
      ],
      errors: { margin: '0.5%', required: false },
    },
    falseFailureRate: '1%',
    duration: { warmUp: '2m', min: '3m', deadline: '30m', earlyInconclusive: true },
    reportHistoryLimit: 10,
  });
});

test('what a report compared cannot be changed, what it found can', async () => {
  const report = manifests('valid').find(({ kind }) => kind === 'RegressionReport');
  const named = { ...report?.object, metadata: { name: 'kept' } };
  await client.create(reports, named);
  const path = pathOf({ ...reports, name: 'kept' });
  const merge = 'application/merge-patch+json';

  await assert.rejects(client.request('PATCH', path, { spec: { canaryHash: 'other' } }, merge), {
    code: 'KUBE_INVALID',
    message: /a report describes one evaluation and cannot be changed/,
  });

  const status = { verdict: 'Failed', flags: ['AssumedVariance'] };
  const patched = parseRegressionReport(await client.request('PATCH', `${path}/status`, { status }, merge));
  assert.deepEqual(patched.status, status);
});

test('kubectl explain shows every field of every kind, with its meaning', async () => {
  for (const kind of KINDS) {
    const explained = await kubectl('explain', kind.singular, '--recursive', `--kubeconfig=${kubeconfig}`);
    for (const field of fieldNames(emitRoot(kind))) {
      assert.match(explained, new RegExp(`^\\s+${field}\\t<`, 'm'), `${kind.kind}: ${field}`);
    }
  }
  const margin = await kubectl(
    'explain',
    'regressiongate.spec.checks.cpu.function.margin',
    `--kubeconfig=${kubeconfig}`,
  );
  assert.match(margin, /How much more of the pod's CPU/);
  assert.match(margin, /Default:\s+0\.5%/);
});

test('kubectl get prints a column for what a reader wants to know', async () => {
  const printed = await kubectl('get', 'rgate', '-n', NAMESPACE, `--kubeconfig=${kubeconfig}`);
  assert.match(printed, /^NAME\s+TARGET\s+VERDICT\s+P99Δ\s+CPUΔ\s+WORST\s+AGE/);
  const all = await kubectl('get', 'flamegate', '-n', NAMESPACE, `--kubeconfig=${kubeconfig}`);
  assert.match(all, /regressionreport.flamegate.dev\/kept\s+orders\s+Failed/);
});

test('the column Culprit passes over cost that has only moved', async () => {
  const path = `${pathOf({ ...reports, name: 'kept' })}/status`;
  const found = {
    baseline: '0%',
    canary: '5%',
    delta: '5%',
    interval: ['4%', '6%'],
    shareOfDelta: '50%',
    stack: [],
  };
  const culprit = (name: string, kind: string) => ({ function: name, kind, ...found });
  const culprits = [culprit('shop.Renamed', 'Moved'), culprit('shop.Dearer', 'Grown')];
  await client.request('PATCH', path, { status: { culprits } }, 'application/merge-patch+json');

  const printed = await kubectl('get', 'rreport', 'kept', '-n', NAMESPACE, `--kubeconfig=${kubeconfig}`);

  assert.match(
    printed,
    /^NAME\s+GATE\s+VERDICT\s+REASON\s+P99Δ\s+CPUΔ\s+CULPRIT\s+AGE\nkept\s+orders\s+Failed.*shop\.Dearer/,
  );
  assert.doesNotMatch(printed, /Renamed/);
});

function fieldNames(schema: OpenApiSchema): string[] {
  const own = Object.keys(schema.properties ?? {});
  const nested = [
    ...Object.values(schema.properties ?? {}),
    ...(schema.items === undefined ? [] : [schema.items]),
  ];
  return [...own, ...nested.flatMap(fieldNames)];
}
