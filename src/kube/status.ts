/** Writes a status subresource, and only when it says something else than the one that is there. */
import { isDeepStrictEqual } from 'node:util';
import type { KubeClient, ObjectRef } from './client.ts';
import { isKubeError } from './kube-error.ts';

export interface StatusTarget extends ObjectRef {
  readonly kind: string;
  /** Of the object that the status was decided from: written over no other. Absent: over any. */
  readonly resourceVersion?: string | undefined;
}

/**
 * Replaces what `fieldManager` owns of the status. Returns whether anything was written; an object that is gone by
 * now is no error, one that is newer than what was read is KUBE_CONFLICT: whoever has been overtaken looks again, or leads no more.
 */
export async function writeStatus(
  client: KubeClient,
  target: StatusTarget,
  status: { readonly before: unknown; readonly after: object },
  fieldManager: string,
): Promise<boolean> {
  if (isDeepStrictEqual(asJson(status.before), asJson(status.after))) {
    return false;
  }
  const { apiVersion, kind, name, namespace, resourceVersion } = target;
  const metadata = {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
  const object = { apiVersion, kind, metadata, status: status.after };
  try {
    await client.apply(target, object, { fieldManager, force: true, subresource: 'status' });
    return true;
  } catch (error) {
    if (isKubeError(error, 'KUBE_NOT_FOUND')) {
      return false;
    }
    throw error;
  }
}

/** The same value without what JSON drops, so that an undefined field equals an absent one. */
const asJson = (value: unknown): unknown => (value === undefined ? {} : JSON.parse(JSON.stringify(value)));
