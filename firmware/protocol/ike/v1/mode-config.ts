/** What Mode-Config assigns (draft-dukes-ike-mode-cfg-02 section 3.4): what is asked for, and what the answer says. */
import { concatBytes } from '../../bytes.ts';
import { addressOctets, addressText, maskLength, prefixMask } from '../address-octets.ts';
import type { AssignedConfiguration } from '../authentication.ts';
import type { TrafficSelector } from '../ike-types.ts';
import type { ConfigAttribute } from './attribute-payload.ts';
import { ConfigAttributeType as Type } from './numbers.ts';

/** Addresses and DNS servers that are taken. */
const MAX_TAKEN = 4;

const IPV4_OCTETS = 4;
const HOST_MASK = '255.255.255.255';

/** Behind address and netmask of a network of the split-include list: protocol and ports, which nobody fills. */
const SPLIT_PADDING = new Uint8Array(6);

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

/** Whether an address is asked for, and which one, if it says so. */
export function addressWish(
  attributes: readonly ConfigAttribute[],
): { readonly address: string | undefined } | undefined {
  if (!attributes.some(({ type }) => type === Type.internalIp4Address)) return undefined;
  return { address: addressesOf(attributes, Type.internalIp4Address)[0] };
}

/**
 * What of it is answered to whoever asks for these attributes.
 * @param networks at this end: those who know split tunnels are told that nothing else goes in.
 */
export function assignedAttributes(
  { addresses, dns }: AssignedConfiguration,
  networks: readonly TrafficSelector[],
  asked: readonly ConfigAttribute[],
): readonly ConfigAttribute[] {
  const wanted = new Set(asked.map(({ type }) => type));
  const split = networks.map(splitEntry).filter((entry) => entry !== undefined);
  const attributes: ConfigAttribute[] = [
    ...ipv4Of(Type.internalIp4Address, addresses),
    { type: Type.internalIp4Netmask, value: addressOctets(HOST_MASK) },
    ...ipv4Of(Type.internalIp4Dns, dns),
    ...(split.length === 0 ? [] : [{ type: Type.unitySplitInclude, value: concatBytes(...split) }]),
  ];
  return attributes.filter(({ type }) => wanted.has(type));
}

function ipv4Of(type: number, addresses: readonly string[]): ConfigAttribute[] {
  const values = addresses.map(addressOctets).filter(({ length }) => length === IPV4_OCTETS);
  return values.map((value) => ({ type, value }));
}

/** Address, netmask and padding; nothing for what is no network of IPv4. */
function splitEntry({ firstAddress, lastAddress }: TrafficSelector): Uint8Array | undefined {
  const first = addressOctets(firstAddress);
  const length = first.length === IPV4_OCTETS ? maskLength(first, addressOctets(lastAddress)) : undefined;
  return length === undefined ? undefined : concatBytes(first, prefixMask(IPV4_OCTETS, length), SPLIT_PADDING);
}

function addressesOf(attributes: readonly ConfigAttribute[], wanted: number): readonly string[] {
  const found = attributes.filter(
    ({ type, value }) => type === wanted && value.length === IPV4_OCTETS && value.some(Boolean),
  );
  return [...new Set(found.map(({ value }) => addressText(value)))].slice(0, MAX_TAKEN);
}
