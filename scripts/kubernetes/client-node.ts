/** What our programs use of client-node. */
export { KubeConfig, ListWatch, PatchStrategy, PortForward, Watch } from '@kubernetes/client-node';
