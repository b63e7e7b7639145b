/**
 * The templates of the Helm chart: the files of config/ themselves, with each text that a value stands for replaced by the value. A text
 * that is no longer there, or there more often, is an error of `make generate`: the two installs cannot drift apart unseen.
 */
import { parse, stringify } from 'yaml';
import type { Sources } from './chart-values.ts';

interface Replacement {
  readonly text: string;
  readonly by: string;
  readonly times?: number;
}

interface Template {
  /** Below config/. */
  readonly file: string;
  /** Of Helm: without it the file is not rendered. */
  readonly when?: string;
  readonly replaced?: readonly Replacement[];
}

const image = (name: string): readonly Replacement[] => [
  {
    text: `image: localhost/${name}:dev`,
    by: `image: "{{ .Values.image.registry }}/${name}:{{ .Values.image.tag }}"`,
  },
  { text: 'imagePullPolicy: IfNotPresent', by: 'imagePullPolicy: {{ .Values.image.pullPolicy }}' },
];

const MONITORING = 'kubernetes.io/metadata.name: monitoring}';
const monitoring = (times: number): Replacement => ({
  ...{ text: MONITORING, times },
  by: 'kubernetes.io/metadata.name: {{ .Values.networkPolicies.monitoringNamespace }}}',
});

export function chartTemplates(sources: Sources): ReadonlyMap<string, string> {
  const templates: Template[] = [
    ...resourcesOf(sources, 'crd').map((file) => ({
      ...{ file, when: '.Values.crds.install' },
      replaced: [
        { text: '\nmetadata:\n', by: '\nmetadata:\n  annotations: {helm.sh/resource-policy: keep}\n' },
      ],
    })),
    ...installed(sources)
      .flatMap((directory) => resourcesOf(sources, directory))
      .map((file) => templateOf(sources, file)),
    { file: 'standby/budget.yaml', when: SEVERAL },
    { file: 'targets/stateful-sets/role.yaml', when: '.Values.targets.statefulSets' },
    { file: 'targets/argo-rollouts/role.yaml', when: '.Values.targets.argoRollouts' },
    { file: 'targets/flagger/role.yaml', when: '.Values.targets.flagger' },
  ];
  return new Map(templates.map((template) => [nameOf(template.file), rendered(sources, template)]));
}

const SEVERAL = 'gt (int .Values.controller.replicas) 1';

/** The directories of config/default, besides the kinds. */
const installed = ({ text }: Sources): readonly string[] =>
  kustomized(text('default/kustomization.yaml'))
    .map((directory) => directory.replace('../', ''))
    .filter((directory) => directory !== 'crd');

const resourcesOf = ({ text }: Sources, directory: string): readonly string[] =>
  kustomized(text(`${directory}/kustomization.yaml`)).map((file) => `${directory}/${file}`);

/** Its resources; whatever else a kustomization can do, nobody would do here. */
function kustomized(text: string): readonly string[] {
  const { resources, ...rest }: { resources: string[] } = parse(text);
  const others = Object.keys(rest).filter((key) => key !== 'apiVersion' && key !== 'kind');
  if (others.length > 0) throw new Error(`the chart takes resources only, not ${others.join(', ')}`);
  return resources;
}

function templateOf(sources: Sources, file: string): Template {
  switch (file) {
    case 'controller/namespace.yaml':
    case 'agent/namespace.yaml':
      return { file, when: '.Values.namespaces.create' };
    case 'controller/settings.yaml':
      return { file, replaced: [settingsReplaced(sources.text(file))] };
    case 'controller/controller.yaml':
      return { file, replaced: controllerReplaced(sources) };
    case 'agent/agent.yaml':
      return { file, replaced: agentReplaced(sources.text(file)) };
    case 'rbac/flag-injection.yaml':
      return { file, when: '.Values.flagInjection.enabled' };
    case 'network/system.yaml':
    case 'network/agents.yaml':
      return { file, when: '.Values.networkPolicies.enabled', replaced: [monitoring(2)] };
    default:
      return { file };
  }
}

