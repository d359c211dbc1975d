// What a token says and who it stands for: shared by the authenticator and its two sets of checks.
import type { KubeObject } from '../apimachinery/objects.ts';

export interface User {
  username: string;
  uid?: string;
  groups: string[];
  extra?: Record<string, string[]>;
}

export interface Claims {
  iss?: string;
  sub?: string;
  aud?: string | string[];
  exp?: number;
  nbf?: number;
  jti?: string;
  [claim: string]: unknown;
}

/** Why a token is refused; the text is what a TokenReview shows. */
export class Refused extends Error {}

export function serviceAccountUser(serviceAccount: KubeObject): User {
  const { name, namespace = '', uid } = serviceAccount.metadata;
  return {
    username: `system:serviceaccount:${namespace}:${name}`,
    uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
  };
}
