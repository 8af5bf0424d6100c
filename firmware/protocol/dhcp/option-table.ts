/** The options that this client sends, asks for or reads (RFC 2132, RFC 3442, RFC 6842): codec and words follow from this table. */

/** How a value stands on the wire. `routes`: RFC 3442. */
export type OptionKind = 'u8' | 'u16' | 'u32' | 'address' | 'addresses' | 'text' | 'octets' | 'routes';

export interface OptionEntry {
  readonly code: number;
  readonly kind: OptionKind;
}

export const DHCP_OPTIONS = {
  subnetMask: { code: 1, kind: 'address' },
  routers: { code: 3, kind: 'addresses' },
  dns: { code: 6, kind: 'addresses' },
  hostName: { code: 12, kind: 'text' },
  domainName: { code: 15, kind: 'text' },
  interfaceMtu: { code: 26, kind: 'u16' },
  requestedAddress: { code: 50, kind: 'address' },
  leaseSeconds: { code: 51, kind: 'u32' },
  overload: { code: 52, kind: 'u8' },
  messageType: { code: 53, kind: 'u8' },
  serverIdentifier: { code: 54, kind: 'address' },
  parameterRequestList: { code: 55, kind: 'octets' },
  message: { code: 56, kind: 'text' },
  maximumMessageSize: { code: 57, kind: 'u16' },
  renewalSeconds: { code: 58, kind: 'u32' },
  rebindingSeconds: { code: 59, kind: 'u32' },
  clientIdentifier: { code: 61, kind: 'octets' },
  classlessRoutes: { code: 121, kind: 'routes' },
} as const satisfies Readonly<Record<string, OptionEntry>>;

export type OptionName = keyof typeof DHCP_OPTIONS;

/** A route that a server hands out (RFC 3442): the destination as CIDR; a router of `0.0.0.0` means that it is on the link. */
export interface ClasslessRoute {
  readonly prefix: string;
  readonly router: string;
}

/** What each kind is to the program. */
interface KindValues {
  readonly u8: number;
  readonly u16: number;
  readonly u32: number;
  /** Dotted quad. */
  readonly address: string;
  readonly addresses: readonly string[];
  /** As it came: for people only through `printable`. */
  readonly text: string;
  readonly octets: Uint8Array;
  readonly routes: readonly ClasslessRoute[];
}

export type OptionValues = {
  readonly [Name in OptionName]?: KindValues[(typeof DHCP_OPTIONS)[Name]['kind']];
};

/** RFC 2132 section 9.6. */
export const MESSAGE_TYPES = {
  DISCOVER: 1,
  OFFER: 2,
  REQUEST: 3,
  DECLINE: 4,
  ACK: 5,
  NAK: 6,
  RELEASE: 7,
  INFORM: 8,
} as const;

export type MessageType = keyof typeof MESSAGE_TYPES;

/** What is asked for, the classless routes before the routers (RFC 3442). */
export const ASKED_FOR: readonly OptionName[] = [
  'subnetMask',
  'classlessRoutes',
  'routers',
  'dns',
  'domainName',
  'interfaceMtu',
  'leaseSeconds',
  'serverIdentifier',
  'renewalSeconds',
  'rebindingSeconds',
];
