// Issues the CA, serving and client certificates of sandbox clusters: Node can read X.509 but not write it, so the DER is built here.
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIPv4 } from 'node:net';

const OID = {
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
};
const TEN_YEARS_MS = 10 * 365 * 24 * 3600 * 1000;

function tlv(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  if (content.length < 0x80) return Buffer.concat([Buffer.from([tag, content.length]), content]);
  const hex = content.length.toString(16);
  const length = Buffer.from(hex.length % 2 ? `0${hex}` : hex, 'hex');
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, content]);
}

const sequence = (...parts: Buffer[]): Buffer => tlv(0x30, ...parts);
const octets = (content: Buffer): Buffer => tlv(0x04, content);
const bits = (content: Buffer, unused = 0): Buffer => tlv(0x03, Buffer.from([unused]), content);
const truth = tlv(0x01, Buffer.from([0xff]));

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return tlv(0x06, Buffer.from(bytes));
}

const algorithm = sequence(oid(OID.ecdsaWithSha256));

interface Name {
  commonName: string;
  organization?: string;
}

function distinguishedName({ commonName, organization }: Name): Buffer {
  const part = (id: string, value: string): Buffer =>
    tlv(0x31, sequence(oid(id), tlv(0x0c, Buffer.from(value))));
  const organizations = organization === undefined ? [] : [part(OID.organization, organization)];
  return sequence(...organizations, part(OID.commonName, commonName));
}

function generalizedTime(ms: number): Buffer {
  return tlv(0x18, Buffer.from(`${new Date(ms).toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`));
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return critical ? sequence(oid(id), truth, octets(value)) : sequence(oid(id), octets(value));
}

function alternativeNames(hosts: string[]): Buffer {
  const names = hosts.map((host) =>
    isIPv4(host) ? tlv(0x87, Buffer.from(host.split('.').map(Number))) : tlv(0x82, Buffer.from(host)),
  );
  return extension(OID.subjectAltName, false, sequence(...names));
}

interface CertificateRequest {
  subject: Name;
  issuer: Name;
  subjectKey: KeyObject;
  issuerKey: KeyObject;
  extensions: Buffer[];
}

function issue(request: CertificateRequest): string {
  const serial = randomBytes(16);
  // A DER integer is signed: keep the first byte between 1 and 0x7f.
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x01;
  const now = Date.now();
  const body = sequence(
    tlv(0xa0, tlv(0x02, Buffer.from([2]))),
    tlv(0x02, serial),
    algorithm,
    distinguishedName(request.issuer),
    sequence(generalizedTime(now - 24 * 3600 * 1000), generalizedTime(now + TEN_YEARS_MS)),
    distinguishedName(request.subject),
    request.subjectKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(...request.extensions)),
  );
  const der = sequence(body, algorithm, bits(sign('sha256', body, request.issuerKey)));
  const base64 = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${base64.join('\n')}\n-----END CERTIFICATE-----\n`;
}

export interface Certificate {
  certPem: string;
  keyPem: string;
}

export interface Authority {
  caPem: string;
  serving(commonName: string, hosts: string[]): Certificate;
  /** Kubernetes reads the common name as the user, the organization as its group. */
  client(commonName: string, organization?: string): Certificate;
}

/** A fresh CA. */
export function createAuthority(commonName: string): Authority {
  const ca = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const issuer = { commonName };
  const leaf = (subject: Name, usage: string, ...more: Buffer[]): Certificate => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const extensions = [
      extension(OID.keyUsage, true, bits(Buffer.from([0x80]), 7)),
      extension(OID.extendedKeyUsage, false, sequence(oid(usage))),
      ...more,
    ];
    const certPem = issue({ subject, issuer, subjectKey: publicKey, issuerKey: ca.privateKey, extensions });
    return { certPem, keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
  };
  return {
    caPem: issue({
      subject: issuer,
      issuer,
      subjectKey: ca.publicKey,
      issuerKey: ca.privateKey,
      extensions: [
        extension(OID.basicConstraints, true, sequence(truth)),
        extension(OID.keyUsage, true, bits(Buffer.from([0x06]), 1)),
      ],
    }),
    serving: (name, hosts) => leaf({ commonName: name }, OID.serverAuth, alternativeNames(hosts)),
    client: (name, organization) =>
      leaf({ commonName: name, ...(organization !== undefined && { organization }) }, OID.clientAuth),
  };
}

export interface ServingCertificate extends Certificate {
  caPem: string;
}

/** A fresh CA named after the cluster, and a serving certificate for these hosts. */
export function issueServingCertificate(cluster: string, hosts: string[]): ServingCertificate {
  const authority = createAuthority(`${cluster} CA`);
  return { caPem: authority.caPem, ...authority.serving(`${cluster} kube-apiserver`, hosts) };
}
