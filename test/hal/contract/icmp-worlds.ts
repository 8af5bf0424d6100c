/** The worlds of the contract of ICMP sockets: in memory, and in a network namespace of its own. */
import { LinuxIcmpSocketFactory } from '../../../hal/linux/icmp-socket.ts';
import { LinuxTunFactory } from '../../../hal/linux/tun.ts';
import { SimulatedIcmpSocketFactory } from '../../../hal/simulated/icmp-socket.ts';
import type { OpenWorld } from './contract.ts';
import { ICMP_MTU, type IcmpWorld } from './icmp-socket.ts';
import { ip } from './linux-worlds.ts';

const OWN = { 4: '10.57.0.1', 6: 'fd57::1' } as const;
const NARROW = { 4: '10.58.0.9', 6: 'fd58::9' } as const;

export function simulatedIcmpWorld(): OpenWorld<IcmpWorld> {
  const sockets = new SimulatedIcmpSocketFactory();
  sockets.devices = new Set(['lo']);
  sockets.addresses = new Set(Object.values(OWN));
  sockets.world = ({ message, remoteAddress, options }) => {
    const { family, dontFragment } = options;
    if (remoteAddress === OWN[family]) {
      return { message: Uint8Array.of(family === 4 ? 0 : 129, ...message.slice(1)), from: remoteAddress };
    }
    const length = message.length + (family === 4 ? 20 : 40);
    return dontFragment && length > ICMP_MTU ? { code: 'EMSGSIZE', mtu: ICMP_MTU } : undefined;
  };
  return { world: { sockets, own: OWN, narrow: NARROW, device: 'lo' }, close: () => undefined };
}

export function linuxIcmpWorld(): OpenWorld<IcmpWorld> {
  ip('link set lo up');
  ip(`address replace ${OWN[4]}/32 dev lo`);
  ip(`address replace ${OWN[6]}/128 dev lo nodad`);
  const tun = new LinuxTunFactory().open('cvnarrow');
  ip('link set cvnarrow up');
  ip(`-4 route add ${NARROW[4]}/32 dev cvnarrow mtu ${ICMP_MTU}`);
  ip(`-6 route add ${NARROW[6]}/128 dev cvnarrow mtu ${ICMP_MTU}`);
  return {
    world: { sockets: new LinuxIcmpSocketFactory(), own: OWN, narrow: NARROW, device: 'lo' },
    close: () => tun.close(),
  };
}
