// Starts a control plane and waits to be killed: the launcher's test must see what then stays behind.
import { startControlPlane } from 'kube-sandbox/controlplane';

const plane = await startControlPlane({ servers: 2 });
console.log(JSON.stringify(plane.pids()));
setInterval(() => undefined, 60_000);
