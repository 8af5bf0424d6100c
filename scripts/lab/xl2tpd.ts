/** What xl2tpd as server and as client have in common: kernel modules, start, secrets. It runs in guests only. */
import type { Guest, GuestFile } from './guest.ts';
import { describeFailure, LabError, lastLines } from './shell.ts';

export const XL2TPD_CONFIGURATION = '/etc/xl2tpd/xl2tpd.conf';
export const XL2TPD_CONTROL = '/run/xl2tpd/l2tp-control';
export const PPPD_LOG = 'pppd';
export const XL2TPD_LOG = 'xl2tpd';

/** L2TP and PPP of the guest's kernel. A kernel with all of it built in has no modules. */
const MODULES = 'l2tp_ppp l2tp_netlink ppp_generic ppp_async';

/** The file with the tunnel secret; xl2tpd looks it up by both host names, and here any will do. */
export function tunnelSecrets(secret: string | undefined): GuestFile[] {
  if (secret === undefined) return [];
  if (/[\s"#*]/.test(secret)) {
    throw new LabError('xl2tpd takes no blank, quotation mark, # or * in a tunnel secret; choose another');
  }
  return [{ path: '/etc/xl2tpd/l2tp-secrets', content: `* * ${secret}\n` }];
}

/**
 * Writes `files` and starts xl2tpd, and returns when it listens on UDP 1701.
 * @throws LabError with its last words when it does not
 */
export async function startXl2tpd(guest: Guest, files: readonly GuestFile[]): Promise<void> {
  await guest.install(files);
  const result = await guest.tryExec(`
    modprobe -qa ${MODULES}
    mkdir -p /run/xl2tpd
    : >/lab/${XL2TPD_LOG}.log; : >/lab/${PPPD_LOG}.log
    setsid xl2tpd -D -c ${XL2TPD_CONFIGURATION} -p /run/xl2tpd.pid -C ${XL2TPD_CONTROL} \\
      >>/lab/${XL2TPD_LOG}.log 2>&1 </dev/null &
    server=$!
    # The port in hexadecimal, as the kernel lists it; the pipe for commands comes after it.
    until [[ $(</proc/net/udp) == *:06A5\\ * && -p ${XL2TPD_CONTROL} ]]; do
      kill -0 $server || exit 1
      sleep 0.05
    done`);
  if (result.code !== 0) {
    const why = describeFailure('xl2tpd', result);
    throw new LabError(`in guest ${guest.name}: ${why}; its log ends with: ${lastLines(guest.log(XL2TPD_LOG), 8)}`);
  }
}

/** Ends xl2tpd in good order (its peers are told), and what pppd processes are left. Harmless when it has ended. */
export async function stopXl2tpd(guest: Guest): Promise<void> {
  await guest.exec(`
    [[ -e /run/xl2tpd.pid ]] || exit 0
    server=$(</run/xl2tpd.pid)
    # Again and again: xl2tpd only sets a flag, and a signal just before its select() waits for the next packet.
    while kill "$server" 2>/dev/null; do sleep 0.1; done
    # The tunnel is gone: pppd would only wait for an answer that cannot come.
    while pkill -KILL pppd; do sleep 0.05; done
    true`);
}

/** Both logs, newest last, for people. */
export function xl2tpdLogs(guest: Guest): string {
  return `xl2tpd:\n${guest.log(XL2TPD_LOG)}\npppd:\n${guest.log(PPPD_LOG)}`;
}
