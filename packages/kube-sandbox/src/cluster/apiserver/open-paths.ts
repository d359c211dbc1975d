// The paths beside the API: health and version for everybody, and, for ServiceAccounts, the keys that verify tokens offline.

import { ApiError } from '../apimachinery/status.ts';
import type { World } from '../storage/world.ts';
import { ISSUER, jwks } from '../tokens/tokens.ts';
import type { Answer } from './call.ts';

const NO_JSON = '406: Not Acceptable\n\nAvailable representations: application/jwk-set+json';

export function openAnswer(
  world: World,
  version: string,
  path: string,
  caller: { accept: string } | undefined,
): Answer | undefined {
  return publicAnswer(version, path) ?? (caller && keysAnswer(world, path, caller.accept));
}

function publicAnswer(version: string, path: string): Answer | undefined {
  const [major = '', minor = ''] = version.split('.');
  switch (path) {
    case '/healthz':
    case '/livez':
    case '/readyz':
      return { status: 200, body: 'ok' };
    case '/version':
      return { status: 200, body: { major, minor, gitVersion: `v${version}`, platform: 'linux/amd64' } };
    default:
      return undefined;
  }
}

function keysAnswer({ keys }: World, path: string, accept: string): Answer | undefined {
  switch (path) {
    case '/openid/v1/jwks':
      if (!/\*\/\*|application\/(\*|jwk-set\+json)/.test(accept))
        throw new ApiError(406, 'NotAcceptable', NO_JSON, {});
      // Only the key of TokenRequest tokens: where legacy tokens have their own, discovery does not show it.
      return {
        status: 200,
        body: jwks([keys.bound]),
        headers: { 'content-type': 'application/jwk-set+json' },
      };
    case '/.well-known/openid-configuration':
      return {
        status: 200,
        body: {
          issuer: ISSUER,
          jwks_uri: `${ISSUER}/openid/v1/jwks`,
          response_types_supported: ['id_token'],
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: [keys.bound.algorithm],
        },
      };
    default:
      return undefined;
  }
}
