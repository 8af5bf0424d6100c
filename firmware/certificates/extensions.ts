/** The extensions of a certificate by which it is judged (RFC 5280 section 4.2). */
import { DecodeError, hex } from '../protocol/bytes.ts';
import { context, DerReader, namedBits, onlyDer, smallInteger, TAG } from './der-reader.ts';
import { type GeneralName, type NameConstraints, readGeneralNames, readNameConstraints } from './general-names.ts';
import { objectIdentifierText } from './object-identifier.ts';

/** Extensions of one certificate that are read. */
const MAX_EXTENSIONS = 64;

/** Bits of keyUsage (section 4.2.1.3). */
export const KEY_USAGE = { digitalSignature: 0, nonRepudiation: 1, keyCertSign: 5, cRLSign: 6 } as const;

/** Key purposes, by contents of the OBJECT IDENTIFIER in hexadecimal. */
export const KEY_PURPOSE = {
  any: '551d2500',
  serverAuth: '2b06010505070301',
  clientAuth: '2b06010505070302',
  /** RFC 4945 section 5.1.3.12. */
  ipsecIke: '2b06010505070311',
} as const;

export interface CertificateExtensions {
  /** basicConstraints says that this is a CA. */
  readonly isAuthority: boolean;
  /** How many CAs may follow below this one. */
  readonly pathLength?: number;
  readonly keyUsage?: ReadonlySet<number>;
  readonly keyPurposes?: readonly string[];
  /** subjectAltName; absent where there is no such extension. */
  readonly names?: readonly GeneralName[];
  readonly nameConstraints?: NameConstraints;
  readonly subjectKeyId?: string;
  readonly authorityKeyId?: string;
  /** Critical ones that are not understood here, `1.2.3.4`: whoever does not understand them must not believe. */
  readonly unknown: readonly string[];
}

/** The same that can be written to. */
type Draft = { -readonly [Key in keyof CertificateExtensions]: CertificateExtensions[Key] };

const READERS: Readonly<Record<string, (value: Uint8Array, draft: Draft) => void>> = {
  // basicConstraints
  '551d13': (value, draft) => {
    const reader = onlyDer(value, TAG.sequence, 'basicConstraints');
    draft.isAuthority = isTrue(reader.optional(TAG.boolean, 'cA')?.contents);
    const length = reader.optional(TAG.integer, 'pathLenConstraint');
    if (length !== undefined) draft.pathLength = smallInteger(length.contents, 'pathLenConstraint');
    reader.end('basicConstraints');
  },
  // keyUsage
  '551d0f': (value, draft) => {
    draft.keyUsage = namedBits(new DerReader(value).next(TAG.bitString, 'keyUsage').contents, 'keyUsage');
  },
  // extKeyUsage
  '551d25': (value, draft) => {
    const reader = onlyDer(value, TAG.sequence, 'extKeyUsage');
    const purposes: string[] = [];
    while (!reader.done) purposes.push(hex(reader.next(TAG.objectIdentifier, 'KeyPurposeId').contents));
    draft.keyPurposes = purposes;
  },
  // subjectAltName
  '551d11': (value, draft) => {
    draft.names = readGeneralNames(onlyDer(value, TAG.sequence, 'subjectAltName'));
  },
  // nameConstraints
  '551d1e': (value, draft) => {
    draft.nameConstraints = readNameConstraints(onlyDer(value, TAG.sequence, 'nameConstraints'));
  },
  // subjectKeyIdentifier
  '551d0e': (value, draft) => {
    draft.subjectKeyId = hex(new DerReader(value).next(TAG.octetString, 'subjectKeyIdentifier').contents);
  },
  // authorityKeyIdentifier
  '551d23': (value, draft) => {
    const reader = onlyDer(value, TAG.sequence, 'authorityKeyIdentifier');
    const id = reader.optional(context(0, 'primitive'), 'keyIdentifier');
    if (id !== undefined) draft.authorityKeyId = hex(id.contents);
  },
  // certificatePolicies: any is as good as another here, so there is nothing to keep.
  '551d20': () => undefined,
};

/** @param reader what is inside the SEQUENCE of extensions. @throws DecodeError */
export function readExtensions(reader: DerReader): CertificateExtensions {
  const unknown: string[] = [];
  const draft: Draft = { isAuthority: false, unknown };
  for (const { id, critical, value } of extensionsIn(reader)) {
    const read = Object.hasOwn(READERS, id) ? READERS[id] : undefined;
    if (read !== undefined) read(value, draft);
    else if (critical) unknown.push(objectIdentifierText(id));
  }
  return draft;
}

export interface Extension {
  /** Contents of the OBJECT IDENTIFIER in hexadecimal. */
  readonly id: string;
  readonly critical: boolean;
  readonly value: Uint8Array;
}

/** Those of a certificate, a CRL or an entry of it. @throws DecodeError also when one is there twice. */
export function extensionsIn(reader: DerReader): readonly Extension[] {
  const found = new Map<string, Extension>();
  while (!reader.done) {
    const extension = reader.inside(TAG.sequence, 'Extension');
    const id = hex(extension.next(TAG.objectIdentifier, 'extnID').contents);
    const critical = isTrue(extension.optional(TAG.boolean, 'critical')?.contents);
    const value = extension.next(TAG.octetString, 'extnValue').contents;
    if (found.has(id) || found.size >= MAX_EXTENSIONS) throw new DecodeError('extensions twice, or too many');
    found.set(id, { id, critical, value });
  }
  return [...found.values()];
}

function isTrue(contents: Uint8Array | undefined): boolean {
  return contents !== undefined && contents[0] !== 0;
}
