// Which ServiceAccount token leaked, on which clusters: read from the claims, or from coordinates that a person gave.

/**
 * legacy: the long-lived token in a Secret of type kubernetes.io/service-account-token.
 * pod-, secret-, node-bound and unbound: TokenRequest tokens; other-bound: to an object of a kind that is not known here.
 * every-token: no single token is known; all tokens of the ServiceAccount are meant.
 */
export type TokenKind =
  | 'legacy'
  | 'pod-bound'
  | 'secret-bound'
  | 'node-bound'
  | 'unbound'
  | 'other-bound'
  | 'every-token';

/** How we know that the identity is true and not just claimed. */
export type Authenticity =
  /** Signature verified offline against the cluster's JWKS. */
  | 'signature'
  /** Its key is not in the JWKS, but a Secret of its ServiceAccount holds this very token. */
  | 'uid-match'
  /**
   * What it says of itself fits a ServiceAccount that exists, but no known key verifies it and no Secret holds it: it was
   * altered on the way, or signed by a key that is no longer shown. It is not the token, and is used for nothing.
   */
  | 'claims'
  /** The hash in the alert equals the hash of a live token Secret. */
  | 'hash'
  /** Coordinates only: nothing proves that anybody holds a token. */
  | 'coordinates';

export interface TokenIdentity {
  kind: TokenKind;
  /** Names of every configured cluster that accepts it; more than one for restored or cloned clusters. */
  clusters: string[];
  /** Clusters that could not be asked whether they accept it too. */
  unchecked?: string[];
  namespace: string;
  serviceAccount: { name: string; uid?: string };
  /**
   * The object whose deletion kills the token. Legacy: the Secret, by name only until it was read. Kind: Pod, Secret or
   * Node; for other-bound what the claim is called.
   */
  boundTo?: { kind: string; name: string; uid?: string };
  issuer?: string;
  /** Empty for legacy tokens, which count as meant for the API server. */
  audiences: string[];
  jti?: string;
  keyId?: string;
  /** Unix seconds. */
  issuedAt?: number;
  expiresAt?: number;
  authenticity: Authenticity;
}

export const KIND_WORDS: Record<TokenKind, string> = {
  legacy: 'Long-lived token',
  'pod-bound': 'Pod-bound token',
  'secret-bound': 'Secret-bound token',
  'node-bound': 'Node-bound token',
  unbound: 'Unbound token',
  'other-bound': 'Token bound to an object of a kind that is not known here',
  'every-token': 'Every token',
};

/** For people: how sure we are. */
export const TRUST_WORDS: Record<Authenticity, string> = {
  signature: 'signature verified',
  'uid-match': 'its Secret holds it; the first write checks that again',
  claims:
    'named by what was reported, which no known key verifies and no Secret holds: altered, or signed by a retired key; it was sent nowhere',
  hash: 'found in the cluster by its hash',
  coordinates: 'named by a person or an alert, no token was seen',
};

/** Where something is in Kubernetes, as a person or an alert names it. */
export interface Coordinates {
  cluster?: string;
  namespace: string;
  serviceAccount?: string;
  /** Name of a Secret that holds a ServiceAccount token. */
  secret?: string;
  /** `jti` claim of the leaked token, where it is known. */
  jti?: string;
}
