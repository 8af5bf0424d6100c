/** rp-pppoe's pppoe-server and pppd in a guest: an access concentrator, its session frames in user space (Debian builds it so). */
import type { Guest } from './guest.ts';
import { type PppAuthentication, type PppUser, pppSecrets } from './ppp-users.ts';
import { describeFailure, LabError, lastLines } from './shell.ts';

export interface PppoeServerOptions {
  readonly users: readonly PppUser[];
  /** The one method that it asks for. Default: `chap`. */
  readonly authentication?: PppAuthentication;
  /** The guest's network card. Default: `vec0`. */
  readonly card?: string;
  /** AC-Name. Default: `ac1`. */
  readonly name?: string;
  /** Services that it offers. Default: any. */
  readonly services?: readonly string[];
  /** Sessions that a client may have at a time, after which it is not answered. Default: any number. */
  readonly sessionsPerClient?: number;
  /** Its own address inside, and the first that it gives. Default: `100.64.0.1` and `100.64.7.1`. */
  readonly insideAddress?: string;
  readonly firstAddress?: string;
  /** MTU and MRU of its pppd, octets. Default: 1492. */
  readonly mtu?: number;
}

export interface PppoeServer {
  /** Its address inside the sessions. */
  readonly insideAddress: string;
  /** What it and its pppds have logged. */
  log(): string;
  /** Ends the sessions in good order: pppd says goodbye, and pppoe-server sends a PADT. */
  hangUp(): Promise<void>;
  /** Ends all of it at once, without a word to anybody. */
  kill(): Promise<void>;
}

/** PPP of the guest's kernel. A kernel with all of it built in has no modules. */
const MODULES = 'ppp_generic ppp_async ppp_synctty n_hdlc';
const OPTIONS = '/etc/ppp/options.pppoe';
const SERVER_LOG = 'pppoe-server';
const PPPD_LOG = 'pppoe-pppd';

const REQUIRE: Readonly<Record<PppAuthentication, string>> = {
  pap: 'require-pap',
  chap: 'require-chap',
  mschapv1: 'require-mschap',
  mschapv2: 'require-mschap-v2',
  eap: 'require-eap',
};

/** Starts it in `guest`; it listens when this returns. @throws LabError with the end of its log when it does not start. */
export async function startPppoeServer(guest: Guest, options: PppoeServerOptions): Promise<PppoeServer> {
  const { insideAddress = '100.64.0.1', firstAddress = '100.64.7.1', mtu = 1492, card = 'vec0' } = options;
  const { authentication = 'chap', name = 'ac1', services = [], sessionsPerClient = 0 } = options;
  const secrets = pppSecrets(options.users);
  await guest.install([
    {
      path: OPTIONS,
      content: [
        REQUIRE[authentication],
        `name ${name}`,
        `mtu ${mtu}`,
        `mru ${mtu}`,
        `ms-dns ${insideAddress}`,
        'lcp-echo-interval 10',
        'lcp-echo-failure 4',
        'nodefaultroute',
        'noproxyarp',
        'noccp',
        'debug',
        `logfile /lab/${PPPD_LOG}.log`,
        '',
      ].join('\n'),
    },
    { path: '/etc/ppp/pap-secrets', content: secrets },
    { path: '/etc/ppp/chap-secrets', content: secrets },
  ]);
  const command = [
    'pppoe-server -F',
    `-I ${card} -C ${name} -L ${insideAddress} -R ${firstAddress} -N 16 -O ${OPTIONS} -x ${sessionsPerClient}`,
    ...services.map((service) => `-S ${service}`),
  ].join(' ');
  const result = await guest.tryExec(`
    modprobe -qa ${MODULES}
    [[ -e /dev/ppp ]] || mknod /dev/ppp c 108 0
    : >/lab/${SERVER_LOG}.log; : >/lab/${PPPD_LOG}.log
    setsid ${command} >>/lab/${SERVER_LOG}.log 2>&1 </dev/null &
    server=$!
    # A packet socket of PPPoE discovery, as the kernel lists it.
    until [[ $(</proc/net/packet) == *' 8863 '* ]]; do
      kill -0 $server || exit 1
      sleep 0.05
    done`);
  if (result.code !== 0) {
    const why = describeFailure('pppoe-server', result);
    throw new LabError(`in guest ${guest.name}: ${why}; its log ends with: ${lastLines(guest.log(SERVER_LOG), 8)}`);
  }
  return {
    insideAddress,
    log: () => `pppoe-server:\n${guest.log(SERVER_LOG)}\npppd:\n${guest.log(PPPD_LOG)}`,
    hangUp: async () => {
      // Its clients call again soon, and others take their place.
      await guest.exec(
        'for pid in $(pgrep pppd); do kill -TERM $pid; while kill -0 $pid 2>/dev/null; do sleep 0.05; done; done',
      );
    },
    kill: async () => {
      await guest.exec(`
        pkill -KILL pppoe-server; pkill -KILL pppd; pkill -KILL -x pppoe
        while pgrep 'pppoe|pppd' >/dev/null; do sleep 0.05; done; true`);
    },
  };
}
