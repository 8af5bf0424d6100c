/** Rules about what an interface is made of: MAC address and VLAN, and about addresses that a server gives. */
import { memberPath } from './json-path.ts';
import { type ConfigurationRule, type Finding, repeated } from './rule.ts';
import type { Configuration } from './schema.ts';

const ETHERNET_MTU = 1500;

export const INTERFACE_LINK_RULES: readonly ConfigurationRule[] = [
  {
    name: 'dhcp-keys',
    severity: 'error',
    description: 'Client identifier and host name belong to the method "dhcp".',
    check: dhcpKeys,
  },
  {
    name: 'dhcp-inside',
    severity: 'warning',
    description: 'An interface that gets its address from a server is in the zone "wan".',
    check: dhcpInside,
  },
  {
    name: 'mac-address',
    severity: 'error',
    description: 'A MAC address is that of one device: not of a group, and not all zeros.',
    check: macAddress,
  },
  {
    name: 'vlan-parent',
    severity: 'error',
    description:
      'The parent of a VLAN is a device of its own: not itself, not another VLAN, not loopback, not a tunnel.',
    check: vlanParent,
  },
  {
    name: 'vlan-twice',
    severity: 'error',
    description: 'Each VLAN of a device belongs to one interface.',
    check: vlanTwice,
  },
  {
    name: 'vlan-mtu',
    severity: 'error',
    description: 'A VLAN carries no larger packets than the interface of its parent does.',
    check: vlanMtu,
  },
];

function* entries({ interfaces }: Configuration) {
  for (const [name, entry] of Object.entries(interfaces)) yield [name, entry, memberPath('interfaces', name)] as const;
}

function* dhcpKeys(configuration: Configuration): Iterable<Finding> {
  for (const [, { ipv4 }, path] of entries(configuration)) {
    if (ipv4 === undefined || ipv4.method === 'dhcp') continue;
    for (const key of ['clientId', 'hostname'] as const) {
      if (ipv4[key] === undefined) continue;
      const allowed = `nothing with the method "${ipv4.method}", or the method "dhcp"`;
      yield { path: `${path}.ipv4.${key}`, found: ipv4[key], allowed };
    }
  }
}

function* dhcpInside(configuration: Configuration): Iterable<Finding> {
  for (const [, { ipv4, zone }, path] of entries(configuration)) {
    if (ipv4?.method !== 'dhcp' || zone === 'wan') continue;
    const found = `"dhcp" in the zone "${zone}", whose network would change with every lease and is not looked for by tunnels`;
    yield { path: `${path}.ipv4.method`, found, allowed: '"static" there, or the zone "wan"' };
  }
}

function* macAddress(configuration: Configuration): Iterable<Finding> {
  for (const [, { mac }, path] of entries(configuration)) {
    if (mac === undefined) continue;
    const isGroup = (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1;
    if (!isGroup && /[1-9a-f]/i.test(mac)) continue;
    const found = `${mac}, which is ${isGroup ? 'that of a group' : 'none'}`;
    yield { path: `${path}.mac`, found, allowed: 'the address of one device: its first octet is even' };
  }
}

function* vlanParent(configuration: Configuration): Iterable<Finding> {
  const vlans = new Set(Object.values(configuration.interfaces).flatMap(({ device, vlan }) => (vlan ? [device] : [])));
  for (const [, { device, vlan }, path] of entries(configuration)) {
    if (vlan === undefined) continue;
    const { parent } = vlan;
    const why =
      parent === device
        ? 'which is the VLAN itself'
        : vlans.has(parent)
          ? 'which is a VLAN'
          : /^(l2tp|ipsec)-|^lo$/.test(parent)
            ? 'which has no cable'
            : undefined;
    if (why === undefined) continue;
    const allowed = 'the device of a network card; the device of this interface is then any other name, such as eth0.7';
    yield { path: `${path}.vlan.parent`, found: `${parent}, ${why}`, allowed };
  }
}

function* vlanTwice(configuration: Configuration): Iterable<Finding> {
  const vlans = [...entries(configuration)].filter(([, { vlan }]) => vlan !== undefined);
  for (const [[, { vlan }, path], [earlier]] of repeated(
    vlans,
    ([, entry]) => `${entry.vlan?.parent} ${entry.vlan?.id}`,
  )) {
    const found = `${vlan?.id} of ${vlan?.parent}, which interface "${earlier}" has already`;
    yield { path: `${path}.vlan.id`, found, allowed: 'a number that no other interface has on this device' };
  }
}

function* vlanMtu(configuration: Configuration): Iterable<Finding> {
  const all = Object.values(configuration.interfaces);
  for (const [, { vlan, mtu }, path] of entries(configuration)) {
    if (vlan === undefined || mtu === undefined) continue;
    const parent = all.find(({ device }) => device === vlan.parent);
    const most = parent?.mtu ?? ETHERNET_MTU;
    if (mtu <= most) continue;
    const remedy =
      parent === undefined ? `an interface with the device ${vlan.parent} and a larger mtu` : 'a larger mtu there';
    yield {
      path: `${path}.mtu`,
      found: `${mtu}, and ${vlan.parent} carries ${most}`,
      allowed: `at most ${most}, or ${remedy}`,
    };
  }
}
