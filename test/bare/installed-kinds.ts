/** Kinds of another project, as it ships them. */
import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import type { KubeClient } from '../../src/kube/client.ts';

/** Makes the CustomResourceDefinitions of a file. Not applied by the server: that refuses a field too many, of which Flagger's have some. */
export async function installKinds(client: KubeClient, file: string): Promise<void> {
  for (const document of parseAllDocuments(readFileSync(file, 'utf8'))) {
    await client.create(
      { apiVersion: 'apiextensions.k8s.io/v1', plural: 'customresourcedefinitions' },
      document.toJS(),
    );
  }
}
