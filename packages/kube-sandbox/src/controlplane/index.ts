// What the real control plane offers: one to build and start, or a cluster of yours in its place.

export type { Call } from './client/call.ts';
export { kubeconfig } from './client/kubeconfig.ts';
export { requestToken } from './client/request-token.ts';
export type { ApiServer } from './components/api-server.ts';
export type { AuditEvent } from './components/audit.ts';
export { freePorts } from './components/free-ports.ts';
export { controlPlaneExecutable, kubernetesVersion } from './executable/build.ts';
export { type ExternalRequest, externalCluster, externalFromEnvironment } from './external.ts';
export { type ControlPlane, type ControlPlaneOptions, startControlPlane } from './launch.ts';
export type { RealCluster } from './real-cluster.ts';
