/** The controller's loop: what a reconciler is, and the base class that runs it. */

/** A resource as the API server names it. */
export interface WatchedResource {
  readonly apiVersion: string;
  readonly plural: string;
  readonly kind: string;
}

/**
 * Level-based: it is told which object to look at, never what happened to it. `object` is undefined once the object
 * is gone. A thrown error is retried with backoff; `requeueAfterMs` asks for another look at that time.
 */
export interface Reconciler<T = unknown> {
  readonly resource: WatchedResource;
  reconcile(
    key: string,
    object: T | undefined,
    signal: AbortSignal,
  ): Promise<{ readonly requeueAfterMs?: number } | undefined>;
}
