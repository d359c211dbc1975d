// Who knows a ServiceAccount by its name outside of RBAC and would not know its successor: the exact lines to change. Pure.

import type { TokenIdentity } from '../token/identity.ts';
import type { Situation } from './situation.ts';

const AWS_ROLE = 'eks.amazonaws.com/role-arn';
const GOOGLE_ACCOUNT = 'iam.gke.io/gcp-service-account';
const AZURE_CLIENT = 'azure.workload.identity/client-id';

/** Told before the roll-out, because workloads lose what is forgotten here. */
export function namedElsewhere(
  { namespace, issuer }: Pick<TokenIdentity, 'namespace' | 'issuer'>,
  { serviceAccount }: Pick<Situation, 'serviceAccount'>,
  name: string,
): string[] {
  const annotations = serviceAccount?.manifest.metadata.annotations ?? {};
  const subject = `system:serviceaccount:${namespace}:${name}`;
  const at = `${namespace}/${name}`;
  const { [AWS_ROLE]: role, [GOOGLE_ACCOUNT]: account, [AZURE_CLIENT]: client } = annotations;
  // That of a long-lived token is the same everywhere, and no address.
  const url = issuer?.startsWith('https://') ? issuer : undefined;
  const provider = url?.slice('https://'.length) ?? 'OIDC-PROVIDER';
  const notes: (string | undefined | false)[] = [
    role &&
      `Before it, let ${at} use the IAM role ${role}: in its trust policy add "${subject}" to the values of "${provider}:sub". Remove the old value afterwards.`,
    account &&
      `Before it, let ${at} use ${account}: gcloud iam service-accounts add-iam-policy-binding ${account} --role=roles/iam.workloadIdentityUser --member="serviceAccount:PROJECT.svc.id.goog[${at}]", with the project of the cluster. Remove the old member afterwards.`,
    client &&
      `Before it, let ${at} use the Azure identity ${client}: az identity federated-credential create --name ${name} --identity-name IDENTITY --resource-group GROUP --issuer ${url ?? 'ISSUER'} --subject ${subject} --audiences api://AzureADTokenExchange. Delete the old one afterwards.`,
    annotations['kubernetes.io/enforce-mountable-secrets'] === 'true' &&
      `${at} may mount only Secrets that it lists, and lists none: add them under "secrets" of it, without tokens.`,
    `What else knows it by its name must learn ${at}: Vault roles (bound_service_account_names), EKS Pod Identity associations, Istio principals (TRUST-DOMAIN/ns/${namespace}/sa/${name}), and exceptions of admission policies (${subject}).`,
  ];
  return notes.filter((note) => typeof note === 'string' && note !== '') as string[];
}
