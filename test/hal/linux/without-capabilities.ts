/** Started without capabilities: tries what needs them, and prints what it was told. */
import { HalError } from '../../../hal/hal-error.ts';
import { missingCapabilities } from '../../../hal/linux/capabilities.ts';
import { LinuxLinks } from '../../../hal/linux/links.ts';
import { LinuxPacketFilter } from '../../../hal/linux/packet-filter.ts';
import { LinuxTunFactory } from '../../../hal/linux/tun.ts';
import { LinuxUdpSocketFactory } from '../../../hal/linux/udp-socket.ts';

export interface Refusals {
  readonly missing: readonly string[];
  readonly errors: Readonly<Record<string, { readonly code: string; readonly message: string }>>;
  /** Port of a socket that needs no capability. */
  readonly plainPort: number;
}

const sockets = new LinuxUdpSocketFactory();
const options = { family: 4, address: '0.0.0.0', port: 0, mark: 0 } as const;

const attempts: Readonly<Record<string, () => unknown>> = {
  tun: () => new LinuxTunFactory().open('cvtun0'),
  mark: () => sockets.open({ ...options, mark: 1 }),
  port: () => sockets.open({ ...options, port: 500 }),
  raw: () => sockets.open({ ...options, protocol: 'esp' }),
  link: () => new LinuxLinks().setMtu('lo', 1400),
  filter: () => new LinuxPacketFilter().replaceTable('cvfilter', ''),
  sysctl: () => new LinuxLinks().setSysctl('net.ipv4.ip_forward', '1'),
};

const errors: Record<string, { code: string; message: string }> = {};
for (const [step, attempt] of Object.entries(attempts)) {
  try {
    await attempt();
    errors[step] = { code: '', message: 'nothing was refused' };
  } catch (error) {
    errors[step] =
      error instanceof HalError ? { code: error.code, message: error.message } : { code: '', message: String(error) };
  }
}
const refusals: Refusals = { missing: missingCapabilities(), errors, plainPort: sockets.open(options).localPort };
process.stdout.write(JSON.stringify(refusals));
