/**
 * A program with a data plane on Linux, for `userspace-data-plane.test.ts` to run in a network namespace of its own.
 * It is told over the IPC channel what to do, one message at a time, and answers each.
 */
import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { readdirSync, readFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { DataPlaneEvent, PolicySpec, SessionSpec } from '../../../../firmware/dataplane/data-plane.ts';
import { UserspaceDataPlane } from '../../../../firmware/dataplane/userspace/userspace-data-plane.ts';
import { LinuxLinks } from '../../../../hal/linux/links.ts';

const ECHO_PORT = 7000;
const TCP_PORT = 7001;
const DEVICE = 'l2tp-test';
const MTU = 1400;

const links = new LinuxLinks();
const dataPlane = new UserspaceDataPlane({ links });
const events: DataPlaneEvent[] = [];
let announceEvent = (): void => {};
dataPlane.onEvent((event) => {
  events.push(event);
  announceEvent();
});

async function addInterface(localInner: string, remoteInner: string): Promise<void> {
  await dataPlane.addInterface({ id: 1, name: DEVICE, mtu: MTU, address: localInner });
  await links.addPeerAddress(DEVICE, localInner, remoteInner);
}

function session(local: string, remote: string, remoteInner: string): SessionSpec {
  return {
    key: 1,
    socket: 1,
    path: { remote: { address: remote, port: 1701 }, local: { address: local, port: 1701 } },
    localTunnelId: 1,
    localSessionId: 1,
    peerTunnelId: 1,
    peerSessionId: 1,
    lengthField: true,
    sequencing: true,
    network: {
      interface: 1,
      protocolCompression: true,
      addressControlCompression: true,
      mtu: MTU,
      destinations: [`${remoteInner}/32`],
      sources: [`${remoteInner}/32`],
    },
  };
}

/** Names of this process's threads. */
function threads(): readonly string[] {
  return readdirSync('/proc/self/task').map((id) => readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim());
}

async function nextEvent(count: number): Promise<readonly DataPlaneEvent[]> {
  while (events.length < count) {
    const arrival = Promise.withResolvers<void>();
    announceEvent = arrival.resolve;
    await arrival.promise;
  }
  return events;
}

const actions: Record<string, (...values: never[]) => Promise<unknown>> = {
  async open() {
    return dataPlane.openSocket({ id: 1, purpose: 'l2tp', family: 4, address: '0.0.0.0', port: 1701, mark: 0 });
  },

  /** Once the outer link is there: the tunnel's device and the session. */
  async connect(local: string, remote: string, localInner: string, remoteInner: string) {
    await addInterface(localInner, remoteInner);
    dataPlane.putSession(session(local, remote, remoteInner));
    return (await links.links()).find(({ name }) => name === DEVICE);
  },

  /** The same inside ESP, in UDP or by raw sockets. */
  async connectProtected(
    carrier: 'udp-encapsulation' | 'esp',
    local: string,
    remote: string,
    localInner: string,
    remoteInner: string,
  ) {
    const place = { family: 4, address: '0.0.0.0', mark: 0 } as const;
    const port = carrier === 'esp' ? 0 : 4500;
    await dataPlane.openSocket({ ...place, id: 2, purpose: 'protected-l2tp', port: 1701 });
    await dataPlane.openSocket({ ...place, id: 3, purpose: carrier, port });
    await addInterface(localInner, remoteInner);
    const policy: PolicySpec = { key: 1, inside: { kind: 'l2tp', socket: 2 } };
    const keys = (end: string) => ({
      spi: Buffer.from(end.split('.').map(Number)).readUInt32BE(0),
      encryption: 'aes256',
      encryptionKey: createHash('sha256').update(end).digest(),
      integrity: 'sha1',
      integrityKey: createHash('sha1').update(end).digest(),
    });
    const host = (address: string) => [
      { protocol: 17, firstPort: 1701, lastPort: 1701, firstAddress: address, lastAddress: address },
    ];
    dataPlane.putPolicy(policy);
    dataPlane.putSa({
      key: 1,
      policy: 1,
      socket: 3,
      path: { remote: { address: remote, port }, local: { address: local, port } },
      mode: 'transport',
      inbound: keys(local),
      outbound: keys(remote),
      extendedSequenceNumbers: true,
      lifetimes: {},
      localSelectors: host(local),
      remoteSelectors: host(remote),
      followPeer: false,
    });
    dataPlane.putPolicy({ ...policy, sa: 1 });
    const clear = session(local, remote, remoteInner);
    dataPlane.putSession({ ...clear, socket: 2, path: { ...clear.path, bearer: 1 } });
    return undefined;
  },

  /** Echoes UDP; takes TCP and answers with the digest of what came. */
  async serve(address: string) {
    const echo = createSocket('udp4');
    echo.on('message', (bytes, from) => echo.send(bytes, from.port, from.address));
    await new Promise<void>((resolve) => echo.bind(ECHO_PORT, address, resolve));
    echo.unref();
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      const hash = createHash('sha256');
      socket.on('data', (bytes) => hash.update(bytes));
      socket.on('end', () => socket.end(hash.digest('hex')));
    });
    await new Promise<void>((resolve) => server.listen(TCP_PORT, address, resolve));
    server.unref();
    return undefined;
  },

  /** Sends one datagram of each size, waiting for each echo. */
  async echo(address: string, sizes: readonly number[]) {
    const socket = createSocket('udp4');
    const lengths: number[] = [];
    for (const size of sizes) {
      const reply = new Promise<number>((resolve) => socket.once('message', (bytes) => resolve(bytes.length)));
      socket.send(Buffer.alloc(size, size), ECHO_PORT, address);
      lengths.push(await reply);
    }
    socket.close();
    return lengths;
  },

  /** Sends so many octets over TCP. @returns whether they came through whole, and the Mbit/s. */
  async stream(address: string, octets: number) {
    const data = Buffer.alloc(octets, 'culvert');
    const started = performance.now();
    const answer = await new Promise<string>((resolve, reject) => {
      let text = '';
      const socket = createConnection(TCP_PORT, address, () => socket.end(data));
      socket.on('data', (bytes) => {
        text += bytes.toString();
      });
      socket.on('end', () => resolve(text));
      socket.on('error', reject);
    });
    const milliseconds = performance.now() - started;
    const whole = answer === createHash('sha256').update(data).digest('hex');
    return { whole, megabitsPerSecond: Math.round((octets * 8) / milliseconds / 1000) };
  },

  async sendControl(local: string, remote: string, count: number) {
    const path = { remote: { address: remote, port: 1701 }, local: { address: local, port: 1701 } };
    for (let number = 0; number < count; number++) {
      dataPlane.sendDatagram(1, path, Uint8Array.from([0xc8, 0x02, 0, 12, 0, 1, 0, 0, 0, number, 0, 0]));
    }
    dataPlane.sendPppFrame(1, Uint8Array.of(0xc0, 0x21, 9, 1, 0, 4));
    return undefined;
  },

  /** What came in, short: a control message's Ns, or the kind of event. */
  async events(count: number) {
    return (await nextEvent(count)).map((event) => (event.kind === 'datagram' ? event.bytes[9] : event.kind));
  },

  async counters() {
    return dataPlane.counters();
  },

  /** Processor time that this process uses in so many milliseconds of doing nothing. */
  async idle(milliseconds: number) {
    const before = process.cpuUsage();
    await delay(milliseconds);
    const used = process.cpuUsage(before);
    return (used.user + used.system) / 1000;
  },

  async threads() {
    return threads();
  },

  async close() {
    await dataPlane.close();
    return threads();
  },

  /** Without closing anything. */
  async exit(code: number) {
    process.exit(code);
  },
};

process.on('message', async ([action, ...values]: [string, ...never[]]) => {
  try {
    process.send?.({ result: await actions[action]?.(...values) });
  } catch (error) {
    process.send?.({ error: error instanceof Error ? error.message : String(error) });
  }
});
