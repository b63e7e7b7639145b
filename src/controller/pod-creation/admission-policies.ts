/**
 * MutatingAdmissionPolicies that give created Pods their flags. The API server evaluates them with each policy of the Pod's namespace, or of
 * the cluster, as their parameter, and finds in its status what the controller knows: so nobody has to be asked, and the controller has no
 * right over Pods. inject-pod.ts is the same in TypeScript, for API servers without this kind. Pure.
 */
import { API_VERSION } from '../../crds/schema.ts';
import {
  FLAG_LINE,
  FLAG_VARIABLES,
  FLAGS,
  INJECT_ANNOTATION,
  MESH_PROXIES,
} from '../profiling-policy/flag-variables.ts';

/** Newest first. From Kubernetes 1.36 on v1 is served by default, v1beta1 from 1.34 on behind a feature gate. */
export const POLICY_VERSIONS = [
  'admissionregistration.k8s.io/v1',
  'admissionregistration.k8s.io/v1beta1',
] as const;
export type PolicyVersion = (typeof POLICY_VERSIONS)[number];

/** What no policy of ours may touch: the cluster's own pods, ours, and the pods that would run the webhook. */
const EXCLUDED_NAMESPACES = ['kube-system', 'flamegate-system', 'flamegate-agents'] as const;

interface Variant {
  readonly name: string;
  readonly paramKind: string;
  /** CEL: whether the policy is in force in the Pod's namespace. */
  readonly isHere: string;
  /** CEL: whether the entry `i` is of the Pod's namespace. */
  readonly isOfHere: string;
}

interface Expression {
  readonly name: string;
  readonly expression: string;
}

const list = (values: Iterable<string>): string => `[${[...values].map((value) => `'${value}'`).join(', ')}]`;

/** CEL: kube/label-selector.ts. An operator that it does not know selects nothing. */
const selects = (selector: string, labels: string): string =>
  [
    `(!has(${selector}.matchLabels) || ${selector}.matchLabels.all(k, k in ${labels} && ${labels}[k] == ${selector}.matchLabels[k]))`,
    `(!has(${selector}.matchExpressions) || ${selector}.matchExpressions.all(e,
  e.operator == 'In' ? e.key in ${labels} && ${labels}[e.key] in e.values :
  e.operator == 'NotIn' ? !(e.key in ${labels} && ${labels}[e.key] in e.values) :
  e.operator == 'Exists' ? e.key in ${labels} :
  e.operator == 'DoesNotExist' && !(e.key in ${labels})))`,
  ].join(' && ');

const LABELS = 'object.metadata.?labels.orValue({})';
const ASKED = `object.metadata.?annotations[?'${INJECT_ANNOTATION}'].orValue('')`;

const CONDITIONS: readonly Expression[] = [
  {
    name: 'the-policy-asks-for-it',
    expression: "params.spec.jvm.flags.mode == 'OnPodCreation' && !has(params.metadata.deletionTimestamp)",
  },
  { name: 'not-opted-out', expression: `${ASKED} != 'false'` },
  { name: 'selected', expression: selects('params.spec.podSelector', LABELS) },
];

const VARIANTS: readonly Variant[] = [
  {
    name: 'flamegate-pod-creation',
    paramKind: 'ProfilingPolicy',
    isHere: 'true', // the binding takes parameters of the Pod's own namespace only
    isOfHere: 'variables.here',
  },
  {
    name: 'flamegate-pod-creation-cluster',
    paramKind: 'ClusterProfilingPolicy',
    // No condition: in those namespaceObject is empty (Kubernetes 1.35.4).
    isHere: selects('params.spec.namespaceSelector', 'namespaceObject.metadata.?labels.orValue({})'),
    isOfHere: 'i.namespace == request.namespace',
  },
];

