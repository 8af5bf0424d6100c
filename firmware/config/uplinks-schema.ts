/** Schema of `uplinks`: ways out, and how one is chosen. */
import Type, { type Static } from 'typebox';
import { count, flag, NAME, NAME_ALLOWED, NAME_PATTERN, secret } from './schema-parts.ts';

const PROBE_SCHEMA = Type.Object(
  {
    kind: Type.Enum(['icmp', 'dns', 'tcp', 'http'], {
      'x-priority': 'basic',
      title: 'Kind',
      description: 'What is asked: an echo, a name, a connection, or a page that answers with a status below 400.',
    }),
    target: Type.String({
      'x-priority': 'basic',
      title: 'Target',
      description: 'Address (icmp), DNS server (dns), address:port (tcp), or URL with an address as host (http).',
      pattern: '^[\\x21-\\x7e]{1,255}$',
      'x-allowed': 'an address, an address with a port, or a URL',
    }),
    name: Type.Optional(
      Type.String({
        title: 'Name',
        description: 'With "dns": which name is asked for; any answer of the server will do.',
        format: 'ip-or-host-name',
      }),
    ),
  },
  { title: 'Probe', description: 'One thing beyond the uplink that answers.', additionalProperties: false },
);

const HEALTH_SCHEMA = Type.Object(
  {
    probes: Type.Array(PROBE_SCHEMA, {
      'x-priority': 'basic',
      title: 'Probes',
      description: 'Asked in turn; without any, the gateway (or the DNS server of the provider) is asked for an echo.',
      default: [],
      maxItems: 8,
    }),
    intervalMilliseconds: count({
      title: 'Interval',
      description:
        'Between two questions on an uplink that carries traffic; a metered one that does not is asked 30 times less often.',
      default: 500,
      minimum: 100,
      maximum: 60000,
      unit: 'milliseconds',
    }),
    timeoutMilliseconds: count({
      title: 'Time-out',
      description: 'An answer that takes longer counts as lost.',
      default: 1000,
      minimum: 50,
      maximum: 30000,
      unit: 'milliseconds',
    }),
    fall: count({
      title: 'Fall',
      description: 'So many lost answers one after the other, and the uplink is left.',
      default: 3,
      minimum: 1,
      maximum: 100,
      unit: 'answers',
    }),
    rise: count({
      title: 'Rise',
      description: 'So many answers one after the other, and it is used again once its holding time is over.',
      default: 5,
      minimum: 1,
      maximum: 1000,
      unit: 'answers',
    }),
    lossPercent: count({
      title: 'Loss',
      description:
        'More lost answers than this among the last 20, and the uplink is degraded: any other that is not is preferred.',
      default: 20,
      minimum: 1,
      maximum: 100,
      unit: 'percent',
    }),
    latencyMilliseconds: count({
      title: 'Latency',
      description: 'A median above this among the last 20 answers, and the uplink is degraded.',
      default: 1000,
      minimum: 1,
      maximum: 30000,
      unit: 'milliseconds',
    }),
    holdSeconds: count({
      title: 'Holding time',
      description:
        'How long an uplink must have been well before traffic goes back to it; doubled each time it falls again soon after, up to 16 times.',
      default: 10,
      minimum: 0,
      maximum: 3600,
      unit: 'seconds',
    }),
  },
  { title: 'Health', description: 'How an uplink is judged.', default: {}, additionalProperties: false },
);

const UPLINK_SCHEMA = Type.Object(
  {
    type: Type.Enum(['ethernet', 'pppoe', 'modem'], {
      'x-priority': 'basic',
      title: 'Type',
      description:
        'An interface with an address of its own (static or DHCP), PPPoE on an interface, or a cellular modem.',
    }),
    interface: Type.Optional(
      Type.String({
        'x-priority': 'basic',
        title: 'Interface',
        description: 'With "ethernet" and "pppoe": the interface, in the zone "wan".',
        pattern: NAME_PATTERN,
        'x-allowed': NAME_ALLOWED,
        'x-refers-to': 'interfaces.NAME',
      }),
    ),
    modem: Type.Optional(
      Type.String({
        'x-priority': 'basic',
        title: 'Modem',
        description: 'With "modem": which one.',
        pattern: NAME_PATTERN,
        'x-allowed': NAME_ALLOWED,
        'x-refers-to': 'modems.NAME',
      }),
    ),
    priority: count({
      'x-priority': 'basic',
      title: 'Priority',
      description: 'The uplink with the lowest number that is well carries the traffic.',
      default: 10,
      minimum: 1,
      maximum: 100,
      unit: 'rank',
    }),
    weight: count({
      title: 'Weight',
      description:
        'Uplinks of the same priority that are well share new connections by their weights; VPNs go by the one with the most.',
      default: 1,
      minimum: 1,
      maximum: 100,
      unit: 'parts',
    }),
    metered: flag({
      title: 'Metered',
      description: 'Traffic costs money: it is probed seldom while another uplink carries the traffic.',
      default: false,
    }),
    standby: Type.Enum(['warm', 'cold'], {
      title: 'Standby',
      description: '"warm" is connected all the time, "cold" only while no better uplink is well.',
      default: 'warm',
    }),
    user: Type.Optional(
      Type.String({ 'x-priority': 'basic', title: 'User', description: 'With "pppoe".', format: 'ppp-credential' }),
    ),
    password: Type.Optional(secret({ 'x-priority': 'basic', title: 'Password', description: 'With "pppoe".' })),
    serviceName: Type.Optional(
      Type.String({
        title: 'Service name',
        description: 'With "pppoe": the service that is asked for; without it any.',
        pattern: '^[\\x20-\\x7e]{1,64}$',
        'x-allowed': '1 to 64 printable characters',
      }),
    ),
    accessConcentrator: Type.Optional(
      Type.String({
        title: 'Access concentrator',
        description: 'With "pppoe": the only one that is accepted; without it the first that answers.',
        pattern: '^[\\x20-\\x7e]{1,64}$',
        'x-allowed': '1 to 64 printable characters',
      }),
    ),
    mtu: Type.Optional(
      Type.Integer({
        title: 'MTU',
        description:
          'Largest packet; with "pppoe" above 1492 the other side is asked for larger frames (RFC 4638), and the interface must carry 8 octets more.',
        minimum: 576,
        maximum: 1500,
        'x-unit': 'octets',
      }),
    ),
    health: HEALTH_SCHEMA,
  },
  { title: 'Uplink', description: 'A way to the internet.', additionalProperties: false },
);

export const UPLINKS_SCHEMA = Type.Record(NAME, UPLINK_SCHEMA, {
  title: 'Uplinks',
  description:
    'Ways to the internet by name; without any, an interface of the zone "wan" with a gateway or a lease is one.',
  'x-restarts': 'An uplink that is changed hangs up and dials anew; VPNs on it move.',
  default: {},
  maxProperties: 8,
  additionalProperties: false,
  'x-allowed': NAME_ALLOWED,
});

export type UplinkConfiguration = Static<typeof UPLINK_SCHEMA>;
export type UplinkHealth = Static<typeof HEALTH_SCHEMA>;
export type UplinkProbe = Static<typeof PROBE_SCHEMA>;
