/** Objects of a cache's list by their controller. Pure. */
import type { KubernetesObject } from '@kubernetes/client-node';

/** A cache gives the same list until one of it changes: all gates ask for the pods of theirs among all of a namespace. */
const known = new WeakMap<readonly KubernetesObject[], ReadonlyMap<string, readonly KubernetesObject[]>>();

/** Those of the list whose controller has one of these UIDs. */
export function ownedBy<T extends KubernetesObject>(objects: readonly T[], uids: Iterable<string>): T[] {
  let byController = known.get(objects) as ReadonlyMap<string, readonly T[]> | undefined; // made of the very list
  if (byController === undefined) {
    byController = Map.groupBy(objects, controllerUid);
    known.set(objects, byController);
  }
  const owned: T[] = [];
  for (const uid of uids) if (uid !== '') owned.push(...(byController.get(uid) ?? []));
  return owned;
}

const controllerUid = ({ metadata }: KubernetesObject): string =>
  metadata?.ownerReferences?.find(({ controller }) => controller === true)?.uid ?? '';
