// What the real control plane offers: one to build and start, or a cluster of yours in its place.
export type { ApiServer } from './api-server.ts';
export type { AuditEvent } from './audit.ts';
export { controlPlaneExecutable, kubernetesVersion } from './build.ts';
export type { Call } from './call.ts';
export { type ExternalRequest, externalCluster, externalFromEnvironment } from './external.ts';
export { freePorts } from './free-ports.ts';
export { kubeconfig } from './kubeconfig.ts';
export { type ControlPlane, type ControlPlaneOptions, startControlPlane } from './launch.ts';
export type { RealCluster } from './real-cluster.ts';
export { requestToken } from './request-token.ts';
