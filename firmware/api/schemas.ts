/** The bodies of the control API. Types ({@link ./router-control.ts}) and answers are both derived from these schemas. */
import { Type } from 'typebox';
import { LADDER } from '../diagnosis/ladder.ts';
import { authorSchema, configurationStateSchema } from './configuration-schemas.ts';
import { dslLineStatusSchema } from './dsl-schemas.ts';
import { MAX_NAME } from './limits.ts';
import { modemStatus } from './modem-schemas.ts';
import { count, text } from './schema-parts.ts';

export const nameQuery = Type.Object({
  name: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: MAX_NAME,
      description: 'Name of the file, for messages; `.json`, `.yaml` and `.yml` say what the text is.',
    }),
  ),
});

export const connectionStateSchema = Type.Enum(['down', 'connecting', 'up', 'failed']);

/** What every entry of a status list has. */
const entry = {
  name: text('Name in the configuration.'),
  state: connectionStateSchema,
  reason: Type.Optional(text('When failed: which step, what happened and why, one sentence without a full stop.')),
  remedy: Type.Optional(text('When failed: what to do about it, one sentence without a full stop.')),
};

/** A socket of the case and the cable in it. */
const port = {
  carrier: Type.Optional(Type.Boolean({ description: 'Whether there is something at the other end of the cable.' })),
  speedMegabits: Type.Optional(
    count('Millions of bits per second; absent without a link, and where there is no such speed.'),
  ),
  fullDuplex: Type.Optional(Type.Boolean()),
  role: Type.Optional(Type.Enum(['wan', 'lan'], { description: 'What the board means the port for.' })),
  label: Type.Optional(text('What is printed beside it on the case.')),
};

export const interfaceStatusSchema = Type.Object({
  ...entry,
  device: text('Name of the network device, empty while there is none.'),
  zone: text('Zone of the firewall, `wan` or `lan` and the like.'),
  addresses: Type.Array(text('CIDR, `192.0.2.1/24`.')),
  mtu: Type.Optional(count('Octets of IP packet.')),
  ...port,
  dsl: Type.Optional(dslLineStatusSchema),
});

export const networkDeviceSchema = Type.Object({
  name: text('As the kernel calls it.'),
  up: Type.Boolean(),
  mac: text('Its address, `52:54:00:00:00:01`.'),
  ...port,
});

export const uplinkStatusSchema = Type.Object({
  ...entry,
  type: Type.Enum(['ethernet', 'pppoe', 'modem']),
  interface: Type.Optional(
    text('Network device by which packets leave; while there is no link, the one that it is built on.'),
  ),
  parent: Type.Optional(text('The interface of the configuration that it is built on; a modem has none.')),
  address: Type.Optional(text('Ours, CIDR; absent while there is none.')),
  gateway: Type.Optional(text('The next router; absent on a point-to-point link.')),
  dns: Type.Array(text('Address of a DNS server of this uplink.')),
  carrying: Type.Boolean({ description: 'Whether new connections go by it: all of them, or a part by its weight.' }),
  verdict: Type.Enum(['well', 'degraded', 'recovering', 'failed', 'down'], {
    description:
      'How well it does: `recovering` answers, but not for long enough to be used; `failed` has a link and does not answer.',
  }),
  why: text('Why it is not well, and what is awaited; empty when it is well.'),
  since: Type.Number({ description: 'Wall-clock ms since 1970 at which the verdict became this one.' }),
  doing: text('What its link is doing now; empty when there is nothing to say.'),
  signalBars: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 5, description: 'How strong the signal of a modem is that is in a network.' }),
  ),
  priority: count('The lowest is the best.'),
  weight: count('Among equal priorities the highest is the best.'),
  metered: Type.Boolean(),
  standby: Type.Enum(['warm', 'cold']),
  health: Type.Object({
    lossPercent: Type.Optional(count('Of the last 20 answers at most.')),
    latencyMilliseconds: Type.Optional(Type.Number({ minimum: 0, description: 'Median of the same.' })),
    results: Type.Array(Type.Number({ minimum: -1, description: 'ms from question to answer; -1: no answer.' }), {
      description: 'The last results, oldest first.',
    }),
    silentTargets: Type.Array(text('A probe that is not answered although others are, and does not count.')),
  }),
});

export const modemStatusSchema = modemStatus(entry);

