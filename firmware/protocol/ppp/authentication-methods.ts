/** The authentication methods, as LCP's Authentication-Protocol option says them (RFC 1661 section 6.2). */
import { hex } from '../bytes.ts';
import type { PppAuthentication } from './link-types.ts';
import type { ProtocolValue } from './options.ts';
import { PPP_CHAP, PPP_EAP, PPP_PAP, protocolName } from './protocol-numbers.ts';

/** CHAP Algorithm octets: RFC 1994 section 3, RFC 2433 section 2, RFC 2759 section 2. */
const ALGORITHM_MD5 = 0x05;
const ALGORITHM_MSCHAP_V1 = 0x80;
const ALGORITHM_MSCHAP_V2 = 0x81;

/** Best first: what a side without a list of its own allows. */
export const DEFAULT_METHODS: readonly PppAuthentication[] = ['mschapv2', 'eap', 'chap', 'pap'];
/** The same with what is broken and only used where it is asked for by name. */
const ALL_METHODS: readonly PppAuthentication[] = ['mschapv2', 'eap', 'chap', 'mschapv1', 'pap'];

interface MethodSpec {
  readonly title: string;
  readonly protocol: number;
  /** `undefined`: the option ends after the protocol number. */
  readonly algorithm?: number;
}

const METHODS: Readonly<Record<PppAuthentication, MethodSpec>> = {
  pap: { title: 'PAP', protocol: PPP_PAP },
  chap: { title: 'CHAP-MD5', protocol: PPP_CHAP, algorithm: ALGORITHM_MD5 },
  mschapv1: { title: 'MS-CHAPv1', protocol: PPP_CHAP, algorithm: ALGORITHM_MSCHAP_V1 },
  mschapv2: { title: 'MS-CHAPv2', protocol: PPP_CHAP, algorithm: ALGORITHM_MSCHAP_V2 },
  eap: { title: 'EAP', protocol: PPP_EAP },
};

/** `PAP`, `CHAP-MD5`, `MS-CHAPv2`: for people. */
export function methodTitle(method: PppAuthentication): string {
  return METHODS[method].title;
}

/** `MS-CHAPv2 or CHAP-MD5`; `nothing` for an empty list. */
export function methodTitles(methods: readonly PppAuthentication[]): string {
  return methods.length === 0 ? 'nothing' : methods.map(methodTitle).join(' or ');
}

/** The protocol that carries the method: PAP, CHAP or EAP. */
export function methodProtocol(method: PppAuthentication): number {
  return METHODS[method].protocol;
}

/** The value of the option that asks for a method. */
export function methodValue(method: PppAuthentication): ProtocolValue {
  const { protocol, algorithm } = METHODS[method];
  return { protocol, data: algorithm === undefined ? new Uint8Array(0) : Uint8Array.of(algorithm) };
}

/** The method that an option asks for; `undefined` for one that we do not speak. */
export function methodOf(value: ProtocolValue): PppAuthentication | undefined {
  return ALL_METHODS.find((method) => {
    const own = methodValue(method);
    return own.protocol === value.protocol && own.data.length === value.data.length && own.data[0] === value.data[0];
  });
}

/** These methods, the best first. */
export function bestFirst(methods: readonly PppAuthentication[]): readonly PppAuthentication[] {
  return ALL_METHODS.filter((method) => methods.includes(method));
}

/** The name of whatever an option asks for, for people. */
export function authenticationTitle(value: ProtocolValue): string {
  const method = methodOf(value);
  if (method !== undefined) return methodTitle(method);
  if (value.protocol === PPP_CHAP) return `CHAP with algorithm 0x${hex(value.data)}`;
  return `protocol ${protocolName(value.protocol)}`;
}
