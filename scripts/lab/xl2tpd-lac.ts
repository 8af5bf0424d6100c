/** xl2tpd and pppd in a guest, as an L2TP client that dials a server, without IPsec. One client in each guest. */
import type { Guest } from './guest.ts';
import { type PppAuthentication, quotePppWord } from './ppp-users.ts';
import { LabError, lastLines } from './shell.ts';
import { waitFor } from './wait.ts';
import {
  PPPD_LOG,
  startXl2tpd,
  stopXl2tpd,
  tunnelSecrets,
  XL2TPD_CONFIGURATION,
  XL2TPD_CONTROL,
  xl2tpdLogs,
} from './xl2tpd.ts';

export interface Xl2tpdLacOptions {
  /** Address of the server; its port is 1701. */
  readonly server: string;
  readonly user: string;
  readonly password: string;
  /** The one method that the client agrees to; `any` takes what the server asks for. Default: `any`. */
  readonly authentication?: PppAuthentication | 'any';
  /** Tunnel secret; with one, the server is challenged (RFC 2661, 5.1.1). Default: none. */
  readonly secret?: string;
  /** Speak IPv6CP, too. Default: no. */
  readonly ipv6?: boolean;
  /** MTU and MRU of the PPP link, in octets. Default: 1400. */
  readonly mtu?: number;
  /** How long the dialling may take, in milliseconds. Default: 20 000. */
  readonly timeoutMs?: number;
}

export interface Xl2tpdLac {
  /** The PPP device in the guest. */
  readonly device: string;
  /** The IPv4 address that the server gave. */
  readonly localAddress: string;
  /** The server's IPv4 address on the link. */
  readonly peerAddress: string;
  /** What xl2tpd and pppd have logged. */
  log(): string;
  /** Hangs up in good order. */
  stop(): Promise<void>;
}

const DEVICE = 'ppp0';
const METHODS: Readonly<Record<PppAuthentication, string>> = {
  pap: 'pap',
  chap: 'chap',
  mschapv1: 'mschap',
  mschapv2: 'mschap-v2',
  eap: 'eap',
};

/**
 * Dials, and returns when the PPP link has an address.
 * @throws LabError with the end of the logs when it does not come up; nothing is running in the guest then
 */
export async function dialWithXl2tpd(guest: Guest, options: Xl2tpdLacOptions): Promise<Xl2tpdLac> {
  const pppOptions = '/etc/ppp/options.lac';
  await startXl2tpd(guest, [
    {
      path: XL2TPD_CONFIGURATION,
      content: `[global]
port = 1701
debug tunnel = yes
debug state = yes
[lac server]
lns = ${options.server}
challenge = ${options.secret === undefined ? 'no' : 'yes'}
length bit = yes
pppoptfile = ${pppOptions}
autodial = no
`,
    },
    ...tunnelSecrets(options.secret),
    { path: pppOptions, content: pppClientOptions(options) },
  ]);
  return await waitForAddress(guest, options);
}

function pppClientOptions(options: Xl2tpdLacOptions): string {
  const { user, password, authentication = 'any', ipv6 = false, mtu = 1400 } = options;
  const refused = Object.entries(METHODS)
    .filter(([method]) => authentication !== 'any' && method !== authentication)
    .map(([, word]) => `refuse-${word}`);
  return [
    `name ${quotePppWord(user)}`,
    `password ${quotePppWord(password)}`,
    'noauth', // the server need not prove who it is
    ...refused,
    `mtu ${mtu}`,
    `mru ${mtu}`,
    'noipdefault',
    'ipcp-accept-local',
    'ipcp-accept-remote',
    'usepeerdns',
    'lcp-restart 1', // the first request may come before the server listens
    'nodefaultroute',
    'noccp',
    ...(ipv6 ? ['+ipv6'] : []),
    'debug',
    `logfile /lab/${PPPD_LOG}.log`,
    '',
  ].join('\n');
}

/** The lines of pppd's log that tell that the link is up, and the lines of both logs that tell that it will not be. */
const UP = /^local +IP address (\S+)\nremote IP address (\S+)$/m;
const FAILED = /Connection terminated|Maximum retries exceeded|Connection closed|Call .* closed/;

async function waitForAddress(guest: Guest, { server, timeoutMs = 20_000 }: Xl2tpdLacOptions): Promise<Xl2tpdLac> {
  await guest.exec(`echo 'c server' >${XL2TPD_CONTROL}`);
  const result = () => UP.exec(guest.log(PPPD_LOG)) ?? FAILED.exec(xl2tpdLogs(guest)) ?? undefined;
  const match = await waitFor('an address', result, { timeoutMs }).catch(() => undefined);
  if (match?.[1] === undefined || match[2] === undefined) {
    const why = match === undefined ? 'did not come up in time' : `failed (${match[0]})`;
    const logs = lastLines(xl2tpdLogs(guest), 20);
    await stopXl2tpd(guest);
    throw new LabError(`the PPP link from guest ${guest.name} to ${server} ${why}; the logs end with: ${logs}`);
  }
  return {
    device: DEVICE,
    localAddress: match[1],
    peerAddress: match[2],
    log: () => xl2tpdLogs(guest),
    stop: () => stopXl2tpd(guest),
  };
}
