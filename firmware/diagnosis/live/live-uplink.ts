/** The way to the server: link, address, name, route, clock. */
import { contains, hostPrefix, parseCidr, parseIpv4 } from '../../protocol/ip-address.ts';
import type { Notes } from '../notes.ts';
import type { LiveFacts, UplinkFacts } from './live-facts.ts';

export function judgeUplink(facts: LiveFacts, notes: Notes): void {
  const { uplinks, wall, floor } = facts;
  if (uplinks.length === 0) {
    notes.seen('link', 'no WAN interface is configured: the network is left to the system');
  }
  for (const uplink of uplinks) judgeLink(uplink, notes);
  judgeServer(facts, notes);
  const time = new Date(wall).toISOString().slice(0, 16);
  if (wall < floor) {
    const since = new Date(floor).toISOString().slice(0, 10);
    notes.sign('clock-wrong', `the clock says ${time}, and this program was made on ${since}`);
  } else notes.ok('clock', `the clock says ${time}, which can be`);
}

function judgeLink({ name, device, state, addresses, gateway }: UplinkFacts, notes: Notes): void {
  if (state === 'missing') {
    notes.sign('wan-device-missing', `interface ${name}: there is no network device ${device}`);
    return;
  }
  if (state === 'down') {
    notes.sign('wan-link-down', `interface ${name}: the link of ${device} is down`);
    return;
  }
  notes.ok('link', `${device} is up`);
  // A link-local address is there on every link.
  const own = addresses.filter((address) => !address.startsWith('fe80:'));
  if (own.length === 0) {
    notes.sign('wan-no-address', `interface ${name}: ${device} has no address`);
    return;
  }
  notes.ok('address', `${device} has ${own.join(' and ')}`);
  const way = gateway === undefined ? undefined : parseIpv4(gateway);
  if (way === undefined) return;
  const reached = own.some((address) => {
    const network = parseCidr(address);
    return network !== undefined && contains({ ...network, address: network.address }, hostPrefix(way));
  });
  if (!reached) notes.sign('gateway-outside', `interface ${name}: ${gateway} is in no network of ${own.join(' and ')}`);
}

function judgeServer({ server, addresses, source }: LiveFacts, notes: Notes): void {
  if (server === undefined || addresses === undefined) return;
  if ('reason' in addresses) {
    notes.failure(addresses);
    return;
  }
  const [first] = addresses;
  if (first === undefined) return;
  notes.ok('dns', first === server ? `${server} is an address` : `${server} is ${addresses.join(', ')}`);
  if (source === undefined) notes.sign('no-route', `no route leads to ${first}`);
  else notes.ok('route', `packets to ${first} leave from ${source}`);
}
