/** pppd in a guest as whoever a modem has called: PPP in asynchronous framing, on a pseudo-terminal that TCP carries. */
import type { Guest } from './guest.ts';
import { type PppAuthentication, type PppUser, pppSecrets } from './ppp-users.ts';

export interface PppdLineOptions {
  readonly users: readonly PppUser[];
  /** What it asks for; absent: nothing. */
  readonly authentication?: Extract<PppAuthentication, 'pap' | 'chap' | 'mschapv2'>;
  /** Its own address inside and the one that it gives. Default: `100.64.0.1` and `100.64.7.1`. */
  readonly insideAddress?: string;
  readonly peerAddress?: string;
  /** Control characters that it wants escaped, hexadecimal. Default: `0`. */
  readonly asyncmap?: string;
}

const LOG = 'pppd-line';
const REQUIRE = { pap: 'require-pap', chap: 'require-chap', mschapv2: 'require-mschap-v2' } as const;

export interface PppdLine {
  readonly insideAddress: string;
  log(): string;
  /** It says goodbye. */
  hangUp(): Promise<void>;
}

/** Starts pppd in `guest`, which calls `host:port`: the other end of the line. */
export async function startPppdLine(guest: Guest, at: string, options: PppdLineOptions): Promise<PppdLine> {
  const { insideAddress = '100.64.0.1', peerAddress = '100.64.7.1', authentication, asyncmap = '0' } = options;
  const secrets = pppSecrets(options.users);
  await guest.install([
    { path: '/etc/ppp/pap-secrets', content: secrets },
    { path: '/etc/ppp/chap-secrets', content: secrets },
  ]);
  const words = [
    `pppd socket ${at} nodetach local noccp novj nodefaultroute noproxyarp lcp-restart 1 asyncmap ${asyncmap}`,
    `name carrier ms-dns ${insideAddress} ${insideAddress}:${peerAddress} debug logfile /lab/${LOG}.log`,
    authentication === undefined ? 'noauth' : REQUIRE[authentication],
  ];
  await guest.exec(
    `modprobe -qa ppp_generic ppp_async; [[ -e /dev/ppp ]] || mknod /dev/ppp c 108 0; : >/lab/${LOG}.log`,
  );
  await guest.spawn('pppd-line-output', words.join(' '));
  return {
    insideAddress,
    log: () => `${guest.log(LOG)}${guest.log('pppd-line-output')}`,
    hangUp: async () => {
      // Not its children, which carry its goodbye.
      await guest.exec('pkill -TERM -o pppd; while pgrep pppd >/dev/null; do sleep 0.05; done; true');
    },
  };
}
