/** xl2tpd and pppd in a guest, as an L2TP network server without IPsec, with the L2TP and PPP of the guest's kernel. */
import type { Guest } from './guest.ts';
import { type PppAuthentication, type PppUser, pppSecrets } from './ppp-users.ts';
import { PPPD_LOG, startXl2tpd, stopXl2tpd, tunnelSecrets, XL2TPD_CONFIGURATION, xl2tpdLogs } from './xl2tpd.ts';

export interface Xl2tpdLnsOptions {
  readonly users: readonly PppUser[];
  /** The one method that it asks for; `any` lets the client choose. Default: `any`. */
  readonly authentication?: PppAuthentication | 'any';
  /** Tunnel secret; with one, the client is challenged (RFC 2661, 5.1.1). Default: none. */
  readonly secret?: string;
  /** First and last address given to clients. Default: `10.99.0.10-10.99.0.60`. */
  readonly pool?: string;
  /** Its own address inside the tunnels. Default: `10.99.0.1`. */
  readonly insideAddress?: string;
  /** Name servers told to clients. Default: its own inside address. */
  readonly dns?: readonly string[];
  /** MTU and MRU of the PPP links, in octets. Default: 1400. */
  readonly mtu?: number;
  /** Its name in LCP and CHAP. Default: `lns`. */
  readonly name?: string;
}

export interface Xl2tpdLns {
  /** Its address inside the tunnels. */
  readonly insideAddress: string;
  /** What xl2tpd and pppd have logged. */
  log(): string;
  /** Ends it in good order: clients are told. */
  stop(): Promise<void>;
}

const REQUIRE: Readonly<Record<PppAuthentication | 'any', string>> = {
  pap: 'require-pap',
  chap: 'require-chap',
  mschapv1: 'require-mschap',
  mschapv2: 'require-mschap-v2',
  eap: 'require-eap',
  any: 'auth',
};

/**
 * Starts the server in `guest`, and returns when it listens on UDP 1701 of all the guest's addresses.
 * @throws LabError with the end of its log when it does not
 */
export async function startXl2tpdLns(guest: Guest, options: Xl2tpdLnsOptions): Promise<Xl2tpdLns> {
  const { insideAddress = '10.99.0.1', name = 'lns', mtu = 1400, authentication = 'any' } = options;
  const pppOptions = '/etc/ppp/options.lns';
  const secrets = pppSecrets(options.users);
  await startXl2tpd(guest, [
    {
      path: XL2TPD_CONFIGURATION,
      content: `[global]
port = 1701
access control = no
debug tunnel = yes
debug state = yes
[lns default]
ip range = ${options.pool ?? '10.99.0.10-10.99.0.60'}
local ip = ${insideAddress}
name = ${name}
require authentication = yes
challenge = ${options.secret === undefined ? 'no' : 'yes'}
length bit = yes
pppoptfile = ${pppOptions}
`,
    },
    ...tunnelSecrets(options.secret),
    {
      path: pppOptions,
      content: [
        REQUIRE[authentication],
        `name ${name}`,
        `mtu ${mtu}`,
        `mru ${mtu}`,
        ...(options.dns ?? [insideAddress]).map((server) => `ms-dns ${server}`),
        'lcp-echo-interval 10',
        'lcp-echo-failure 4',
        'lcp-restart 1', // the first request may come before the client listens
        'nodefaultroute',
        'noproxyarp',
        'noccp',
        '+ipv6',
        'noipdefault',
        'debug',
        `logfile /lab/${PPPD_LOG}.log`,
        '',
      ].join('\n'),
    },
    { path: '/etc/ppp/pap-secrets', content: secrets },
    { path: '/etc/ppp/chap-secrets', content: secrets },
  ]);
  return { insideAddress, log: () => xl2tpdLogs(guest), stop: () => stopXl2tpd(guest) };
}