export const l2tpSessionStatusSchema = Type.Object({
  ...entry,
  sessionId: count('Our Session ID, 0 while none is assigned.'),
  peerSessionId: count("The peer's Session ID, 0 until it is known."),
  interface: text('Network device, empty until there is one.'),
  packetsReceived: Type.Optional(count('User packets from the peer.')),
  octetsReceived: Type.Optional(count('Octets of those packets.')),
  packetsSent: Type.Optional(count('User packets to the peer.')),
  octetsSent: Type.Optional(count('Octets of those packets.')),
  lost: Type.Optional(count('Numbered packets of the peer that did not come, or came too late.')),
  reordered: Type.Optional(count('Numbered packets of the peer that were overtaken and put in their place again.')),
  drops: Type.Optional(Type.Record(Type.String(), count('Packets dropped for that reason.'))),
});

export const radiusServerStatusSchema = Type.Object({
  service: Type.Enum(['authentication', 'accounting']),
  address: text('Address and port where it is asked, `192.0.2.5:1812`; its name while that is not resolved.'),
  state: Type.Enum(['untried', 'answers', 'silent']),
  requests: count('Questions or records, each counted once.'),
  retransmissions: count('How often they were sent again.'),
  answers: count('Answers that were believed.'),
  timeouts: count('Waits without an answer.'),
  duplicates: count('Answers to nothing that was asked: late, second or invented ones.'),
  unproved: count('Answers that did not prove the shared secret.'),
  malformed: count('Answers that were no RADIUS.'),
  reason: Type.Optional(text('Why the last question got no answer, one sentence without a full stop.')),
  remedy: Type.Optional(text('What to do about it, one sentence without a full stop.')),
});

export const l2tpStatusSchema = Type.Object({
  ...entry,
  role: Type.Enum(['client', 'server']),
  tunnelId: count('Our Tunnel ID, 0 while none is assigned.'),
  peerTunnelId: count("The peer's Tunnel ID, 0 until it is known."),
  peer: text(
    "The peer's address and port, `192.0.2.1:1701`; of a server that nobody called, the address it listens on.",
  ),
  peerHostName: Type.Optional(text('Host Name AVP of the peer, made printable.')),
  since: Type.Optional(Type.Number({ description: 'When this state began, wall-clock ms since 1970.' })),
  radius: Type.Optional(
    Type.Array(radiusServerStatusSchema, { description: 'Of a server whose users are judged by RADIUS.' }),
  ),
  sessions: Type.Array(l2tpSessionStatusSchema),
});

export const pppStatusSchema = Type.Object({
  ...entry,
  interface: text('Network device, empty until IPCP is open.'),
  localAddress: text('Our IPv4 address, empty until IPCP is open.'),
  peerAddress: text("The peer's IPv4 address, empty until IPCP is open."),
  dns: Type.Array(text('DNS server as the peer told it.')),
  authentication: text('`pap`, `chap`, `mschapv2`, `none`, or empty until it is done.'),
  user: Type.Optional(text('User name that was proved, to the peer or by it.')),
  mtu: Type.Optional(count('Largest IP packet towards the peer, octets.')),
  ipv6: Type.Optional(
    Type.Object(
      {
        localAddress: text('Our link-local address.'),
        peerAddress: text("The peer's link-local address."),
        addresses: Type.Array(text('Our other addresses inside: made from what the server advertises, or configured.')),
        prefix: Type.Optional(text('What a server has given to the user, `fd00:98:0:7::/64`.')),
        router: Type.Optional(text("The server's link-local address, while it says that it is a default router.")),
        dns: Type.Array(text('DNS server as the server advertises it.')),
      },
      { description: 'Present while IPv6CP is open.' },
    ),
  ),
});

export const ipsecChildStatusSchema = Type.Object({
  ...entry,
  state: Type.Enum(['down', 'connecting', 'up', 'failed'], {
    description: '`up` is the pair that is sent by; `down` one that only receives, yet or still.',
  }),
  algorithms: text('In words.'),
  inboundSpi: text('SPI of what the peer sends, eight hexadecimal digits.'),
  outboundSpi: text('SPI of what we send, eight hexadecimal digits.'),
  secondsLeft: Type.Number({ minimum: 0, description: 'Until it ends for good; it is replaced before, s.' }),
  protocol: Type.Enum(['esp', 'ah'], { description: '`ah`: authenticated, and not encrypted.' }),
  encapsulation: Type.Enum(['none', 'udp'], { description: '`udp`: ESP goes in UDP.' }),
  localSelectors: Type.Array(text('What may be sent, and where from: `10.1.0.0/16`.')),
  remoteSelectors: Type.Array(text('What may be received, and where from.')),
  packetsReceived: count('Authentic packets from the peer.'),
  octetsReceived: count('Octets of those packets.'),
  packetsSent: count('Packets to the peer.'),
  octetsSent: count('Octets of those packets.'),
  drops: Type.Record(Type.String(), count('Packets dropped for that reason.')),
});

