/** Rules about interfaces and their IPv4 addresses. */
import { contains, formatCidr, hostPrefix, lastAddress, networkOf, overlaps } from '../protocol/ip-address.ts';
import { interfaceNetworks } from './interface-networks.ts';
import { memberPath } from './json-path.ts';
import { type ConfigurationRule, type Finding, ipv4, isHostAddress, repeated } from './rule.ts';
import type { Configuration } from './schema.ts';

/** From this length on a network has no network and broadcast address of its own (RFC 3021). */
const POINT_TO_POINT_LENGTH = 31;

export const INTERFACE_RULES: readonly ConfigurationRule[] = [
  {
    name: 'static-needs-address',
    severity: 'error',
    description: 'An interface with the method "static" has an address.',
    check: staticNeedsAddress,
  },
  {
    name: 'address-without-static',
    severity: 'error',
    description: 'Address and gateway belong to the method "static"; with "dhcp" and "none" there is neither.',
    check: addressWithoutStatic,
  },
  {
    name: 'interface-address',
    severity: 'error',
    description:
      'An IPv4 address of an interface is that of a host: not the first or last of the network, nor loopback, multicast or ' +
      'reserved.',
    check: usableAddress,
  },
  {
    name: 'gateway-in-network',
    severity: 'error',
    description: 'A gateway is another router inside the network of its interface.',
    check: gatewayInNetwork,
  },
  {
    name: 'one-gateway',
    severity: 'error',
    description: 'Only one interface has a default gateway, but for those of uplinks.',
    check: oneGateway,
  },
  {
    name: 'networks-overlap',
    severity: 'error',
    description:
      'The IPv4 networks of the interfaces do not overlap; a LAN inside the network of the WAN could not be reached.',
    check: networksOverlap,
  },
  {
    name: 'device-twice',
    severity: 'error',
    description: 'Each device belongs to one interface.',
    check: deviceTwice,
  },
  {
    name: 'device-of-tunnel',
    severity: 'error',
    description: 'An interface is not the loopback device, nor one of those that the router makes for its tunnels.',
    check: deviceOfTunnel,
  },
];

function* staticNeedsAddress(configuration: Configuration): Iterable<Finding> {
  for (const [name, { ipv4: settings }] of Object.entries(configuration.interfaces)) {
    if (settings?.method === 'static' && settings.address === undefined) {
      const allowed = 'with the method "static", an address such as 192.168.12.1/24';
      yield { path: `${memberPath('interfaces', name)}.ipv4.address`, found: 'nothing', allowed };
    }
  }
}

function* addressWithoutStatic(configuration: Configuration): Iterable<Finding> {
  for (const [name, { ipv4: settings }] of Object.entries(configuration.interfaces)) {
    if (settings === undefined || settings.method === 'static') continue;
    for (const key of ['address', 'gateway'] as const) {
      if (settings[key] === undefined) continue;
      const path = `${memberPath('interfaces', name)}.ipv4.${key}`;
      yield {
        path,
        found: settings[key],
        allowed: `no ${key} with the method "${settings.method}", or the method "static"`,
      };
    }
  }
}

function* usableAddress(configuration: Configuration): Iterable<Finding> {
  for (const { path, prefix } of interfaceNetworks(configuration)) {
    const isEnd =
      prefix.length < POINT_TO_POINT_LENGTH &&
      (prefix.address === networkOf(prefix).address || prefix.address === lastAddress(prefix));
    if (isEnd) {
      const found = `${formatCidr(prefix)}, which is the network's own or its broadcast address`;
      yield { path, found, allowed: 'the address of a host in the network' };
    } else if (!isHostAddress(prefix.address)) {
      const found = `${formatCidr(prefix)}, which is loopback, multicast or reserved`;
      yield { path, found, allowed: 'the address of a host' };
    }
  }
}

function* gatewayInNetwork(configuration: Configuration): Iterable<Finding> {
  for (const { name, prefix } of interfaceNetworks(configuration)) {
    const gateway = configuration.interfaces[name]?.ipv4?.gateway;
    if (gateway === undefined) continue;
    const path = `${memberPath('interfaces', name)}.ipv4.gateway`;
    if (!contains(prefix, hostPrefix(ipv4(gateway)))) {
      const allowed = `an address inside ${formatCidr(networkOf(prefix))}, the interface's network`;
      yield { path, found: gateway, allowed };
    } else if (ipv4(gateway) === prefix.address) {
      yield { path, found: `${gateway}, which is this router's own address`, allowed: 'the address of another router' };
    }
  }
}

function* oneGateway(configuration: Configuration): Iterable<Finding> {
  // With uplinks, rules of their own say which gateways there are.
  if (Object.keys(configuration.uplinks).length > 0) return;
  const withGateway = Object.entries(configuration.interfaces).filter(([, entry]) => entry.ipv4?.gateway !== undefined);
  const [first] = withGateway;
  for (const [name, entry] of withGateway.slice(1)) {
    const found = `${entry.ipv4?.gateway}, a second default gateway beside that of interface "${first?.[0]}"`;
    yield {
      path: `${memberPath('interfaces', name)}.ipv4.gateway`,
      found,
      allowed: 'one default gateway, or an entry of uplinks for each of the interfaces',
    };
  }
}

function* networksOverlap(configuration: Configuration): Iterable<Finding> {
  const networks = interfaceNetworks(configuration);
  for (const [index, network] of networks.entries()) {
    const other = networks.slice(0, index).find((earlier) => overlaps(earlier.prefix, network.prefix));
    if (other === undefined) continue;
    const theirs = `${formatCidr(other.prefix)} of interface "${other.name}"`;
    const found = `${formatCidr(network.prefix)}, which overlaps ${theirs}`;
    yield { path: network.path, found, allowed: 'a network of its own for every interface' };
  }
}

function* deviceTwice(configuration: Configuration): Iterable<Finding> {
  const entries = Object.entries(configuration.interfaces);
  for (const [[name, entry], [earlier]] of repeated(entries, ([, { device }]) => device)) {
    const found = `${entry.device}, which interface "${earlier}" has already`;
    yield { path: `${memberPath('interfaces', name)}.device`, found, allowed: 'a device that no other interface uses' };
  }
}

function* deviceOfTunnel(configuration: Configuration): Iterable<Finding> {
  for (const [name, { device }] of Object.entries(configuration.interfaces)) {
    if (!/^(l2tp|ipsec)-|^lo$/.test(device)) continue;
    const allowed =
      'a device other than lo whose name does not begin with "l2tp-" or "ipsec-", which this router makes';
    yield { path: `${memberPath('interfaces', name)}.device`, found: device, allowed };
  }
}