function settingsReplaced(text: string): Replacement {
  const key = '  settings.yaml: |\n';
  const settings = text.slice(text.indexOf(key));
  return { text: settings, by: `${key}{{ .Values.settings | trimSuffix "\\n" | indent 4 }}\n` };
}

function controllerReplaced(sources: Sources): readonly Replacement[] {
  const { strategy, affinity } = standby(sources.text('standby/kustomization.yaml'));
  return [
    ...image('flamegate-controller'),
    { text: 'replicas: 1', by: 'replicas: {{ .Values.controller.replicas }}' },
    {
      text: '  strategy: {type: Recreate}\n',
      by: `{{- if ${SEVERAL} }}\n${indented(2, stringify({ strategy }))}{{- else }}\n  strategy: {type: Recreate}\n{{- end }}\n`,
    },
    {
      text: '      terminationGracePeriodSeconds: 20\n',
      by: [
        '      terminationGracePeriodSeconds: 20\n',
        `{{- if ${SEVERAL} }}\n${indented(6, stringify({ affinity }))}{{- end }}\n`,
        ...['tolerations', 'nodeSelector'].map((field) => optional(`controller.${field}`, 6)),
      ].join(''),
    },
    resources(sources.text('controller/controller.yaml'), 'controller'),
  ];
}

function agentReplaced(text: string): readonly Replacement[] {
  return [
    ...image('flamegate-agent'),
    {
      text: '    tolerations:\n      - operator: Exists\n',
      by: ['tolerations', 'nodeSelector'].map((field) => optional(`agent.${field}`, 4)).join(''),
    },
    ...(['attach', 'live'] as const).map((name) => {
      const variable = `{name: FLAMEGATE_${name.toUpperCase()}, value: "`;
      const [value = ''] = text.slice(text.indexOf(variable) + variable.length).split('"');
      return { text: `${variable}${value}"`, by: `${variable}{{ .Values.agent.${name} }}"` };
    }),
    resources(text, 'agent'),
  ];
}

/** A field that is left out where its value is empty. */
function optional(value: string, indent: number): string {
  const field = value.slice(value.indexOf('.') + 1);
  const spaces = ' '.repeat(indent);
  return `{{- with .Values.${value} }}\n${spaces}${field}: {{- toYaml . | nindent ${indent + 2} }}\n{{- end }}\n`;
}

/** The block below `resources:`, whatever it says. */
function resources(text: string, of: string): Replacement {
  const found = /^( +)resources:\n(?:\1 +.*\n)+/m.exec(text);
  if (found === null) throw new Error(`config/${of}: no resources`);
  const [block, spaces = ''] = found;
  return {
    text: block,
    by: `${spaces}resources: {{- toYaml .Values.${of}.resources | nindent ${spaces.length + 2} }}\n`,
  };
}

interface Patched {
  readonly spec: {
    readonly strategy: object;
    readonly template: { readonly spec: { readonly affinity: object } };
  };
}

/** What the component config/standby changes of the controller. */
function standby(text: string): { readonly strategy: object; readonly affinity: object } {
  const { patches }: { patches: { patch: string }[] } = parse(text);
  const [only, ...others] = patches;
  if (only === undefined || others.length > 0) throw new Error('config/standby has one patch');
  const { spec }: Patched = parse(only.patch);
  return { strategy: spec.strategy, affinity: spec.template.spec.affinity };
}

function rendered({ text }: Sources, { file, when, replaced = [] }: Template): string {
  const source = text(file);
  if (source.includes('{{')) throw new Error(`config/${file}: Helm would take {{ for its own`);
  const body = replaced.reduce((so, { text: part, by, times = 1 }) => {
    const found = so.split(part).length - 1;
    if (found !== times) throw new Error(`config/${file} has ${found} of ${times}: ${part}`);
    return so.replaceAll(part, () => by);
  }, source);
  return when === undefined ? body : `{{- if ${when} }}\n${body}{{- end }}\n`;
}

const nameOf = (file: string): string => file.replaceAll('/', '-').replace('crd-flamegate.dev_', 'crd-');

const indented = (indent: number, text: string): string => text.replaceAll(/^(?=.)/gm, ' '.repeat(indent));