export const ipsecStatusSchema = Type.Object({
  ...entry,
  version: Type.Integer({ minimum: 1, maximum: 2, description: 'Version of IKE.' }),
  mode: Type.Enum(['transport', 'tunnel']),
  role: Type.Enum(['initiator', 'responder']),
  peer: text("The peer's address and port; without an IKE SA the peer as configured, `any` for everybody."),
  algorithms: text('Of the IKE SA, in words; empty until they are chosen.'),
  nat: Type.Enum(['none', 'here', 'there', 'both'], { description: 'At which end there is a NAT.' }),
  note: Type.Optional(text('Something that happened to it and needs nobody to act, one sentence without a full stop.')),
  encapsulation: Type.Enum(['', 'none', 'udp'], { description: 'Of ESP or AH; empty while there is none.' }),
  peerIdentity: text('Who the peer has proved to be, made printable; empty until it has.'),
  peerUser: Type.Optional(text('The user that the peer has logged in as (EAP, XAUTH), made printable.')),
  peerImplementation: text('What the peer runs, by its vendor ids; empty when unknown.'),
  peerLooksLike: Type.Optional(
    text(
      'What the peer looks like by its first message, which anybody may imitate, and why: `Windows (its vendor id)`.',
    ),
  ),
  secondsLeft: Type.Optional(
    Type.Number({ minimum: 0, description: 'Until the IKE SA ends for good; it is replaced before, s.' }),
  ),
  since: Type.Number({ description: 'When the state of the connection began, wall-clock ms since 1970.' }),
  children: Type.Array(ipsecChildStatusSchema),
});

export const routerStatusSchema = Type.Object({
  version: text('Version of Culvert.'),
  board: text('Name of the board.'),
  hostname: text('Host name of the router.'),
  uptimeSeconds: Type.Number({ minimum: 0, description: 'Since the router was started, s.' }),
  configuration: configurationStateSchema,
  storage: Type.Object(
    {
      octetsWrittenToday: count('Since midnight UTC, as the kernel counts them.'),
      octetsPerDayLimit: count('Beyond it traffic history is no longer written down that day.'),
      history: Type.Enum(['written', 'paused']),
    },
    { description: 'What this router has written to its disk.' },
  ),
  warnings: Type.Array(Type.String(), {
    description:
      'What somebody should see to before it breaks, a sentence each: certificates that expire, a clock not set.',
  }),
  interfaces: Type.Array(interfaceStatusSchema),
  devices: Type.Array(networkDeviceSchema, {
    description: 'Network devices of the machine that have an address of their own, configured or not: no tunnels.',
  }),
  uplinks: Type.Array(uplinkStatusSchema),
  modems: Type.Array(modemStatusSchema),
  l2tp: Type.Array(l2tpStatusSchema),
  ppp: Type.Array(pppStatusSchema),
  ipsec: Type.Array(ipsecStatusSchema),
  counters: Type.Record(Type.String(), Type.Number(), { description: 'What was received and dropped, by reason.' }),
});

const trouble = Type.Optional(text('Why it cannot be used, one sentence without a full stop.'));

export const boardStatusSchema = Type.Object({
  board: text('Name of the board.'),
  description: text('What it is.'),
  leds: Type.Array(
    Type.Object({
      purpose: Type.Enum(['power', 'wan', 'vpn', 'lte', 'lan', 'status'], {
        description: 'What it tells; `status` is the first thing that is wrong.',
      }),
      device: text('Its name under `/sys/class/leds`, its GPIO line, or the file of a simulated board.'),
      by: text(
        'Who keeps it going: `kernel (timer)`, or `culvert`, without which it stands still; empty where nobody does.',
      ),
      shows: text('`lit`, `dark`, or how it blinks; empty where it cannot be used.'),
      why: text('What that means at the moment, one sentence without a full stop.'),
      reason: trouble,
    }),
  ),
  buttons: Type.Array(
    Type.Object({
      purpose: Type.Enum(['reset']),
      device: text('Where it hangs.'),
      state: Type.Enum(['free', 'held', 'stuck', 'failed'], {
        description: '`stuck`: held for longer than anybody holds a button; it means nothing until it is let go.',
      }),
      does: text('What pressing it does.'),
      reason: trouble,
    }),
  ),
  watchdog: Type.Optional(
    Type.Object(
      {
        device: text('`/dev/watchdog`.'),
        identity: text('Of its driver; empty where it cannot be used.'),
        timeoutSeconds: count('After how long without food it resets the machine, s.'),
        state: Type.Enum(['fed', 'starving', 'failed'], {
          description: '`starving`: the router is not well, and the watchdog will reset the machine.',
        }),
        reason: trouble,
      },
      { description: 'Absent where the board has none.' },
    ),
  ),
});

