/**
 * Whether a certificate speaks for an identity of IKE (RFC 4945 sections 3.1 and 5.1.3.6, RFC 7296 section 3.5). A name is looked
 * for in subjectAltName only, never in the common name, and wildcards mean nothing: a key exchange has two named ends, and
 * a certificate for all hosts of a domain would let each of them be every other one. A distinguished name is the subject.
 */
import type { IkeIdentity } from '../protocol/ike/ike-types.ts';
import { canonicalIp } from '../protocol/ip-address.ts';
import { type Certificate, sameName } from './certificate.ts';
import { type GeneralName, ipText, sameMail } from './general-names.ts';

export function speaksFor(certificate: Certificate, identity: IkeIdentity): boolean {
  const names = certificate.extensions.names ?? [];
  switch (identity.kind) {
    case 'fqdn': {
      const wanted = identity.value.toLowerCase();
      if (wanted === '' || wanted.includes('*')) return false;
      return names.some((name) => name.kind === 'dns' && name.value.toLowerCase() === wanted);
    }
    case 'email':
      return names.some(
        (name) => name.kind === 'email' && name.value.includes('@') && sameMail(name.value, identity.value),
      );
    case 'ipv4':
    case 'ipv6': {
      const wanted = canonicalIp(identity.value);
      return wanted !== undefined && names.some((name) => name.kind === 'ip' && ipText(name.value) === wanted);
    }
    case 'dn':
      if (isEmptyName(identity.value)) return false;
      return [certificate.subject, ...directoryNames(names)].some((name) => sameName(name, identity.value));
    case 'key-id':
      return false;
  }
}

/** What the owner of a certificate calls itself when nobody says otherwise: its first name, or its subject. */
export function ownIdentity({ subject, extensions }: Certificate): IkeIdentity {
  const names = extensions.names ?? [];
  for (const name of names)
    if (name.kind === 'dns' && !name.value.includes('*')) return { kind: 'fqdn', value: name.value };
  for (const name of names) if (name.kind === 'email') return { kind: 'email', value: name.value };
  for (const name of names) {
    const value = name.kind === 'ip' ? ipText(name.value) : undefined;
    if (value !== undefined) return { kind: value.includes(':') ? 'ipv6' : 'ipv4', value };
  }
  return { kind: 'dn', value: subject };
}

function directoryNames(names: readonly GeneralName[]): readonly Uint8Array[] {
  return names.flatMap((name) => (name.kind === 'directory' ? [name.value] : []));
}

/** A SEQUENCE with nothing in it. */
function isEmptyName(name: Uint8Array): boolean {
  return name.length <= 2;
}
