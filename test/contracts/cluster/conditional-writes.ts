// The product's conditional writes on a cluster that changes between alert and kill: no healthy token is touched, every copy of the leaked one dies.
import { decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readServiceAccount } from '../../../src/engine/service-account.ts';
import { Secret } from '../../../src/secret.ts';
import { type Api, type Body, eventually, MERGE_PATCH, openApi } from './api.ts';
import { connect, employ } from './product.ts';
import { base64, claimsOf, openRoom, type Room, roomIn } from './room.ts';
import { sideBySide } from './side-by-side.ts';
import type { Start } from './subject.ts';
