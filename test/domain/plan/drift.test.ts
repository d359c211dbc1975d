// What people are told of whoever would bring a Secret back: what it does, what to remove where, and what is held meanwhile.
import { describe, expect, it } from 'vitest';
import type { Owner } from '../../../src/domain/kubernetes/managed-by.ts';
import { driftWarnings, ownerNotes } from '../../../src/domain/plan/drift.ts';
import type { Approach } from '../../../src/domain/plan/goal.ts';
import type { Situation } from '../../../src/domain/situation/situation.ts';
import { anIdentity, aSituation } from '../../builders.ts';

const ESO: Owner = {
  tool: 'External Secrets',
  by: 'owner reference',
  of: { group: 'external-secrets.io', version: 'v1', kind: 'ExternalSecret', name: 'api' },
  stands: 'seen',
};
const HELM: Owner = {
  tool: 'Helm',
  by: 'field manager',
  of: { group: '', kind: 'release', namespace: 'payments', name: 'shop' },
  stands: 'unknown',
};
const [secret] = aSituation().tokenSecrets;
const owned = (...owners: Owner[]): Situation =>
  aSituation({ tokenSecrets: secret ? [{ ...secret, owners }] : [] });
const notes = (situation: Situation, approach: Approach = 'revoke', canSwitchOff = true): string =>
  ownerNotes(approach, anIdentity(), situation, canSwitchOff).join('\n');

describe('the notes of a plan', () => {
  it('say nothing of a token that is dead', () => {
    expect(notes({ ...owned(ESO), liveness: { alive: 'dead', reason: 'x' } })).toBe('');
  });

  it('say nothing where nobody owns the Secret, nor where the token dies by another UID', () => {
    expect(notes(aSituation())).toBe('');
    for (const approach of ['recreate', 'restart', 'unbind', 'replace-pod'] as const)
      expect(notes(owned(ESO), approach)).toBe('');
  });

  it.each<Approach>(['revoke', 'new-secret'])('say what holds, and what to remove where (%s)', (approach) => {
    expect(notes(owned(ESO), approach)).toBe(
      'Secret payments/api-token is not deleted by this plan: External Secrets (ExternalSecret api) would bring it and its token back within seconds. It stays switched off by its label, and is looked at again. To end it: kubectl --context prod -n payments delete externalsecret.external-secrets.io api. If the Secret is still there then: kubectl --context prod -n payments delete secret api-token',
    );
  });

  it('name each owner, and who keeps that one', () => {
    expect(notes(owned({ ...ESO, keptBy: ['Argo CD'] }, HELM))).toMatch(
      /External Secrets .* within seconds; Helm \(release payments\/shop\) .* at the next upgrade\..*delete externalsecret\S* api; Argo CD keeps that one, so take it out there; and take Secret api-token out of the chart/,
    );
  });

  it.each([
    [
      'Sealed Secrets',
      /though Sealed Secrets takes it off when the SealedSecret changes or its controller restarts/,
    ],
    ['Vault Secrets Operator', /though Vault Secrets Operator takes it off at its next sync/],
  ])('say how long the label stays with %s', (tool, expected) => {
    expect(notes(owned({ ...ESO, tool }))).toMatch(expected);
  });

  it('do not speak of a label that API servers ignore', () => {
    expect(notes(owned(ESO), 'revoke', false)).toMatch(/ignore that label, so only this, or another way/);
    expect(notes(owned(HELM), 'revoke', false)).toMatch(
      /^Deleting Secret payments\/api-token is not the end: Helm/,
    );
  });

  it('say what to do where the owner does not say what it is', () => {
    expect(
      notes(owned({ tool: 'External Secrets', by: 'labels and annotations', stands: 'unknown' })),
    ).toContain('To end it: remove what makes Secret api-token in External Secrets.');
  });

  it('say who makes the old ServiceAccount again, which is no danger', () => {
    const { serviceAccount } = aSituation();
    if (serviceAccount === null) throw new Error('none');
    const annotations = { 'meta.helm.sh/release-name': 'shop' };
    const manifest = { metadata: { name: 'api', annotations } };
    const situation = aSituation({ serviceAccount: { ...serviceAccount, manifest } });
    expect(notes(situation, 'new-service-account')).toMatch(
      /^Helm \(release shop\) makes ServiceAccount payments\/api again at the next upgrade once it is deleted\. Its old tokens stay dead/,
    );
    expect(notes(situation)).toBe('');
  });
});

describe('the warnings of a card', () => {
  const warnings = (situation: Situation, kind: 'legacy' | 'every-token' = 'legacy') =>
    driftWarnings(anIdentity({ kind }), situation).join('\n');

  it('say what an owner does and how it was found, and whether it is known to be there', () => {
    expect(warnings(owned(ESO))).toMatch(
      /If Secret api-token is deleted, External Secrets .*\(seen by its owner reference\)/,
    );
    expect(warnings(owned({ ...ESO, stands: 'unknown' }))).toContain(
      'whether it is still there is not known',
    );
  });

  it('are of the Secret that leaked alone', () => {
    const other = {
      ...owned(ESO),
      tokenSecrets: owned(ESO).tokenSecrets.map((one) => ({ ...one, name: 'x' })),
    };
    expect(warnings(other)).toBe('');
    expect(warnings(other, 'every-token')).toContain('Secret x');
  });

  it('say that a backup may be restored', () => {
    const restored = aSituation({ tokenSecrets: secret ? [{ ...secret, managers: ['velero-server'] }] : [] });
    expect(warnings(restored)).toContain('Velero has restored Secret api-token');
  });
});
