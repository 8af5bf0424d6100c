/** `show limits`: an honest word on what this router cannot do, or not fast, or not more of at a time. */
import type { KernelFeatureName, KernelReport } from '../../hal/kernel-features.ts';
import { MAX_TOKENS } from '../accounts/api-tokens.ts';
import { MAX_WAITING } from '../accounts/password-judge.ts';
import { MAX_SESSIONS } from '../accounts/session-table.ts';
import { MAX_EVENT_READERS } from '../api/event-stream.ts';
import type { LimitsStatus } from '../api/router-control.ts';
import { MAX_WEB_CONNECTIONS } from '../api/web-server.ts';
import { MAX_AUDIT } from '../config/accounts/accounts-database.ts';
import { MAX_REVISIONS } from '../config/store/store-database.ts';
import { MAX_SERIES } from '../config/traffic/traffic-rings.ts';
import { CONTROL_QUEUE } from '../dataplane/userspace/control-queue.ts';
import { LOG_RING_LINES } from '../log/ring.ts';
import { DEFAULT_LIMITS as IKEV1_LIMITS } from '../protocol/ike/v1/endpoint-types.ts';
import { DEFAULT_LIMITS as IKEV2_LIMITS } from '../protocol/ike/v2/settings.ts';
import { DEFAULT_LIMITS as L2TP_LIMITS } from '../protocol/l2tp/endpoint-settings.ts';
import { MAX_CAPTURES } from './capture-desk.ts';
import { MAX_REACHES } from './reach-desk.ts';

export interface LimitsFacts {
  readonly kernel: KernelReport;
  /** `evp` or `node:crypto`. */
  readonly cipherEngine: string;
  /** Entries at the moment. */
  readonly now: {
    readonly l2tpTunnels: number;
    readonly l2tpSessions: number;
    readonly ikeV1Sas: number;
    readonly ikeV2Sas: number;
    readonly logLines: number;
    readonly captures: number;
    readonly reaches: number;
  };
}

export function limitsStatus({ kernel, cipherEngine, now }: LimitsFacts): LimitsStatus {
  return {
    dataPlane: dataPlane(kernel),
    cipher: cipher(cipherEngine),
    offloads: OFFLOADS.map((offload) => ({ ...offload, used: false })),
    kernel: {
      release: kernel.release,
      features: kernel.features.map(({ name, state, evidence }) => ({
        name,
        state,
        evidence,
        use: FEATURES[name].use,
        meaning: state === 'absent' ? FEATURES[name].without : FEATURES[name].meaning,
      })),
    },
    tables: tables(now),
  };
}

/** What the kernel's own engine would be made of. */
const KERNEL_ENGINE: readonly KernelFeatureName[] = ['xfrm', 'esp', 'l2tp', 'ppp'];

function dataPlane({ features }: KernelReport): LimitsStatus['dataPlane'] {
  const missing = features.filter(({ name, state }) => KERNEL_ENGINE.includes(name) && state === 'absent');
  const lacks = missing.map(({ name }) => name.toUpperCase()).join(', ');
  return {
    engine: 'userspace',
    reason: `this version has no other engine${lacks === '' ? ', whatever the kernel has' : `, and the kernel lacks ${lacks}`}`,
    cost:
      'every packet of a tunnel goes through this program: two system calls and the cipher for each, all in one thread, ' +
      'so that throughput is what one processor core can do and more cores do not help; ' +
      '"scripts/bench" of the source measures it on your board',
  };
}

function cipher(engine: string): LimitsStatus['cipher'] {
  if (engine === 'evp') {
    return {
      engine,
      reason: "this Node exports OpenSSL's EVP, which is called for each packet with a key schedule that stays",
      cost: 'one foreign-function call or a few for each packet; the arithmetic is OpenSSL, with what the processor has for it',
    };
  }
  return {
    engine,
    reason: "this Node does not export OpenSSL's EVP",
    cost: 'objects are made and the key is scheduled for each packet, which is some ten times slower than EVP',
  };
}

const OFFLOADS: readonly Omit<LimitsStatus['offloads'][number], 'used'>[] = [
  {
    name: 'UDP GSO',
    reason: 'this version sends each datagram by itself',
    cost: 'a system call for each packet that is sent, where one could send some dozens',
  },
  {
    name: 'UDP GRO',
    reason: 'this version receives each datagram by itself',
    cost: 'a system call for each packet that is received',
  },
  {
    name: 'TUN vnet header',
    reason: 'this version opens its TUNs without it',
    cost: 'the kernel cuts a TCP stream into packets of the MTU before the tunnel, each of which is read and encrypted by itself',
  },
];

interface FeatureWords {
  readonly use: 'needed' | 'wanted' | 'unused';
  /** Where it is there, or may be. */
  readonly meaning: string;
  /** Where it is absent. */
  readonly without: string;
}

const OWN_ENGINE = 'Culvert does this by itself and does not use that of the kernel';

function unused(): FeatureWords {
  return { use: 'unused', meaning: OWN_ENGINE, without: OWN_ENGINE };
}

function notYet(what: string): FeatureWords {
  const meaning = `this version makes no ${what}, whatever the kernel has`;
  return { use: 'unused', meaning, without: meaning };
}

