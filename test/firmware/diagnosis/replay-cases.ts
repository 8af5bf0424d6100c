/** Failures on the wire that no peer of the lab shows, written by the codecs, and which known failure each is. */
import { concatBytes } from '../../../firmware/protocol/bytes.ts';
import { encodeControlMessage } from '../../../firmware/protocol/l2tp/control-message.ts';
import { ipv4, udp } from '../../support/capture-builder.ts';
import {
  ACK,
  address,
  counted,
  DEMANDS_CHAP,
  DEMANDS_MSCHAPV2,
  DEMANDS_PAP,
  ECHO,
  magic,
  NAK,
  option,
  PPP,
  PROTOCOL_REJECT,
  REJECT,
  REQUEST,
  TERMINATE,
  Wire,
} from './replay/wire.ts';

const text = (words: string): Uint8Array => Buffer.from(words);
const MRU = option(1, 0x05, 0xdc);
const PAP_REQUEST = concatBytes(counted('alice'), counted('pw'));
const CHALLENGE = concatBytes(Uint8Array.from([16]), new Uint8Array(16), text('lns'));
const RESPONSE = concatBytes(Uint8Array.from([49]), new Uint8Array(49), text('alice'));
const MD5_RESPONSE = concatBytes(Uint8Array.from([16]), new Uint8Array(16), text('alice'));

const proved = (): Wire =>
  new Wire().session().lcp(DEMANDS_PAP).ppp('client', PPP.pap, 1, PAP_REQUEST).ppp('server', PPP.pap, 2, counted(''));
const mschap = (message: string): Wire =>
  new Wire()
    .session()
    .lcp(DEMANDS_MSCHAPV2)
    .ppp('server', PPP.chap, 1, CHALLENGE)
    .ppp('client', PPP.chap, 2, RESPONSE)
    .ppp('server', PPP.chap, 4, text(message));
const refused = (code: number): Wire => mschap(`E=${code} R=0 C=00 V=3 M=no`);

function requests(wire: Wire, ends: readonly ('client' | 'server')[], options: (end: string) => Uint8Array): Wire {
  for (let time = 0; time < 4; time += 1) {
    for (const end of ends) wire.ppp(end, PPP.lcp, REQUEST, options(end), time);
    wire.wait(1000);
  }
  return wire;
}

/** ICMP "destination unreachable" from a router on the way. */
function unreachable(wire: Wire, code: number): Wire {
  const icmp = Uint8Array.from([3, code, ...new Uint8Array(34)]);
  return wire.raw(ipv4(icmp, { source: '10.20.0.1', destination: '10.20.0.9', protocol: 1 }));
}

/** A question to a server that does not answer. */
function question(port: number): Wire {
  const octets = udp(new Uint8Array(30), 40_000, port);
  return new Wire().raw(ipv4(octets, { source: '10.20.0.2', destination: '10.20.0.53' })).again(2);
}

function echoes(length: number, answered: boolean): Wire {
  const wire = proved().ipcp().echo('client', false).echo('server', true);
  for (let time = 0; time < 3; time += 1) {
    wire.echo('client', false, length);
    if (answered) wire.echo('server', true, length);
  }
  return wire;
}

