/** What the install gives the agent on a node: how it is started and which capabilities it has. Pure. */
import { parseAllDocuments } from 'yaml';

export interface AgentGrant {
  readonly command: readonly string[];
  /** The variables that have a value; others come from the cluster. */
  readonly env: Readonly<Record<string, string>>;
  readonly capabilities: readonly string[];
}

interface PodTemplate {
  readonly kind: 'PodTemplate';
  readonly template: {
    readonly spec: {
      readonly containers: readonly [
        {
          readonly command: readonly string[];
          readonly env: readonly { readonly name: string; readonly value?: string }[];
          readonly securityContext: { readonly capabilities: { readonly add: readonly string[] } };
        },
      ];
    };
  };
}

/** Of config/agent/agent.yaml, so that what is measured is what is installed. */
export function parseAgentGrant(yaml: string): AgentGrant {
  const documents: unknown[] = parseAllDocuments(yaml).map((document) => document.toJS());
  const [container] = documents.find(isPodTemplate)?.template.spec.containers ?? [];
  if (!container) throw new Error('no PodTemplate among the documents');
  return {
    command: container.command,
    env: Object.fromEntries(
      container.env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])),
    ),
    capabilities: container.securityContext.capabilities.add,
  };
}

/** The rest of its shape is the API server's to check: the file is our own. */
function isPodTemplate(document: unknown): document is PodTemplate {
  return (
    typeof document === 'object' && document !== null && 'kind' in document && document.kind === 'PodTemplate'
  );
}
