/** Rules about interfaces and static routes. */
import { contains, formatCidr, hostPrefix, lastAddress, networkOf, overlaps } from '../protocol/ip-address.ts';
import { type InterfaceNetwork, interfaceNetworks } from './interface-networks.ts';
import { itemPath, memberPath } from './json-path.ts';
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
    description: 'Address and gateway belong to the method "static"; with "none" there is neither.',
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
    description: 'Only one interface has a default gateway.',
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
  {
    name: 'route-next-hop',
    severity: 'error',
    description:
      'A static route has a gateway inside the network of an interface, or the device of an interface, or both.',
    check: routeNextHop,
  },
  {
    name: 'route-twice',
    severity: 'error',
    description:
      'Static routes and the gateway lead to each destination once for every metric, and to no network of an interface itself.',
    check: routeTwice,
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
    if (settings?.method !== 'none') continue;
    for (const key of ['address', 'gateway'] as const) {
      if (settings[key] === undefined) continue;
      const path = `${memberPath('interfaces', name)}.ipv4.${key}`;
      yield { path, found: settings[key], allowed: `no ${key} with the method "none", or the method "static"` };
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
  const withGateway = Object.entries(configuration.interfaces).filter(([, entry]) => entry.ipv4?.gateway !== undefined);
  const [first] = withGateway;
  for (const [name, entry] of withGateway.slice(1)) {
    const found = `${entry.ipv4?.gateway}, a second default gateway beside that of interface "${first?.[0]}"`;
    yield {
      path: `${memberPath('interfaces', name)}.ipv4.gateway`,
      found,
      allowed: 'one default gateway in this version',
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

function* routeNextHop(configuration: Configuration): Iterable<Finding> {
  const networks = interfaceNetworks(configuration);
  const devices = Object.values(configuration.interfaces).map((entry) => entry.device);
  for (const [index, { gateway, device }] of configuration.routes.entries()) {
    const path = itemPath('routes', index);
    if (gateway === undefined && device === undefined) {
      yield { path, found: 'neither a gateway nor a device', allowed: 'a gateway, a device, or both' };
      continue;
    }
    if (device !== undefined && !devices.includes(device)) {
      yield { path: `${path}.device`, found: device, allowed: `the device of an interface: ${devices.join(', ')}` };
    } else if (gateway !== undefined && networkBehind(networks, gateway, device) === undefined) {
      const where = device === undefined ? 'an interface' : `the interface with the device ${device}`;
      yield { path: `${path}.gateway`, found: gateway, allowed: `an address inside the network of ${where}` };
    }
  }
}

function networkBehind(
  networks: readonly InterfaceNetwork[],
  gateway: string,
  device: string | undefined,
): InterfaceNetwork | undefined {
  const address = hostPrefix(ipv4(gateway));
  return networks.find(
    (network) =>
      (device === undefined || network.device === device) &&
      network.prefix.address !== address.address &&
      contains(network.prefix, address),
  );
}

function* routeTwice(configuration: Configuration): Iterable<Finding> {
  const defaults = Object.entries(configuration.interfaces).flatMap(([name, entry]) =>
    entry.ipv4?.gateway === undefined
      ? []
      : [{ prefix: '0.0.0.0/0', metric: 0, path: `${memberPath('interfaces', name)}.ipv4.gateway` }],
  );
  const routes = configuration.routes.map((route, index) => ({
    prefix: route.prefix,
    metric: route.metric ?? 0,
    path: itemPath('routes', index),
  }));
  for (const [route, earlier] of repeated(
    [...defaults.slice(0, 1), ...routes],
    (entry) => `${entry.prefix} ${entry.metric}`,
  )) {
    const found = `${route.prefix} with metric ${route.metric}, which ${earlier.path} leads to already`;
    yield { path: `${route.path}.prefix`, found, allowed: 'each destination once for every metric' };
  }
  const networks = interfaceNetworks(configuration);
  for (const [index, route] of configuration.routes.entries()) {
    const own = networks.find((network) => formatCidr(networkOf(network.prefix)) === route.prefix);
    if (own === undefined) continue;
    const found = `${route.prefix}, the network of interface "${own.name}" itself`;
    yield { path: `${itemPath('routes', index)}.prefix`, found, allowed: 'a network that is not directly connected' };
  }
}
