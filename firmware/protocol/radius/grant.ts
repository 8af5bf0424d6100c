/** What an Access-Accept grants a user, as far as this router can give it, and words about the rest. */
import { parseIpv4 } from '../ip-address.ts';
import { printable } from '../printable.ts';
import { SERVICE_TYPE_FRAMED } from './attribute-table.ts';
import { allValues, firstValue, type RadiusAttribute } from './attribute-value.ts';
import { parseFramedIpv6Route, parseFramedRoute } from './framed-route.ts';

export interface RadiusGrant {
  /** The name that accounting shall use (RFC 2865 section 5.1). */
  readonly userName?: Uint8Array;
  /** Absent: one of the pool. */
  readonly address?: string;
  /** CIDR of both families, some {@link MAX_ROUTES} at most, a delegated prefix included; the user is the gateway. */
  readonly routes: readonly string[];
  /** None, one or two (RFC 2548 section 2.7). */
  readonly dns: readonly string[];
  /** CIDR, for the link itself (RFC 3162 section 2.3). */
  readonly ipv6Prefix?: string;
  /** Seconds, 1 and more. */
  readonly sessionTimeout?: number;
  /** Seconds, 1 and more. */
  readonly idleTimeout?: number;
  /** Seconds, {@link MIN_INTERIM} and more. */
  readonly interimInterval?: number;
  /** Octets of an inner packet, 576..65535. */
  readonly mtu?: number;
  /** Echoed in accounting as they are; at most {@link MAX_CLASSES}. */
  readonly classes: readonly Uint8Array[];
  /** For the log and the user; printable. */
  readonly message?: string;
  /** What was granted and cannot be given, a sentence each without a full stop. */
  readonly remarks: readonly string[];
}

/** Routes of one user, at most: a branch with more has a routing protocol. */
export const MAX_ROUTES = 64;
/** Class attributes kept for one user, at most. */
export const MAX_CLASSES = 8;
/** Shortest interval of interim updates, seconds (RFC 2869 section 5.16). */
export const MIN_INTERIM = 60;
/** Remarks on one answer, at most: the rest would say the same. */
const MAX_REMARKS = 8;
/** Reply-Messages told, at most. */
const MAX_MESSAGES = 4;
/** Framed-IP-Address by which the user may choose, or this router shall (RFC 2865 section 5.8). */
const USER_CHOOSES = '255.255.255.255';
const ROUTER_CHOOSES = '255.255.255.254';

export function readGrant(attributes: readonly RadiusAttribute[]): RadiusGrant {
  const remarks: string[] = [];
  const address = readAddress(attributes, remarks);
  const values = {
    userName: firstValue(attributes, 'userName'),
    address,
    ipv6Prefix: firstValue(attributes, 'framedIpv6Prefix'),
    sessionTimeout: positive(firstValue(attributes, 'sessionTimeout')),
    idleTimeout: positive(firstValue(attributes, 'idleTimeout')),
    interimInterval: readInterim(attributes, remarks),
    mtu: readMtu(attributes, remarks),
    message: replyMessage(attributes),
  };
  const service = firstValue(attributes, 'serviceType');
  if (service !== undefined && service !== SERVICE_TYPE_FRAMED) {
    remarks.push(`Service-Type ${service} is taken for Framed, the only service here`);
  }
  const dns = (['msPrimaryDnsServer', 'msSecondaryDnsServer'] as const).flatMap(
    (name) => firstValue(attributes, name)?.replace(/^0\.0\.0\.0$/, '') || [],
  );
  return {
    ...defined(values),
    routes: readRoutes(attributes, address, remarks),
    dns,
    classes: allValues(attributes, 'class').slice(0, MAX_CLASSES),
    remarks: remarks.slice(0, MAX_REMARKS),
  };
}

/** Every Reply-Message of an answer in one line, printable; `undefined` when there is none. */
export function replyMessage(attributes: readonly RadiusAttribute[]): string | undefined {
  const texts = allValues(attributes, 'replyMessage').slice(0, MAX_MESSAGES);
  return texts.length === 0 ? undefined : texts.map((text) => printable(text.trim())).join(' ');
}

function readAddress(attributes: readonly RadiusAttribute[], remarks: string[]): string | undefined {
  const mask = firstValue(attributes, 'framedIpNetmask');
  if (mask !== undefined && mask !== '255.255.255.255') {
    remarks.push(`Framed-IP-Netmask ${mask} is ignored: networks behind a user are told by Framed-Route`);
  }
  const address = firstValue(attributes, 'framedIpAddress');
  if (address === undefined || address === ROUTER_CHOOSES) return undefined;
  if (address === USER_CHOOSES) {
    remarks.push('the user may choose its address, says the RADIUS server; this router gives one of its pool');
    return undefined;
  }
  const first = (parseIpv4(address) ?? 0) >>> 24;
  if (first !== 0 && first !== 127 && first < 224) return address;
  remarks.push(`Framed-IP-Address ${address} is the address of no host; one of the pool is given instead`);
  return undefined;
}

function readRoutes(
  attributes: readonly RadiusAttribute[],
  address: string | undefined,
  remarks: string[],
): readonly string[] {
  const texts = [
    ...allValues(attributes, 'framedRoute').map((text) => ({ text, name: 'Framed-Route', parse: parseFramedRoute })),
    ...allValues(attributes, 'framedIpv6Route').map((text) => ({
      text,
      name: 'Framed-IPv6-Route',
      parse: parseFramedIpv6Route,
    })),
  ];
  if (texts.length > MAX_ROUTES) {
    remarks.push(`of ${texts.length} Framed-Routes the first ${MAX_ROUTES} are taken, as many as a user may have`);
  }
  const routes = texts.slice(0, MAX_ROUTES).flatMap(({ text, name, parse }) => {
    const route = parse(text);
    if (typeof route === 'string') {
      remarks.push(`${name} "${printable(text)}" is ignored: ${route}`);
      return [];
    }
    if (route.gateway !== undefined && route.gateway !== address) {
      remarks.push(`the gateway of ${name} "${printable(text)}" is not asked for: the user itself is the way`);
    }
    return [route.prefix];
  });
  const delegated = firstValue(attributes, 'delegatedIpv6Prefix');
  return [...new Set(delegated === undefined ? routes : [...routes, delegated])];
}

function readInterim(attributes: readonly RadiusAttribute[], remarks: string[]): number | undefined {
  const interval = firstValue(attributes, 'acctInterimInterval');
  if (interval === undefined || interval >= MIN_INTERIM) return interval;
  remarks.push(`Acct-Interim-Interval ${interval} is under ${MIN_INTERIM} seconds and is ignored`);
  return undefined;
}

function readMtu(attributes: readonly RadiusAttribute[], remarks: string[]): number | undefined {
  const mtu = firstValue(attributes, 'framedMtu');
  if (mtu === undefined || (mtu >= 576 && mtu <= 65535)) return mtu;
  remarks.push(`Framed-MTU ${mtu} is not in 576 to 65535 and is ignored`);
  return undefined;
}

/** Zero seconds is no limit: a session that ends as it begins is what a server says with Access-Reject. */
function positive(seconds: number | undefined): number | undefined {
  return seconds === 0 ? undefined : seconds;
}

/** The record without the entries that are not there. */
function defined<Values extends Record<string, unknown>>(
  values: Values,
): { [Key in keyof Values]?: NonNullable<Values[Key]> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [Key in keyof Values]?: NonNullable<Values[Key]>;
  };
}
