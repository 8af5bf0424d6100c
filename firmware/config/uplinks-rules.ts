/** Rules about uplinks and modems, and about who uses them. */
import { memberPath } from './json-path.ts';
import type { ConfigurationRule, Finding } from './rule.ts';
import { repeated } from './rule.ts';
import { type Configuration, ownEntry } from './schema.ts';
import { nearest } from './spelling.ts';
import type { UplinkConfiguration } from './uplinks-schema.ts';

/** PPPoE and PPP headers in an Ethernet frame, octets (RFC 2516 section 7). */
const PPPOE_AROUND = 8;

const ETHERNET_MTU = 1500;

export const UPLINKS_RULES: readonly ConfigurationRule[] = [
  {
    name: 'uplink-parts',
    severity: 'error',
    description:
      'An uplink has what its type needs: an interface with "ethernet" and "pppoe", a modem with "modem", user and password ' +
      'with "pppoe"; and nothing that belongs to another type.',
    check: parts,
  },
  {
    name: 'uplink-interface',
    severity: 'error',
    description: 'The interface of an uplink exists and is in the zone "wan".',
    check: interfaces,
  },
  {
    name: 'uplink-address',
    severity: 'error',
    description:
      'The interface of an uplink of the type "ethernet" has a gateway or a lease; that of "pppoe" has no gateway, since the ' +
      'other side of the session is one.',
    check: uplinkAddress,
  },
  {
    name: 'uplink-modem',
    severity: 'error',
    description: 'The modem of an uplink exists.',
    check: modems,
  },
  {
    name: 'uplink-twice',
    severity: 'error',
    description: 'Each interface and each modem belongs to one uplink.',
    check: twice,
  },
  {
    name: 'uplink-mtu',
    severity: 'error',
    description:
      'A PPPoE session with packets above 1492 octets has an interface that carries 8 octets more (RFC 4638).',
    check: mtu,
  },
  {
    name: 'gateway-of-no-uplink',
    severity: 'error',
    description:
      'Where there are uplinks, every default gateway belongs to one, and no static route is a second default.',
    check: gateways,
  },
  {
    name: 'uplink-reference',
    severity: 'error',
    description: 'An uplink that a connection sticks to exists.',
    check: references,
  },
  {
    name: 'uplink-of-protected',
    severity: 'error',
    description: 'What is protected by IPsec goes by the uplink of its IPsec connection, and names none itself.',
    check: ofProtected,
  },
  {
    name: 'modem-place',
    severity: 'error',
    description: 'A modem is looked for by its USB id or by its device, not by both.',
    check: modemPlace,
  },
];

type Part = 'interface' | 'modem' | 'user' | 'password' | 'serviceName' | 'accessConcentrator';

/** What each type has to have, and what it may have. */
const PARTS: Readonly<
  Record<UplinkConfiguration['type'], { readonly needs: readonly Part[]; readonly may: readonly Part[] }>
> = {
  ethernet: { needs: ['interface'], may: [] },
  pppoe: { needs: ['interface', 'user', 'password'], may: ['serviceName', 'accessConcentrator'] },
  modem: { needs: ['modem'], may: [] },
};

const ALL_PARTS: readonly Part[] = ['interface', 'modem', 'user', 'password', 'serviceName', 'accessConcentrator'];

function* entries({ uplinks }: Configuration): Iterable<readonly [string, UplinkConfiguration, string]> {
  for (const [name, uplink] of Object.entries(uplinks)) yield [name, uplink, memberPath('uplinks', name)];
}

function* parts(configuration: Configuration): Iterable<Finding> {
  for (const [, uplink, path] of entries(configuration)) {
    const { type } = uplink;
    const { needs, may } = PARTS[type];
    for (const part of ALL_PARTS) {
      const given = uplink[part] !== undefined;
      if (!given && needs.includes(part)) {
        yield { path: `${path}.${part}`, found: 'nothing', allowed: `with the type "${type}", a value` };
      } else if (given && !needs.includes(part) && !may.includes(part)) {
        const types = Object.entries(PARTS).filter(
          ([, known]) => known.needs.includes(part) || known.may.includes(part),
        );
        const others = types.map(([other]) => `"${other}"`).join(' or ');
        const found = part === 'password' ? 'a password' : `${uplink[part]}`;
        yield { path: `${path}.${part}`, found, allowed: `nothing with the type "${type}"; it belongs to ${others}` };
      }
    }
  }
}

function* interfaces(configuration: Configuration): Iterable<Finding> {
  for (const [, uplink, path] of entries(configuration)) {
    const name = uplink.interface;
    if (name === undefined) continue;
    const entry = ownEntry(configuration.interfaces, name);
    if (entry === undefined) {
      yield unknown(`${path}.interface`, name, 'interface', Object.keys(configuration.interfaces));
    } else if (entry.zone !== 'wan') {
      const found = `"${name}", which is in the zone "${entry.zone}"`;
      yield { path: `${path}.interface`, found, allowed: 'an interface in the zone "wan"' };
    }
  }
}

