/** What the operator's base class names of client-node, which it loads as a whole. */
export { ApiextensionsV1Api, CoreV1Api, KubeConfig, loadYaml, Watch } from '@kubernetes/client-node';