/** Known failure, and what went over the wire. */
export const REPLAY_CASES: readonly (readonly [string, () => Wire])[] = [
  ['l2tp-silent', () => new Wire().sccrq().again(3)],
  ['l2tp-port-closed', () => unreachable(new Wire().sccrq().again(2), 3)],
  ['host-unreachable', () => unreachable(new Wire().sccrq().again(2), 1)],
  ['no-route', () => unreachable(new Wire().sccrq().again(2), 0)],
  ['prohibited', () => unreachable(new Wire().sccrq().again(2), 13)],
  ['l2tp-no-sccrp', () => new Wire().sccrq().zlb('server').wait(5000).stop('client', 1).again(3)],
  ['l2tp-answers-lost', () => new Wire().sccrq().sccrp().again(3)],
  ['stop-general-error', () => new Wire().sccrq().stop('server', 2, 6)],
  ['tunnel-limit', () => new Wire().sccrq().stop('server', 2, 4)],
  ['stop-try-another', () => new Wire().sccrq().stop('server', 2, 7)],
  ['stop-unknown-avp', () => new Wire().sccrq().stop('server', 2, 8)],
  ['stop-already-exists', () => new Wire().sccrq().stop('server', 3)],
  ['stop-not-authorized', () => new Wire().sccrq().stop('server', 4)],
  ['stop-version', () => new Wire().sccrq().stop('server', 5, 0x0100)],
  ['stop-shutting-down', () => new Wire().sccrq().stop('server', 6)],
  ['stop-state-machine', () => new Wire().sccrq().stop('server', 7)],
  ['stop-closed', () => new Wire().tunnel().stop('server', 1)],
  [
    'tunnel-secret-wrong',
    () =>
      new Wire()
        .sccrq({ challenge: new Uint8Array(16) })
        .sccrp({ challengeResponse: new Uint8Array(16) })
        .stop('client', 4),
  ],
  [
    'tunnel-secret-missing-there',
    () =>
      new Wire()
        .sccrq({ challenge: new Uint8Array(16) })
        .sccrp()
        .stop('client', 4),
  ],
  [
    'tunnel-secret-missing-here',
    () =>
      new Wire()
        .sccrq()
        .sccrp({ challenge: new Uint8Array(16) })
        .stop('client', 4),
  ],
  ['hello-lost', () => new Wire().session().control('client', 'HELLO', {}).again(4)],
  ['l2tp-peer-restarted', () => new Wire().tunnel().wait(9000).sccrq({ assignedTunnelId: 99 })],
  ['tunnel-ids-again', twoTunnels],
  ['l2tp-call-unanswered', () => new Wire().tunnel().icrq().zlb('server').wait(5000).zlb('client')],
  ['cdn-carrier', () => new Wire().tunnel().icrq().icrp().cdn('server', 1)],
  ['cdn-general-error', () => new Wire().tunnel().icrq().icrp().cdn('server', 2, 3)],
  ['session-limit', () => new Wire().tunnel().icrq().icrp().cdn('server', 2, 4)],
  ['cdn-administrative', () => new Wire().tunnel().icrq().icrp().cdn('server', 3)],
  ['cdn-no-facilities-now', () => new Wire().tunnel().icrq().icrp().cdn('server', 4)],
  ['cdn-no-facilities-ever', () => new Wire().tunnel().icrq().icrp().cdn('server', 5)],
  ['cdn-invalid-destination', () => new Wire().tunnel().icrq().icrp().cdn('server', 6)],
  ['cdn-line', () => new Wire().tunnel().icrq().icrp().cdn('server', 8)],
  ['lcp-no-answer', () => requests(new Wire().session(), ['client'], () => magic(1))],
  ['lcp-deaf', () => requests(new Wire().session(), ['client', 'server'], (end) => magic(end === 'client' ? 1 : 2))],
  ['lcp-loop', () => requests(new Wire().session(), ['client', 'server'], () => magic(7))],
  [
    'lcp-mru',
    () => {
      const wire = new Wire().session().ppp('server', PPP.lcp, REQUEST).ppp('client', PPP.lcp, ACK);
      for (let time = 0; time < 4; time += 1) {
        wire.ppp('client', PPP.lcp, REQUEST, MRU).ppp('server', PPP.lcp, NAK, option(1, 0x02, 0x40));
      }
      return wire;
    },
  ],
  [
    'lcp-stuck',
    () => {
      const wire = new Wire().session();
      for (let time = 0; time < 4; time += 1) {
        wire.ppp('client', PPP.lcp, REQUEST, magic(1)).ppp('server', PPP.lcp, REJECT, magic(1));
        wire.ppp('server', PPP.lcp, REQUEST, option(13, 6)).ppp('client', PPP.lcp, REJECT, option(13, 6));
      }
      return wire;
    },
  ],
  [
    'auth-protocol-refused',
    () =>
      new Wire()
        .session()
        .ppp('server', PPP.lcp, REQUEST, DEMANDS_PAP)
        .ppp('client', PPP.lcp, NAK, DEMANDS_MSCHAPV2)
        .ppp('server', PPP.lcp, TERMINATE)
        .wait(4000)
        .zlb('server'),
  ],
  ['auth-646', () => refused(646)],
  ['auth-647', () => refused(647)],
  ['auth-648', () => refused(648)],
  ['auth-649', () => refused(649)],
  ['auth-691', () => refused(691)],
  ['auth-709', () => refused(709)],
  ['mschap-refused', () => mschap('no')],
  [
    'pap-refused',
    () =>
      new Wire()
        .session()
        .lcp(DEMANDS_PAP)
        .ppp('client', PPP.pap, 1, PAP_REQUEST)
        .ppp('server', PPP.pap, 3, counted('no')),
  ],
  [
    'chap-refused',
    () =>
      new Wire()
        .session()
        .lcp(DEMANDS_CHAP)
        .ppp('server', PPP.chap, 1, CHALLENGE)
        .ppp('client', PPP.chap, 2, MD5_RESPONSE)
        .ppp('server', PPP.chap, 4, text('no')),
  ],
  [
    'radius-silent',
    () => new Wire().session().lcp(DEMANDS_PAP).ppp('client', PPP.pap, 1, PAP_REQUEST).again(3).wait(500),
  ],
  [
    'hung-up-authenticating',
    () => new Wire().session().lcp(DEMANDS_PAP).ppp('client', PPP.pap, 1, PAP_REQUEST).cdn('server', 1),
  ],
  [
    'mppe-demanded',
    () =>
      proved()
        .ppp('server', PPP.ccp, REQUEST, option(18, 1, 0, 0, 0x40))
        .ppp('client', PPP.lcp, PROTOCOL_REJECT, Uint8Array.from([0x80, 0xfd]))
        .ppp('server', PPP.lcp, TERMINATE, text('MPPE required but peer negotiation failed')),
  ],
  ['pool-empty', () => proved().ppp('server', PPP.lcp, TERMINATE, text('no address left in the pool'))],
  [
    'ipcp-no-address',
    () => proved().ppp('client', PPP.ipcp, REQUEST, address(0)).ppp('server', PPP.ipcp, REJECT, address(0)),
  ],
  ['ipcp-refused', () => proved().ppp('server', PPP.lcp, PROTOCOL_REJECT, Uint8Array.from([0x80, 0x21]))],
  ['ipcp-silent', () => proved().ppp('client', PPP.ipcp, REQUEST, address(0)).again(4)],
  [
    'ipcp-dispute',
    () => {
      const wire = proved();
      for (let time = 0; time < 5; time += 1) {
        wire.ppp('client', PPP.ipcp, REQUEST, address(10)).ppp('server', PPP.ipcp, NAK, address(20)).wait(1000);
      }
      return wire;
    },
  ],
  [
    'ipv6cp-refused',
    () =>
      proved()
        .ipcp()
        .ppp('server', PPP.lcp, PROTOCOL_REJECT, Uint8Array.from([0x80, 0x57])),
  ],
  [
    'echo-lost',
    () => {
      const wire = proved().ipcp();
      for (let time = 0; time < 4; time += 1) wire.ppp('client', PPP.lcp, ECHO, new Uint8Array(4), time).wait(1000);
      return wire;
    },
  ],
  ['idle-time-out', () => proved().ipcp().ppp('server', PPP.lcp, TERMINATE, text('Idle timeout'))],
  ['link-closed', () => proved().ipcp().ppp('server', PPP.lcp, TERMINATE, text('bye'))],
  ['one-way-traffic', () => proved().ipcp().echo('client', false).echo('client', false).echo('client', false)],
  ['mtu-black-hole', () => echoes(1372, false)],
  ['dns-silent', () => question(53)],
  ['radius-silent', () => question(1812)],
  ['fragments-lost', () => new Wire().raw(firstFragment())],
];

