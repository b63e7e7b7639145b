/** The operator's base class, and all of its package. */
export { default } from '@dot-i/k8s-operator';
