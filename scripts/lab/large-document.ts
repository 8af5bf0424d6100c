/** A large configuration, for what measures: two fifths users, and a fifth each clients, IPsec connections, routes. */

/** From this on there would be more clients, connections or routes than the schema takes. */
const MOST_ENTRIES = 1280;

const SECRET = 'a secret of a good length';

/**
 * As it would stand in a file. Every second client is protected by an IPsec connection of its own, the other connections
 * are in tunnel mode. Nothing in it starts by itself, no two secrets are the same, and no rule finds anything.
 * @param entries 10..1280.
 */
export function largeDocument(entries: number) {
  if (entries < 10 || entries > MOST_ENTRIES) throw new Error(`${entries} entries: 10 to ${MOST_ENTRIES} are possible`);
  const fifth = Math.floor(entries / 5);
  const users = Array.from({ length: entries - 3 * fifth }, (_, index) => user(index));
  const numbers = Array.from({ length: fifth }, (_, index) => index);
  return {
    system: { hostname: 'branch-500' },
    interfaces: {
      wan: {
        device: 'eth0',
        zone: 'wan',
        ipv4: { method: 'static', address: '10.20.0.9/24', gateway: '10.20.0.1' },
      },
      lan: {
        device: 'lan0',
        zone: 'lan',
        ipv4: { method: 'static', address: '192.168.12.1/24' },
        ipv6: { address: 'fd00:12::1/64' },
      },
    },
    l2tp: {
      clients: Object.fromEntries(numbers.map(client)),
      servers: {
        office: {
          listen: '10.20.0.9',
          localAddress: '10.98.0.1',
          pool: '10.98.0.10-10.98.15.250',
          ipv6: { pool: 'fd00:98::/48' },
          users: Object.fromEntries(users),
        },
      },
    },
    ipsec: { connections: Object.fromEntries(numbers.map(connection)) },
    routes: numbers.map((index) => ({ prefix: `10.120.${index}.0/24`, gateway: '192.168.12.254' })),
  };
}

/** Every second one has a fixed address, every fourth a network behind it, every eighth a prefix of IPv6. */
function user(index: number) {
  const fixed = `10.98.${16 + (index >> 8)}.${index & 255}`;
  return [
    `user${index}@branch.example`,
    {
      password: `${SECRET}, user ${index}`,
      ...(index % 2 === 0 ? { address: fixed } : {}),
      ...(index % 4 === 0 ? { routes: [`10.${130 + (index >> 8)}.${index & 255}.0/24`] } : {}),
      ...(index % 8 === 0 ? { ipv6Prefix: `fd00:98:0:${(index + 4096).toString(16)}::/64` } : {}),
    },
  ] as const;
}

function client(index: number) {
  return [
    `site${index}`,
    {
      server: `10.21.${index}.2`,
      user: `branch-500-${index}`,
      password: `${SECRET}, client ${index}`,
      start: 'manual',
      routes: [`10.100.${index}.0/24`, `10.101.${index}.0/24`],
      ...(index % 2 === 0 ? { ipsec: `link${index}` } : { secret: `${SECRET}, tunnel ${index}` }),
    },
  ] as const;
}

function connection(index: number) {
  const psk = `${SECRET}, connection ${index}`;
  const remote = `10.21.${index}.2`;
  if (index % 2 === 0) return [`link${index}`, { version: 1, remote, psk, mode: 'transport' }] as const;
  const networks = { localSubnets: ['192.168.12.0/24'], remoteSubnets: [`10.110.${index}.0/24`] };
  return [`link${index}`, { version: 2, remote, psk, start: 'manual', ...networks }] as const;
}
