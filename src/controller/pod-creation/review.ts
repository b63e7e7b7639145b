/** AdmissionReview of admission.k8s.io/v1: what is asked, and what is answered. Every answer allows: a Pod without flags is a Pod. Pure. */
import type { V1Pod } from '@kubernetes/client-node';
import { type PolicyView, policiesIn, policyOf } from '../profiling-policy/precedence.ts';
import { injectionInto } from './inject-pod.ts';

export class ReviewError extends Error {
  readonly code = 'ADMISSION_REVIEW_INVALID';
}

interface ReviewRequest {
  readonly uid: string;
  readonly namespace: string;
  readonly pod: V1Pod;
}

export interface ReviewAnswer {
  readonly apiVersion: 'admission.k8s.io/v1';
  readonly kind: 'AdmissionReview';
  readonly response: {
    readonly uid: string;
    readonly allowed: true;
    readonly patchType?: 'JSONPatch';
    readonly patch?: string;
  };
}

/** Throws ReviewError for what is no review of a Pod. */
export function answerReview(review: unknown, view: PolicyView): ReviewAnswer {
  const { uid, namespace, pod } = parseReview(review);
  const policy = policyOf(pod.metadata?.labels, policiesIn(view, namespace));
  const operations = policy === undefined ? [] : injectionInto(pod, namespace, policy);
  const patch = Buffer.from(JSON.stringify(operations)).toString('base64');
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: { uid, allowed: true, ...(operations.length === 0 ? {} : { patchType: 'JSONPatch', patch }) },
  };
}

function parseReview(review: unknown): ReviewRequest {
  const request = recordIn(review, 'request');
  const { uid, namespace, object } = request;
  const pod = recordIn(request, 'object');
  if (typeof uid !== 'string' || typeof namespace !== 'string' || typeof object !== 'object') {
    throw new ReviewError('ADMISSION_REVIEW_INVALID: request.uid or request.namespace is no text');
  }
  if (pod['kind'] !== 'Pod' || !Array.isArray(recordIn(pod, 'spec')['containers'])) {
    throw new ReviewError('ADMISSION_REVIEW_INVALID: request.object is no Pod');
  }
  return { uid, namespace, pod: pod as V1Pod }; // the API server has checked it before it asks
}

function recordIn(value: unknown, key: string): Readonly<Record<string, unknown>> {
  const found = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
  if (typeof found !== 'object' || found === null) {
    throw new ReviewError(`ADMISSION_REVIEW_INVALID: there is no ${key}`);
  }
  return found as Readonly<Record<string, unknown>>;
}
