/** Four services of a namespace, and ten commits in which their policies come, change and go, with what each commit asks to be restarted. */
import { stringify } from 'yaml';
import { API_VERSION } from '../../src/crds/schema.ts';

export const SERVICES = ['never', 'live', 'created', 'rolled'] as const;
export type Service = (typeof SERVICES)[number];
type Mode = 'Never' | 'Live' | 'OnPodCreation' | 'Immediate';
type Files = Readonly<Record<string, string | undefined>>;

export interface Change {
  readonly what: string;
  files(namespace: string): Files;
  /** Services whose pods the commit has made anew. */
  readonly restarts: readonly Service[];
  /** Which reason the condition FlagsInjected of which policy comes to. */
  readonly comesTo?: { readonly policy: Service; readonly reason: string };
  /** A service of which somebody deletes the pod afterwards, and whose next one has the flags. */
  readonly drained?: Service;
}

interface Named {
  readonly name: string;
  readonly namespace?: string;
}

const document = (kind: string, metadata: Named, rest: object, apiVersion = API_VERSION): string =>
  stringify({ apiVersion, kind, metadata, ...rest });

function deployment(namespace: string, name: Service, image: string): string {
  const labels = { app: name };
  const container = {
    ...{ name: 'app', image, env: [{ name: 'REGION', value: 'north' }] },
    resources: { requests: { cpu: '0.1', memory: '1024Mi' } }, // the API server writes both in another way
  };
  const spec = { terminationGracePeriodSeconds: 0, containers: [container] };
  const template = { metadata: { labels }, spec };
  return document(
    'Deployment',
    { name, namespace },
    { spec: { replicas: 1, selector: { matchLabels: labels }, template } },
    'apps/v1',
  );
}

const policy = (namespace: string, name: Service, mode: Mode, frequencyHz = 49): string =>
  document(
    'ProfilingPolicy',
    { name, namespace },
    {
      spec: {
        podSelector: { matchLabels: { app: name } },
        cpu: { frequencyHz },
        jvm: { flags: { mode, ...(mode === 'Immediate' && { acknowledgeRestarts: true }) } },
      },
    },
  );

const clusterPolicy = (namespace: string): string =>
  document(
    'ClusterProfilingPolicy',
    { name: namespace },
    {
      spec: {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        podSelector: { matchExpressions: [{ key: 'app', operator: 'Exists' }] },
        cpu: { frequencyHz: 19 },
      },
    },
  );

const to = (namespace: string, file: string, text: string | undefined): Files => ({
  [`${namespace}/${file}.yaml`]: text,
});

/** What is there before the first policy comes. */
export const servicesWithoutPolicies = (namespace: string): Files => ({
  ...to(namespace, 'namespace', document('Namespace', { name: namespace }, {}, 'v1')),
  ...Object.assign(
    {},
    ...SERVICES.map((name) => to(namespace, name, deployment(namespace, name, 'orders:1'))),
  ),
});

export const policyFile = (namespace: string, name: Service, mode: Mode): Files =>
  to(namespace, `${name}-policy`, policy(namespace, name, mode));

const changed = (name: Service, mode: Mode | undefined, hz?: number) => (namespace: string) =>
  to(namespace, `${name}-policy`, mode && policy(namespace, name, mode, hz));

export const CHANGES: readonly Change[] = [
  { what: 'a policy of mode Never comes', files: changed('never', 'Never'), restarts: [] },
  { what: 'one of mode Live', files: changed('live', 'Live'), restarts: [] },
  {
    ...{ what: 'one of mode OnPodCreation', files: changed('created', 'OnPodCreation'), restarts: [] },
    ...{ comesTo: { policy: 'created', reason: 'AtNextCreation' }, drained: 'created' },
  },
  {
    ...{ what: 'one of mode Immediate', files: changed('rolled', 'Immediate'), restarts: ['rolled'] },
    comesTo: { policy: 'rolled', reason: 'Injected' },
  },
  { what: 'a rate is raised', files: changed('never', 'Never', 97), restarts: [] },
  {
    ...{ what: 'OnPodCreation becomes Never', files: changed('created', 'Never'), restarts: [] },
    comesTo: { policy: 'created', reason: 'NotRequested' },
  },
  {
    what: 'a service with flags in its template gets a new image',
    files: (namespace) => to(namespace, 'rolled', deployment(namespace, 'rolled', 'orders:2')),
    ...{ restarts: ['rolled'], comesTo: { policy: 'rolled', reason: 'Injected' } },
  },
  { what: 'the policy of mode Live goes', files: changed('live', undefined), restarts: [] },
  {
    ...{ what: 'Immediate becomes Never', files: changed('rolled', 'Never'), restarts: ['rolled'] },
    comesTo: { policy: 'rolled', reason: 'NotRequested' },
  },
  {
    what: 'a policy of the cluster comes, and one of the namespace goes',
    files: (namespace) => ({
      ...to(namespace, 'cluster-policy', clusterPolicy(namespace)),
      ...changed('created', undefined)(namespace),
    }),
    restarts: [],
  },
];
