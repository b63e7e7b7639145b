/** Deployments of the real sample service, as the tests need them. */
import { eventually, getJson, kubectl, kubectlWithInput } from '../../cluster/cluster.ts';

export interface OrdersOptions {
  readonly namespace: string;
  readonly name: string;
  readonly replicas?: number;
  readonly jdk?: '17' | '25';
  readonly env?: Readonly<Record<string, string>>;
  readonly jvmArgs?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  /** What the scheduler counts for each pod: where there are many, less than they use together. */
  readonly cpuRequest?: string;
}

/** The flags that make stacks of compiled code walkable and their leaf exact. */
export const PROFILING_FLAGS = [
  '-XX:+PreserveFramePointer',
  '-XX:+UnlockDiagnosticVMOptions',
  '-XX:+DebugNonSafepoints',
];
/**
 * C1 only: fifteen pods on two cores are warm within minutes, and all inline the same methods. A perf map cannot see
 * inlined frames, and what C2 inlines differs from pod to pod (docs/noise.md).
 */
const SMALL_JVM = ['-Xmx96m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

export function ordersDeployment(options: OrdersOptions): object {
  const {
    namespace,
    name,
    replicas = 3,
    jdk = '25',
    env = {},
    jvmArgs = PROFILING_FLAGS,
    labels = {},
    cpuRequest = '50m',
  } = options;
  const allLabels = { app: 'orders', arm: name, 'app.kubernetes.io/part-of': 'shop', ...labels };
  const prefix = process.env['IMAGE_PREFIX'] ?? 'localhost';
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace, name },
    spec: {
      replicas,
      selector: { matchLabels: { arm: name } },
      template: {
        metadata: { labels: allLabels },
        spec: {
          terminationGracePeriodSeconds: 2,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 65532,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          containers: [
            {
              name: 'orders',
              image: `${prefix}/flamegate-orders:jdk${jdk}`,
              imagePullPolicy: 'IfNotPresent',
              command: ['/opt/java/bin/java', ...SMALL_JVM, ...jvmArgs, '-jar', '/app/orders.jar'],
              env: [
                { name: 'HOST', value: '0.0.0.0' },
                ...Object.entries(env).map(([key, value]) => ({ name: key, value })),
              ],
              ports: [{ containerPort: 8080 }],
              readinessProbe: { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 2 },
              resources: { requests: { cpu: cpuRequest, memory: '160Mi' }, limits: { memory: '320Mi' } },
              securityContext: {
                readOnlyRootFilesystem: true,
                allowPrivilegeEscalation: false,
                capabilities: { drop: ['ALL'] },
              },
              volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
            },
          ],
          volumes: [{ name: 'tmp', emptyDir: {} }],
        },
      },
    },
  };
}

export function applyObjects(...objects: readonly object[]): void {
  kubectlWithInput(
    JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
    'apply',
    '--server-side',
    '-f',
    '-',
  );
}

export function namespace(name: string): object {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

export async function rolledOut(ns: string, name: string, seconds = 240): Promise<void> {
  await kubectl('rollout', 'status', `deployment/${name}`, '-n', ns, `--timeout=${seconds}s`);
}

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}
interface WithConditions {
  readonly metadata: { readonly generation: number };
  readonly status?: { readonly observedGeneration?: number; readonly conditions?: readonly Condition[] };
}

/** Waits until a condition of an object has the wanted status (and reason, if given), and returns it. */
export async function conditionOf(
  [kind, ns, name]: readonly [string, string, string],
  type: string,
  wanted: { readonly status: string; readonly reason?: string },
  seconds = 90,
): Promise<Condition> {
  return eventually(`${kind}/${name} ${type}=${wanted.status} ${wanted.reason ?? ''}`, seconds, async () => {
    const object = await getJson<WithConditions>(kind, name, '-n', ns);
    const found = object?.status?.conditions?.find((condition) => condition.type === type);
    if (found?.status !== wanted.status) return undefined;
    return wanted.reason === undefined || wanted.reason === found.reason ? found : undefined;
  });
}
