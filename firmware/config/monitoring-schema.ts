/** Schema of `system.syslog` and `system.metrics`: what leaves the box for monitoring. */
import Type, { type Static } from 'typebox';
import { FACILITIES, type Facility } from '../protocol/syslog/priority.ts';
import { ipAddress, NAME, NAME_ALLOWED, port, secret } from './schema-parts.ts';

/** Ports of syslog where none is given: RFC 5426 section 3.3, IANA's syslog-conn, RFC 5425 section 4.1. */
export const SYSLOG_PORTS = { udp: 514, tcp: 601, tls: 6514 } as const;

const SYSLOG_SERVER_SCHEMA = Type.Object(
  {
    address: Type.String({
      title: 'Address',
      description: 'Address or name of the syslog server.',
      format: 'ip-or-host-name',
    }),
    transport: Type.Enum(['udp', 'tcp', 'tls'], {
      title: 'Transport',
      description:
        'How log lines get there: "udp" (RFC 5426) loses some without a word, "tcp" counts octets (RFC 6587), "tls" also ' +
        'encrypts and checks who the server is (RFC 5425).',
      default: 'udp',
    }),
    port: Type.Optional(
      Type.Integer({
        title: 'Port',
        description: 'Port of the server; otherwise 514 with UDP, 601 with TCP and 6514 with TLS.',
        minimum: 1,
        maximum: 65535,
      }),
    ),
    level: Type.Enum(['info', 'warn', 'error'], {
      title: 'Level',
      description: 'The least grave lines that are sent.',
      default: 'info',
    }),
    facility: Type.Enum(Object.keys(FACILITIES) as Facility[], {
      title: 'Facility',
      description: 'By which the server tells lines of routers from others (RFC 5424 section 6.2.1).',
      default: 'daemon',
    }),
    route: Type.Enum(['uplink', 'tunnels'], {
      title: 'Route',
      description:
        'The way to the server: "uplink" never enters a tunnel, so that the log tells why a tunnel is down; "tunnels" follows ' +
        'all routes, for a server behind one.',
      default: 'uplink',
    }),
    ca: Type.Optional(
      Type.String({
        title: 'Authority',
        description:
          'With TLS, certificates of the authorities that may vouch for the server, PEM; otherwise those that the system knows.',
        format: 'pem-certificates',
      }),
    ),
    serverName: Type.Optional(
      Type.String({
        title: 'Server name',
        description:
          'With TLS, the name or address that the certificate of the server has to have; otherwise "address".',
        format: 'ip-or-host-name',
      }),
    ),
  },
  {
    title: 'Syslog server',
    description: 'A server that gets the log, as RFC 5424 has it.',
    additionalProperties: false,
  },
);

export const SYSLOG_SCHEMA = Type.Record(NAME, SYSLOG_SERVER_SCHEMA, {
  title: 'Remote syslog',
  description: 'Servers that get the log of this router, by name; the lines since its start are among them.',
  'x-restarts': 'Nothing; lines that wait for a server are sent with its new settings.',
  default: {},
  maxProperties: 4,
  additionalProperties: false,
  'x-allowed': NAME_ALLOWED,
});

export const METRICS_SCHEMA = Type.Object(
  {
    listen: ipAddress({
      title: 'Listen address',
      description: 'Address of this router on which Prometheus asks, such as that of the LAN, or 127.0.0.1.',
    }),
    port: port({ title: 'Port', description: 'TCP port on which Prometheus asks.', default: 9190 }),
    token: Type.Optional(
      secret({
        title: 'Bearer token',
        description: 'Asked of whoever wants to read (Authorization: Bearer); without it everybody there may.',
      }),
    ),
  },
  {
    title: 'Metrics',
    description:
      'Counters for Prometheus, at /metrics of a listener of their own, without TLS; there is none without this.',
    'x-restarts': 'The listener alone.',
    additionalProperties: false,
  },
);

export type SyslogServerConfiguration = Static<typeof SYSLOG_SERVER_SCHEMA>;
export type MetricsConfiguration = Static<typeof METRICS_SCHEMA>;
