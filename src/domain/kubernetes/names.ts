// What counts as a Kubernetes name: these strings come from attackers and end up in URL paths and label values.

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const UID = /^[0-9A-Za-z-]{1,64}$/;

/** RFC 1123 label: namespaces. */
export function isNamespaceName(text: string): boolean {
  return text.length <= 63 && LABEL.test(text);
}

/** RFC 1123 subdomain: ServiceAccounts, Secrets, Pods and Nodes. */
export function isObjectName(text: string): boolean {
  return text.length <= 253 && text.split('.').every((label) => LABEL.test(label));
}

export function isUid(text: string): boolean {
  return UID.test(text);
}