const FEATURES: Readonly<Record<KernelFeatureName, FeatureWords>> = {
  tun: { use: 'needed', meaning: 'tunnels end in it', without: 'no tunnel can come up' },
  'packet-sockets': {
    use: 'wanted',
    meaning: '"culvert capture" sees packets by them',
    without: '"culvert capture" does not work',
  },
  'policy-routing': {
    use: 'needed',
    meaning: 'what belongs into a tunnel is kept out of the default route by it',
    without: 'tunnels cannot be routed into',
  },
  nftables: {
    use: 'wanted',
    meaning: 'what comes in clear from networks behind a protected tunnel is dropped by it',
    without: 'what comes in clear from networks behind a protected tunnel cannot be dropped',
  },
  masquerade: {
    use: 'wanted',
    meaning: 'local networks go behind an address that a peer assigns by it',
    without: 'local networks cannot go behind an address that a peer assigns ("virtualAddress")',
  },
  ipv6: { use: 'wanted', meaning: 'tunnels carry IPv6', without: 'tunnels carry IPv4 alone' },
  xfrm: unused(),
  esp: unused(),
  ah: unused(),
  l2tp: unused(),
  ppp: unused(),
  pppoe: notYet('PPPoE connections'),
  vlan: notYet('VLAN interfaces'),
  bridge: notYet('bridges'),
  netem: {
    use: 'unused',
    meaning: 'only tests with bad lines would use it',
    without: 'bad lines can be tested only without it, by a program between the ends',
  },
};

function tables(now: LimitsFacts['now']): LimitsStatus['tables'] {
  const refused = 'it is refused with a reason';
  const unanswered = 'it is not answered';
  return [
    {
      name: 'l2tpTunnels',
      most: L2TP_LIMITS.tunnels,
      inUse: now.l2tpTunnels,
      what: 'L2TP tunnels of each server',
      whenFull: refused,
    },
    {
      name: 'l2tpSessions',
      most: L2TP_LIMITS.sessionsPerTunnel,
      inUse: now.l2tpSessions,
      what: 'sessions of each L2TP tunnel',
      whenFull: refused,
    },
    {
      name: 'l2tpHalfOpen',
      most: L2TP_LIMITS.halfOpenTotal,
      what: `L2TP callers of each server that have not proved anything, ${L2TP_LIMITS.halfOpenPerAddress} of one address`,
      whenFull: 'the oldest one makes room, if it has had its time',
    },
    {
      name: 'ikeV1Sas',
      most: IKEV1_LIMITS.ikeSas,
      inUse: now.ikeV1Sas,
      what: `IKE SAs of version 1, ${IKEV1_LIMITS.ikeSasPerAddress} with one address`,
      whenFull: unanswered,
    },
    {
      name: 'ikeV2Sas',
      most: IKEV2_LIMITS.ikeSas,
      inUse: now.ikeV2Sas,
      what: `IKE SAs of version 2, ${IKEV2_LIMITS.ikeSasPerAddress} with one address`,
      whenFull: unanswered,
    },
    {
      name: 'ikeV1HalfOpen',
      most: IKEV1_LIMITS.halfOpenTotal,
      what: `callers by IKEv1 that have not proved who they are, ${IKEV1_LIMITS.halfOpenPerAddress} of one address`,
      whenFull: unanswered,
    },
    {
      name: 'ikeV2HalfOpen',
      most: IKEV2_LIMITS.halfOpen,
      what: `callers by IKEv2 that have not proved who they are, ${IKEV2_LIMITS.halfOpenPerAddress} of one address`,
      whenFull: `it is not answered; from ${IKEV2_LIMITS.cookieThreshold} on a cookie is asked for`,
    },
    {
      name: 'ikeV1Children',
      most: IKEV1_LIMITS.childrenPerIkeSa,
      what: 'child SAs of each peer by IKEv1, those being replaced included',
      whenFull: unanswered,
    },
    {
      name: 'ikeV2Children',
      most: IKEV2_LIMITS.childrenPerIkeSa,
      what: 'child SAs of each IKE SA of version 2, those being replaced included',
      whenFull: refused,
    },
    {
      name: 'controlQueue',
      most: CONTROL_QUEUE,
      what: 'control messages that wait for the control thread, of which strangers can fill only a part',
      whenFull: 'it is dropped and counted; its sender repeats it',
    },
    {
      name: 'logLines',
      most: LOG_RING_LINES,
      inUse: now.logLines,
      what: 'lines of "show log"',
      whenFull: 'the oldest one goes',
    },
    { name: 'revisions', most: MAX_REVISIONS, what: 'revisions of the configuration', whenFull: 'the oldest one goes' },
    {
      name: 'trafficSeries',
      most: MAX_SERIES,
      what: 'counters whose history is kept',
      whenFull: 'it takes the place of one that is not counted any more, or has no history',
    },
    {
      name: 'eventReaders',
      most: MAX_EVENT_READERS,
      what: 'clients that follow the events',
      whenFull: refused,
    },
    {
      name: 'captures',
      most: MAX_CAPTURES,
      inUse: now.captures,
      what: 'captures at a time',
      whenFull: refused,
    },
    {
      name: 'webConnections',
      most: MAX_WEB_CONNECTIONS,
      what: 'connections to the web socket at a time',
      whenFull: 'it is closed at once',
    },
    {
      name: 'logins',
      most: MAX_WAITING,
      what: 'logins that wait for their turn, each of which takes 19 MiB for some 50 ms',
      whenFull: 'it is refused for a moment, but not on the console',
    },
    {
      name: 'loginSessions',
      most: MAX_SESSIONS,
      what: 'sessions of each user',
      whenFull: 'the one that was used longest ago ends',
    },
    { name: 'apiTokens', most: MAX_TOKENS, what: 'API tokens of all users', whenFull: refused },
    {
      name: 'auditEntries',
      most: MAX_AUDIT.change,
      what: `changes in the audit log, and ${MAX_AUDIT.login} logins`,
      whenFull: 'the oldest one goes',
    },
    {
      name: 'reaches',
      most: MAX_REACHES,
      inUse: now.reaches,
      what: 'pings and traceroutes at a time',
      whenFull: refused,
    },
  ];
}