/** A workload is what its controller's name says: that of a ReplicaSet is the workload's and the hash of the template. */
const variablesOf = ({ isHere, isOfHere }: Variant): readonly Expression[] => [
  { name: 'here', expression: isHere },
  { name: 'labels', expression: LABELS },
  {
    name: 'owner',
    expression: 'object.metadata.?ownerReferences.orValue([]).filter(o, o.?controller.orValue(false))',
  },
  {
    name: 'hash',
    expression:
      "variables.labels[?'rollouts-pod-template-hash'].orValue(variables.labels[?'pod-template-hash'].orValue(''))",
  },
  {
    name: 'workload',
    expression: `size(variables.owner) == 0 ? '' :
variables.hash == '' || variables.owner[0].kind != 'ReplicaSet' || !variables.owner[0].name.endsWith('-' + variables.hash)
  ? variables.owner[0].kind + '/' + variables.owner[0].name
  : ('rollouts-pod-template-hash' in variables.labels ? 'Rollout/' : 'Deployment/') +
    variables.owner[0].name.substring(0, size(variables.owner[0].name) - size(variables.hash) - 1)`,
  },
  {
    name: 'known',
    expression: `params.?status.injections.orValue([]).filter(i, i.kind + '/' + i.name == variables.workload && ${isOfHere})`,
  },
  {
    name: 'unseen',
    expression: `${ASKED} != 'true' ? [] : object.spec.containers.map(c, c.name).filter(n,
  !variables.known.exists(i, i.container == n) &&
  (size(params.spec.?containers.orValue([])) == 0 ? !(n in ${list(MESH_PROXIES)}) : n in params.spec.containers))`,
  },
  {
    name: 'items',
    expression: `object.spec.containers
  .filter(c, size(c.?envFrom.orValue([])) == 0)
  .filter(c, !c.?env.orValue([]).exists(e, e.name in ${list(FLAG_VARIABLES)} && ${list(FLAGS)}.all(f, f in e.?value.orValue('').split(' '))))
  .map(c, {'container': c.name, 'variable': dyn((${list(FLAG_VARIABLES)}.filter(v,
    !c.?env.orValue([]).exists(e, e.name == v) &&
    (c.name in variables.unseen || variables.known.exists(i, i.container == c.name && v in i.variables))) + [''])[0])})
  .filter(item, item.variable != '')`,
  },
];

const MUTATION = `!variables.here || size(variables.items) == 0 ? Object{} : Object{spec: Object.spec{containers: variables.items.map(item,
  Object.spec.containers{name: item.container, env: [
    Object.spec.containers.env{name: item.variable, value: '${FLAG_LINE}'}]})}}`;

/** Policies and bindings, for server-side apply. */
export function admissionPolicies(apiVersion: PolicyVersion): readonly object[] {
  return VARIANTS.flatMap((variant) => {
    const { name, paramKind } = variant;
    const metadata = {
      name,
      labels: { 'app.kubernetes.io/name': 'flamegate', 'app.kubernetes.io/part-of': 'flamegate' },
    };
    return [
      {
        ...{ apiVersion, kind: 'MutatingAdmissionPolicy', metadata },
        spec: {
          failurePolicy: 'Ignore', // a Pod without flags is a Pod
          reinvocationPolicy: 'IfNeeded', // containers and variables that others add meanwhile are seen
          paramKind: { apiVersion: API_VERSION, kind: paramKind },
          matchConstraints: {
            namespaceSelector: {
              matchExpressions: [
                { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: [...EXCLUDED_NAMESPACES] },
              ],
            },
            resourceRules: [
              { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] },
            ],
          },
          matchConditions: CONDITIONS,
          variables: variablesOf(variant),
          mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression: MUTATION } }],
        },
      },
      {
        ...{ apiVersion, kind: 'MutatingAdmissionPolicyBinding', metadata },
        spec: { policyName: name, paramRef: { selector: {}, parameterNotFoundAction: 'Allow' } },
      },
    ];
  });
}