function* uplinkAddress(configuration: Configuration): Iterable<Finding> {
  for (const [, { type, interface: name }, path] of entries(configuration)) {
    const entry = name === undefined ? undefined : ownEntry(configuration.interfaces, name);
    if (name === undefined || entry === undefined) continue;
    const gateway = entry.ipv4?.gateway;
    if (type === 'pppoe' && gateway !== undefined) {
      const found = `${gateway} beside PPPoE on the same interface`;
      yield { path: `${memberPath('interfaces', name)}.ipv4.gateway`, found, allowed: 'no gateway there' };
    } else if (type === 'ethernet' && gateway === undefined && !isLeased(configuration, name)) {
      const found = `"${name}", which has neither a gateway nor a lease`;
      yield { path: `${path}.interface`, found, allowed: 'an interface with a gateway, or with the method "dhcp"' };
    }
  }
}

/** Whether the interface gets its address from a server. */
function isLeased({ interfaces: all }: Configuration, name: string): boolean {
  return ownEntry(all, name)?.ipv4?.method === 'dhcp';
}

function* modems(configuration: Configuration): Iterable<Finding> {
  for (const [, { modem }, path] of entries(configuration)) {
    if (modem === undefined || ownEntry(configuration.modems, modem) !== undefined) continue;
    yield unknown(`${path}.modem`, modem, 'modem', Object.keys(configuration.modems));
  }
}

function* twice(configuration: Configuration): Iterable<Finding> {
  for (const part of ['interface', 'modem'] as const) {
    const using = [...entries(configuration)].filter(([, uplink]) => uplink[part] !== undefined);
    for (const [[, uplink, path], [earlier]] of repeated(using, ([, entry]) => entry[part] ?? '')) {
      const found = `"${uplink[part]}", which uplink "${earlier}" uses already`;
      yield { path: `${path}.${part}`, found, allowed: `${part === 'modem' ? 'a modem' : 'an interface'} of its own` };
    }
  }
}

function* mtu(configuration: Configuration): Iterable<Finding> {
  for (const [, uplink, path] of entries(configuration)) {
    if (uplink.type !== 'pppoe' || uplink.mtu === undefined || uplink.interface === undefined) continue;
    const carries = ownEntry(configuration.interfaces, uplink.interface)?.mtu ?? ETHERNET_MTU;
    if (uplink.mtu + PPPOE_AROUND <= carries) continue;
    const found = `${uplink.mtu}, and the interface carries ${carries} octets`;
    const larger = `at most ${carries - PPPOE_AROUND}, or an mtu of ${uplink.mtu + PPPOE_AROUND} or more at the interface "${uplink.interface}"`;
    yield { path: `${path}.mtu`, found, allowed: larger };
  }
}

function* gateways(configuration: Configuration): Iterable<Finding> {
  const uplinks = Object.values(configuration.uplinks);
  if (uplinks.length === 0) return;
  const used = new Set(uplinks.flatMap(({ interface: name }) => name ?? []));
  for (const [name, { ipv4 }] of Object.entries(configuration.interfaces)) {
    if (ipv4?.gateway === undefined || used.has(name)) continue;
    const found = `${ipv4.gateway}, and no uplink uses this interface`;
    const allowed = `an entry of uplinks with the interface "${name}", or no gateway`;
    yield { path: `${memberPath('interfaces', name)}.ipv4.gateway`, found, allowed };
  }
  for (const [index, { prefix, metric = 0 }] of configuration.routes.entries()) {
    if (prefix !== '0.0.0.0/0' || metric > 0) continue;
    const allowed = 'none beside uplinks, which make the default route; or one with a metric, as the last resort';
    yield { path: `routes[${index}].prefix`, found: 'a default route', allowed };
  }
}

function* references({ l2tp, ipsec, uplinks }: Configuration): Iterable<Finding> {
  const using = [
    ...Object.entries(l2tp.clients).map(([name, { uplink }]) => ({ path: memberPath('l2tp.clients', name), uplink })),
    ...Object.entries(ipsec.connections).map(([name, { uplink }]) => ({
      path: memberPath('ipsec.connections', name),
      uplink,
    })),
  ];
  for (const { path, uplink } of using) {
    if (uplink === undefined || ownEntry(uplinks, uplink) !== undefined) continue;
    yield unknown(`${path}.uplink`, uplink, 'uplink', Object.keys(uplinks));
  }
}

function* ofProtected({ l2tp }: Configuration): Iterable<Finding> {
  for (const [name, { uplink, ipsec }] of Object.entries(l2tp.clients)) {
    if (uplink === undefined || ipsec === undefined) continue;
    const allowed = `nothing here; ${memberPath('ipsec.connections', ipsec)}.uplink says it`;
    yield { path: `${memberPath('l2tp.clients', name)}.uplink`, found: `"${uplink}" beside IPsec`, allowed };
  }
}

function* modemPlace(configuration: Configuration): Iterable<Finding> {
  for (const [name, { usb, device }] of Object.entries(configuration.modems)) {
    if (usb === undefined || device === undefined) continue;
    const found = `${device} beside the USB id ${usb}`;
    yield { path: `${memberPath('modems', name)}.device`, found, allowed: 'one of the two' };
  }
}

function unknown(path: string, name: string, what: string, known: readonly string[]): Finding {
  const suggestion = nearest(name, known);
  return {
    path,
    found: `"${name}", and there is no such ${what}`,
    allowed: known.length === 0 ? `the name of an entry of ${what}s; there is none` : `one of ${known.join(', ')}`,
    ...(suggestion === undefined ? {} : { suggestion }),
  };
}
