/** Identification payloads (RFC 7296 section 3.5). */
import { concatBytes, EncodeError, utf8Bytes } from '../../bytes.ts';
import { addressOctets, addressText } from '../address-octets.ts';
import type { IkeIdentity } from '../ike-types.ts';
import { ID_TYPE } from './numbers.ts';

/** An ID payload without its generic header. */
export interface IdBody {
  readonly idType: number;
  readonly data: Uint8Array;
}

/** Longest name of an identity in octets: the longest domain name, and then some. */
const MAX_NAME_OCTETS = 512;

/** @throws EncodeError when an address is none or a name is too long. */
export function encodeIdentity(identity: IkeIdentity): IdBody {
  switch (identity.kind) {
    case 'ipv4':
    case 'ipv6': {
      const data = addressOctets(identity.value);
      if (data.length !== (identity.kind === 'ipv4' ? 4 : 16)) throw new EncodeError('address of the other family');
      return { idType: identity.kind === 'ipv4' ? ID_TYPE.ipv4 : ID_TYPE.ipv6, data };
    }
    case 'fqdn':
      return { idType: ID_TYPE.fqdn, data: name(identity.value) };
    case 'email':
      return { idType: ID_TYPE.email, data: name(identity.value) };
    case 'key-id':
      return { idType: ID_TYPE.keyId, data: identity.value };
    case 'dn':
      return { idType: ID_TYPE.dn, data: identity.value };
  }
}

function name(text: string): Uint8Array {
  const octets = utf8Bytes(text);
  if (octets.length === 0 || octets.length > MAX_NAME_OCTETS) throw new EncodeError('identity empty or too long');
  return octets;
}

/** `undefined` for a kind that is not in use here (ID_DER_ASN1_GN), or with data of the wrong length. */
export function decodeIdentity({ idType, data }: IdBody): IkeIdentity | undefined {
  switch (idType) {
    case ID_TYPE.ipv4:
      return data.length === 4 ? { kind: 'ipv4', value: addressText(data) } : undefined;
    case ID_TYPE.ipv6:
      return data.length === 16 ? { kind: 'ipv6', value: addressText(data) } : undefined;
    case ID_TYPE.fqdn:
      return { kind: 'fqdn', value: Buffer.from(data).toString('utf8') };
    case ID_TYPE.email:
      return { kind: 'email', value: Buffer.from(data).toString('utf8') };
    case ID_TYPE.keyId:
      return { kind: 'key-id', value: data };
    case ID_TYPE.dn:
      return { kind: 'dn', value: data };
    default:
      return undefined;
  }
}

/** The ID of an address: what a side says that has no other name. */
export function addressIdentity(address: string): IkeIdentity {
  return { kind: address.includes(':') ? 'ipv6' : 'ipv4', value: address };
}

/** Type, three reserved octets, data: what AUTH covers (section 2.15). */
export function idOctets({ idType, data }: IdBody): Uint8Array {
  return concatBytes(Uint8Array.of(idType, 0, 0, 0), data);
}