/** Another client out of the same NAT is given the Tunnel ID that the first one has. */
function twoTunnels(): Wire {
  const ids = { tunnelId: 0, sessionId: 0, ns: 0, nr: 0 };
  const start = { protocolVersion: { version: 1, revision: 0 }, hostName: 'x', framingCapabilities: 3 };
  const request = encodeControlMessage(ids, 'SCCRQ', { ...start, assignedTunnelId: 18 });
  const reply = encodeControlMessage({ ...ids, tunnelId: 18, nr: 1 }, 'SCCRP', { ...start, assignedTunnelId: 23 });
  return new Wire()
    .tunnel()
    .raw(ipv4(udp(request, 20_001, 1701), { source: '10.20.0.9', destination: '10.20.0.2' }))
    .raw(ipv4(udp(reply, 1701, 20_001), { source: '10.20.0.2', destination: '10.20.0.9' }));
}

/** Of an SCCRQ whose rest never comes. */
function firstFragment(): Uint8Array {
  const whole = udp(Uint8Array.from([0xc8, 0x02, 0, 200, ...new Uint8Array(196)]));
  return ipv4(whole.subarray(0, 64), { more: true, id: 7 });
}

/** What is fine, and must not be blamed. */
export const HEALTHY_WIRES: readonly (readonly [string, () => Wire])[] = [
  ['a session with traffic both ways', () => echoes(1000, true)],
  [
    'a session that the client ends',
    () => echoes(64, true).cdn('client', 3).zlb('server').stop('client', 1).zlb('server'),
  ],
  ['an SCCRQ that has just been sent', () => new Wire().sccrq()],
];
