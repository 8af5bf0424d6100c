/** Schema of `system`, `interfaces` and `routes`. */
import Type, { type Static } from 'typebox';
import { CONSOLE_SCHEMA } from './console-schema.ts';
import { METRICS_SCHEMA, SYSLOG_SCHEMA } from './monitoring-schema.ts';
import { device, ipAddress, ipv4Address, ipv4Network, NAME, NAME_ALLOWED } from './schema-parts.ts';

export const SYSTEM_SCHEMA = Type.Object(
  {
    hostname: Type.String({
      'x-priority': 'basic',
      title: 'Host name',
      description: 'How this router calls itself: in its prompt, its log and the L2TP Host Name.',
      'x-restarts': 'Every L2TP client dials anew, and every L2TP server starts anew.',
      default: 'culvert',
      pattern: '^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$',
      'x-allowed': 'one label of 1 to 63 letters, digits and hyphens, no hyphen first or last',
    }),
    syslog: SYSLOG_SCHEMA,
    metrics: Type.Optional(METRICS_SCHEMA),
    console: CONSOLE_SCHEMA,
  },
  { title: 'System', description: 'The router itself.', default: {}, additionalProperties: false },
);

const INTERFACE_IPV4_SCHEMA = Type.Object(
  {
    method: Type.Enum(['static', 'dhcp', 'none'], {
      'x-priority': 'basic',
      title: 'Method',
      description:
        'Where the address comes from: "static" takes it from here, "dhcp" from a server, "none" leaves the interface as it is.',
    }),
    address: Type.Optional(
      Type.String({
        'x-priority': 'basic',
        title: 'Address',
        description: 'The address of this router on the interface, with the prefix length of the network.',
        format: 'ipv4-interface',
      }),
    ),
    gateway: Type.Optional(
      ipv4Address({
        'x-priority': 'basic',
        title: 'Gateway',
        description: 'The default router: an address inside the network.',
      }),
    ),
    clientId: Type.Optional(
      Type.String({
        title: 'Client identifier',
        description:
          'With "dhcp": how the server knows this router, instead of an identifier made of the MAC address (RFC 4361). Two octets ' +
          'or more in hexadecimal with colons are sent as they stand; anything else is sent as text.',
        pattern: '^[\\x20-\\x7e]{1,64}$',
        'x-allowed': '1 to 64 printable characters, or octets such as 01:52:54:00:12:34:56',
      }),
    ),
    hostname: Type.Optional(
      Type.String({
        title: 'Host name',
        description: 'With "dhcp": the name that is told to the server; without it none.',
        pattern: '^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$',
        'x-allowed': 'one label of 1 to 63 letters, digits and hyphens, no hyphen first or last',
      }),
    ),
    dns: Type.Array(ipAddress({ title: 'DNS server', description: 'Address of a DNS server.' }), {
      'x-priority': 'basic',
      title: 'DNS servers',
      description:
        'Asked for the names of VPN servers, instead of those that a DHCP server names; without any, those of the operating system are asked.',
      default: [],
      maxItems: 3,
      uniqueItems: true,
    }),
  },
  { title: 'IPv4', description: 'IPv4 on this interface.', additionalProperties: false },
);

const INTERFACE_IPV6_SCHEMA = Type.Object(
  {
    address: Type.String({
      title: 'Address',
      description: 'The address of this router on the interface, with the prefix length of the network.',
      format: 'ipv6-interface',
    }),
  },
  {
    title: 'IPv6',
    description: 'IPv6 on this interface, beside what the system gives it.',
    additionalProperties: false,
  },
);

const VLAN_SCHEMA = Type.Object(
  {
    parent: device({
      title: 'Parent',
      description: 'The device on whose cable the VLAN is; it is set up with it, and may have an interface of its own.',
    }),
    id: Type.Integer({
      title: 'Number',
      description: 'The number in the tag of its frames (802.1Q).',
      minimum: 1,
      maximum: 4094,
    }),
  },
  {
    title: 'VLAN',
    description: 'The device is a VLAN, which the router makes and removes: any name that is not taken will do.',
    additionalProperties: false,
  },
);

const INTERFACE_SCHEMA = Type.Object(
  {
    device: device({ 'x-priority': 'basic', title: 'Device', description: 'The network device of the kernel.' }),
    zone: Type.Enum(['wan', 'lan', 'management'], {
      'x-priority': 'basic',
      title: 'Zone',
      description: 'What is on the other side: the outside, the branch network, or those who manage the router.',
    }),
    mtu: Type.Optional(
      Type.Integer({
        title: 'MTU',
        description: 'Largest packet; without it the device keeps the one it has.',
        minimum: 576,
        maximum: 65535,
        'x-unit': 'octets',
      }),
    ),
    mac: Type.Optional(
      Type.String({
        title: 'MAC address',
        description:
          'Which the device has instead of its own, for a provider that knows another one. While it is changed, the device is down.',
        pattern: '^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$',
        'x-allowed': 'six octets in hexadecimal with colons such as 02:00:00:12:34:56',
      }),
    ),
    vlan: Type.Optional(VLAN_SCHEMA),
    ipv4: Type.Optional(INTERFACE_IPV4_SCHEMA),
    ipv6: Type.Optional(INTERFACE_IPV6_SCHEMA),
  },
  { title: 'Interface', description: 'A network interface and its addresses.', additionalProperties: false },
);

export const INTERFACES_SCHEMA = Type.Record(NAME, INTERFACE_SCHEMA, {
  title: 'Interfaces',
  description: 'Network interfaces by name.',
  'x-restarts': 'Addresses and routes change at once; tunnels stay up as long as their way out is the same.',
  default: {},
  maxProperties: 64,
  additionalProperties: false,
  'x-allowed': NAME_ALLOWED,
});

const STATIC_ROUTE_SCHEMA = Type.Object(
  {
    prefix: ipv4Network({ 'x-priority': 'basic', title: 'Destination', description: 'Where the route leads.' }),
    gateway: Type.Optional(
      ipv4Address({
        'x-priority': 'basic',
        title: 'Gateway',
        description: 'The next router, inside the network of an interface.',
      }),
    ),
    device: Type.Optional(
      device({
        title: 'Device',
        description: 'The device of an interface; found by the gateway when it is left out.',
        'x-refers-to': 'interfaces.NAME.device',
      }),
    ),
    metric: Type.Optional(
      Type.Integer({
        title: 'Metric',
        description: 'Of two routes to the same destination the one with the lower metric is taken.',
        minimum: 0,
        maximum: 4294967294,
      }),
    ),
  },
  { title: 'Static route', description: 'A route in the main table.', additionalProperties: false },
);

export const ROUTES_SCHEMA = Type.Array(STATIC_ROUTE_SCHEMA, {
  title: 'Static routes',
  description: 'Routes to networks behind other routers.',
  'x-restarts': 'Nothing; routes change at once.',
  default: [],
  maxItems: 256,
});

export type InterfaceConfiguration = Static<typeof INTERFACE_SCHEMA>;
export type StaticRoute = Static<typeof STATIC_ROUTE_SCHEMA>;
