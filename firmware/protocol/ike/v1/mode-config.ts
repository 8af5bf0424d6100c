/** What Mode-Config assigns (draft-dukes-ike-mode-cfg-02 section 3.4): what is asked for, and what the answer says. */
import { addressOctets, addressText } from '../address-octets.ts';
import type { AssignedConfiguration } from '../authentication.ts';
import type { ConfigAttribute } from './attribute-payload.ts';
import { ConfigAttributeType as Type } from './numbers.ts';

/** Addresses and DNS servers that are taken. */
const MAX_TAKEN = 4;

/** @param wished the address that this side had before. */
export function wantedAttributes(wished: string | undefined): readonly ConfigAttribute[] {
  const nothing = new Uint8Array(0);
  const address = wished === undefined ? nothing : addressOctets(wished);
  return [
    { type: Type.internalIp4Address, value: address },
    { type: Type.internalIp4Netmask, value: nothing },
    { type: Type.internalIp4Dns, value: nothing },
  ];
}

/** `undefined` where no address is among them. What is no address is left out. */
export function assignedBy(attributes: readonly ConfigAttribute[]): AssignedConfiguration | undefined {
  const addresses = addressesOf(attributes, Type.internalIp4Address);
  return addresses.length === 0 ? undefined : { addresses, dns: addressesOf(attributes, Type.internalIp4Dns) };
}

function addressesOf(attributes: readonly ConfigAttribute[], wanted: number): readonly string[] {
  const found = attributes.filter(({ type, value }) => type === wanted && value.length === 4 && value.some(Boolean));
  return [...new Set(found.map(({ value }) => addressText(value)))].slice(0, MAX_TAKEN);
}
