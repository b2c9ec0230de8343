// What ACME needs of X.509 and Node does not have: a request for a certificate, the certificate that proves a name by TLS, and the
// id of a certificate for advice on its renewal.
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';
import { Attributes, CertificationRequest, CertificationRequestInfo } from '@peculiar/asn1-csr';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import {
  AlgorithmIdentifier,
  Attribute,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  Certificate,
  Extension,
  Extensions,
  GeneralName,
  id_ce_authorityKeyIdentifier,
  id_ce_subjectAltName,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from '@peculiar/asn1-x509';

const ecdsaWithSha256 = '1.2.840.10045.4.3.2';
/** PKCS #9: extensions that are asked for. */
const extensionRequest = '1.2.840.113549.1.9.14';
/** RFC 8737 section 3. */
const acmeIdentifier = '1.3.6.1.5.5.7.1.31';
const commonName = '2.5.4.3';
const day = 86_400_000;

/** PEM of a new private key: ECDSA on P-256, which is the cheapest to serve with. */
export function newPrivateKey(): string {
  return generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/**
 * DER of a request for a certificate of one name (RFC 2986).
 * @param key PEM
 */
export function certificateRequest(name: string, key: string): Buffer {
  const privateKey = createPrivateKey(key);
  const info = new CertificationRequestInfo({
    subject: new Name(),
    subjectPKInfo: publicKeyInfo(privateKey),
    attributes: new Attributes([
      new Attribute({ type: extensionRequest, values: [AsnConvert.serialize(new Extensions([alternativeName(name)]))] }),
    ]),
  });
  const request = new CertificationRequest({
    certificationRequestInfo: info,
    signatureAlgorithm: new AlgorithmIdentifier({ algorithm: ecdsaWithSha256 }),
    signature: signed(AsnConvert.serialize(info), privateKey),
  });
  return Buffer.from(AsnConvert.serialize(request));
}

/**
 * The certificate that answers a handshake of `acme-tls/1` (RFC 8737 section 3), with a key of its own. PEM.
 * @param authorization the key authorization
 */
export function challengeCertificate(
  name: string,
  authorization: string,
): { readonly certificate: string; readonly key: string } {
  const key = newPrivateKey();
  const privateKey = createPrivateKey(key);
  const digest = AsnConvert.serialize(new OctetString(createHash('sha256').update(authorization).digest()));
  const now = Date.now();
  const serial = randomBytes(16);
  // Positive, and not shorter for a leading zero.
  serial[0] = 0x40 | ((serial[0] as number) & 0x3f);
  const subject = new Name([
    new RelativeDistinguishedName([
      new AttributeTypeAndValue({ type: commonName, value: new AttributeValue({ utf8String: 'ACME challenge' }) }),
    ]),
  ]);
  const body = new TBSCertificate({
    version: Version.v3,
    serialNumber: exactBytes(serial),
    signature: new AlgorithmIdentifier({ algorithm: ecdsaWithSha256 }),
    issuer: subject,
    subject,
    validity: new Validity({ notBefore: new Date(now - day), notAfter: new Date(now + 7 * day) }),
    subjectPublicKeyInfo: publicKeyInfo(privateKey),
    extensions: new Extensions([
      alternativeName(name),
      new Extension({ extnID: acmeIdentifier, critical: true, extnValue: new OctetString(digest) }),
    ]),
  });
  const certificate = new Certificate({
    tbsCertificate: body,
    signatureAlgorithm: new AlgorithmIdentifier({ algorithm: ecdsaWithSha256 }),
    signatureValue: signed(AsnConvert.serialize(body), privateKey),
  });
  const lines = Buffer.from(AsnConvert.serialize(certificate))
    .toString('base64')
    .replace(/(.{64})/g, '$1\n')
    .trimEnd();
  return { certificate: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`, key };
}

/**
 * What a certificate is called where advice on its renewal is given (RFC 9773 section 4.1): the key of its issuer, and its number.
 * @param der the certificate
 * @returns an empty text where it does not tell its issuer's key
 */
export function renewalId(der: Buffer): string {
  const { tbsCertificate } = AsnConvert.parse(der, Certificate);
  const extension = tbsCertificate.extensions?.find(({ extnID }) => extnID === id_ce_authorityKeyIdentifier);
  if (extension === undefined) return '';
  const { keyIdentifier } = AsnConvert.parse(extension.extnValue, AuthorityKeyIdentifier);
  if (keyIdentifier === undefined) return '';
  const issuer = Buffer.from(keyIdentifier.buffer).toString('base64url');
  return `${issuer}.${Buffer.from(tbsCertificate.serialNumber).toString('base64url')}`;
}

function alternativeName(name: string): Extension {
  const names = new SubjectAlternativeName([new GeneralName({ dNSName: name })]);
  return new Extension({
    extnID: id_ce_subjectAltName,
    critical: false,
    extnValue: new OctetString(AsnConvert.serialize(names)),
  });
}

function publicKeyInfo(key: KeyObject): SubjectPublicKeyInfo {
  return AsnConvert.parse(createPublicKey(key).export({ type: 'spki', format: 'der' }), SubjectPublicKeyInfo);
}

function signed(bytes: ArrayBuffer, key: KeyObject): ArrayBuffer {
  return exactBytes(sign('sha256', Buffer.from(bytes), key));
}

/** A buffer of Node may be a part of a larger one. */
function exactBytes(bytes: Buffer): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