export const configurationProblemSchema = Type.Object({
  severity: Type.Enum(['error', 'warning'], { description: 'Only an error refuses a configuration.' }),
  rule: text('What was broken: `unknown-key`, `type`, `networks-overlap` ... Stable, for programs.'),
  path: text('JSON path, `l2tp.clients.hq.server`; empty for the file as a whole.'),
  found: text('What stands there; never a secret.'),
  allowed: text('What may stand there.'),
  suggestion: Type.Optional(text('The key or word that was probably meant.')),
});

/** RFC 7807 problem details, with this API's own members. */
export const problemSchema = Type.Object({
  type: Type.Literal('about:blank'),
  title: text('The status in words.'),
  status: Type.Integer({ minimum: 400, maximum: 599 }),
  detail: text('What went wrong and why, one sentence without a full stop.'),
  remedy: Type.Optional(text('What to do about it, one sentence without a full stop.')),
  path: Type.Optional(text('Which part of the request was malformed: `querystring.who`.')),
  step: Type.Optional(text('The step of the connection that failed.')),
  names: Type.Optional(Type.Array(text('A name that does exist.'))),
  problems: Type.Optional(Type.Array(configurationProblemSchema)),
  owner: Type.Optional(authorSchema),
  needs: Type.Optional(Type.Literal('code', { description: 'Of a login: a code of the second factor is asked for.' })),
  retryAfterSeconds: Type.Optional(count('Of 429: no attempt is looked at before, s.')),
});

export const diagnosisSchema = Type.Object({
  name: text('Name of the connection.'),
  state: connectionStateSchema,
  steps: Type.Array(
    Type.Object({
      step: Type.Enum([...LADDER]),
      state: Type.Enum(['ok', 'failed', 'not reached', 'unknown']),
      evidence: Type.Array(text('What was seen, one sentence without a full stop.')),
    }),
  ),
  findings: Type.Array(
    Type.Object({
      id: text('Of the known failure; `unknown` when it is none.'),
      step: Type.Enum([...LADDER]),
      seen: text('What was seen, one sentence without a full stop.'),
      cause: text('Why that probably is so, one sentence without a full stop.'),
      remedy: text('What to do about it, one sentence without a full stop.'),
    }),
  ),
});

export const doneSchema = Type.Object({ ok: Type.Literal(true) });

export const ipsecKeysSchema = Type.Object({
  keys: Type.Array(
    Type.Object({
      connection: text('Name of the IPsec connection.'),
      table: Type.Enum(['ikev1_decryption_table', 'ikev2_decryption_table', 'esp_sa'], {
        description: "Which of Wireshark's tables the line belongs into.",
      }),
      line: text('The line. Whoever has it reads the traffic.'),
    }),
  ),
});

export const trafficRingSchema = Type.Enum(['second', 'minute', 'hour']);

export const trafficSchema = Type.Object({
  totals: Type.Array(
    Type.Object({
      name: text('Of the counter: `interface.wan.received`, `l2tp.hq.sent` ...'),
      second: count('Octets in the last second.'),
      minute: count('Octets in the last minute.'),
      hour: count('Octets in the last hour.'),
      day: count('Octets in the last 24 hours.'),
    }),
  ),
});

export const trafficHistorySchema = Type.Object({
  startMs: Type.Number({ description: 'Wall clock of the first value, ms since 1970.' }),
  stepMs: count('Between two values, ms.'),
  values: Type.Array(Type.Union([Type.Number(), Type.Null()]), {
    description: 'Octets, the newest last; null where nothing was recorded.',
  }),
});

export const logSchema = Type.Object({ lines: Type.Array(text('One JSON object, oldest first.')) });

export const routerEventSchema = Type.Object({
  at: Type.Number({ description: 'Wall-clock ms since 1970.' }),
  connection: text('Name of the connection.'),
  kind: Type.Enum(['step', 'state', 'warning']),
  direction: Type.Optional(Type.Enum(['sent', 'received'])),
  step: Type.Optional(text('`SCCRQ`, `LCP Configure-Request` ...')),
  state: Type.Optional(connectionStateSchema),
  detail: Type.Optional(text('A sentence, made printable.')),
  sinceStartMs: Type.Optional(Type.Number({ minimum: 0, description: 'Since the attempt began, ms.' })),
});
