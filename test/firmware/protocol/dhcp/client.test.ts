import { describe, expect, it } from 'vitest';
import { encodeArp } from '../../../../firmware/protocol/dhcp/arp-packet.ts';
import { DhcpClient } from '../../../../firmware/protocol/dhcp/client.ts';
import { clientIdentifier } from '../../../../firmware/protocol/dhcp/client-identity.ts';
import type { DhcpOutput, RememberedAddress } from '../../../../firmware/protocol/dhcp/client-types.ts';
import type { Lease } from '../../../../firmware/protocol/dhcp/lease.ts';
import type { DhcpMessage } from '../../../../firmware/protocol/dhcp/message.ts';
import { parseIpv4 } from '../../../../firmware/protocol/ip-address.ts';
import type { Failure } from '../../../../firmware/protocol/machine.ts';
import { TestDhcpServer } from '../../../support/dhcp-server.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';

const MAC = Uint8Array.of(2, 0, 0, 0, 0x12, 0x34);
const SERVER_MAC = Uint8Array.of(2, 0, 0, 0, 0, 1);
const SEED = Number(process.env['CULVERT_SEED'] ?? '1');

/** A client and a server on a wire without delay, in time that is told. */
class World {
  now = 0;
  readonly server = new TestDhcpServer();
  readonly outputs: DhcpOutput[] = [];
  readonly random = new SeededRandom(SEED);
  refusal: Failure | undefined;
  loss = 0;
  readonly client = new DhcpClient({
    mac: MAC,
    clientIdentifier: clientIdentifier(MAC, undefined),
    hostName: 'branch',
    mtu: 1500,
    random: this.random,
    judge: () => this.refusal,
  });

  start(remembered?: RememberedAddress): this {
    this.client.start(this.now, remembered);
    this.#drain();
    return this;
  }

  /** Does something to the client at this moment. */
  act(action: (client: DhcpClient, now: number) => void): this {
    action(this.client, this.now);
    this.#drain();
    return this;
  }

  run(ms: number): this {
    const end = this.now + ms;
    for (let at = this.client.nextDeadline(); at !== undefined && at <= end; at = this.client.nextDeadline()) {
      this.now = Math.max(this.now, at);
      this.client.tick(this.now);
      this.#drain();
    }
    this.now = end;
    return this;
  }

  get bound(): Lease | undefined {
    return this.client.lease;
  }

  failures(): readonly string[] {
    return this.outputs.flatMap((output) => (output.kind === 'failure' ? [output.failure.reason] : []));
  }

  kinds(kind: DhcpOutput['kind']): readonly DhcpOutput[] {
    return this.outputs.filter((output) => output.kind === kind);
  }

  #drain(): void {
    for (let output = this.client.poll(); output !== undefined; output = this.client.poll()) {
      this.outputs.push(output);
      if (output.kind !== 'send' || this.random.next() < this.loss) continue;
      const answer = this.server.receive(output.packet);
      if (answer === undefined || this.random.next() < this.loss) continue;
      this.client.receive(this.now, answer, SERVER_MAC, false);
    }
  }
}

describe(`a DHCP client (seed ${SEED})`, () => {
  it('asks, probes, is bound, and announces', () => {
    const world = new World().start().run(1000);
    expect(world.server.types).toEqual(['DISCOVER', 'REQUEST']);
    expect(world.bound).toMatchObject({
      address: '192.0.2.100/24',
      gateway: '192.0.2.1',
      dns: ['192.0.2.1'],
      server: '192.0.2.1',
      seconds: 3600,
    });
    const [discover, request] = world.server.heard;
    expect(discover?.options.clientIdentifier).toEqual(
      Uint8Array.of(255, 0, 0, 0x12, 0x34, 0, 3, 0, 1, 2, 0, 0, 0, 0x12, 0x34),
    );
    expect(discover?.options.parameterRequestList?.indexOf(121)).toBeLessThan(
      discover?.options.parameterRequestList?.indexOf(3) ?? -1,
    );
    expect(request?.options).toMatchObject({
      requestedAddress: '192.0.2.100',
      serverIdentifier: '192.0.2.1',
      hostName: 'branch',
    });
    expect(request?.transactionId).toBe(discover?.transactionId);
    expect([request?.source, request?.destination]).toEqual(['0.0.0.0', '255.255.255.255']);
    expect(world.kinds('arp').length).toBe(4);
    world.run(10_000);
    expect(world.kinds('arp').length).toBe(5);
    expect(world.kinds('remember')).toEqual([
      { kind: 'remember', remembered: { address: '192.0.2.100', released: false } },
    ]);
  });

  it('does not use the address before it was probed', () => {
    const world = new World().start().run(500);
    expect(world.client.state).toBe('probing');
    expect(world.bound).toBeUndefined();
  });

  it('renews at half the time by unicast, with its address in the header', () => {
    const world = new World().start().run(1000);
    world.run(1_799_500);
    expect(world.server.types).toEqual(['DISCOVER', 'REQUEST', 'REQUEST']);
    const renewal = world.server.heard[2];
    expect(renewal).toMatchObject({ clientAddress: '192.0.2.100', source: '192.0.2.100', destination: '192.0.2.1' });
    expect(renewal?.options.requestedAddress).toBeUndefined();
    expect(renewal?.options.serverIdentifier).toBeUndefined();
    expect(world.kinds('send').at(-1)).toMatchObject({ destinationMac: SERVER_MAC });
    expect(world.client.state).toBe('bound');
    world.run(10 * 3_600_000);
    expect(world.kinds('lost')).toEqual([]);
    expect(world.client.state).toBe('bound');
  });

  it('asks everybody when its server is silent, and loses the address at the end', () => {
    const world = new World().start().run(1000);
    world.server.silent = true;
    world.run(3600 * 875 - 500);
    expect(world.client.state).toBe('rebinding');
    expect(world.server.heard.at(-1)?.destination).toBe('255.255.255.255');
    expect(world.kinds('lost')).toEqual([]);
    world.run(450_000);
    expect(world.kinds('lost').length).toBe(1);
    expect(world.failures()).toEqual(['the lease of 192.0.2.100/24 has ended: no DHCP server has renewed it']);
    expect(world.client.state).toBe('selecting');
    world.server.silent = false;
    world.run(70_000);
    expect(world.client.state).toBe('bound');
  });

  it('a minute lies between renewals, of a long lease', () => {
    const world = new World().start().run(1000);
    world.server.silent = true;
    const before = world.server.heard.length;
    world.run(3600 * 875 - 1500);
    expect(world.server.heard.length - before).toBeGreaterThan(3);
    expect(world.server.heard.length - before).toBeLessThan(12);
  });

  it('takes another address after a NAK, at once the first time', () => {
    const world = new World().start().run(1000);
    world.server.gives = '192.0.2.200';
    world.run(1_800_000);
    expect(world.kinds('lost').length).toBe(1);
    expect(world.failures()).toEqual(['the DHCP server 192.0.2.1 takes the address away ("wrong network")']);
    expect(world.bound?.address).toBe('192.0.2.200/24');
  });

  it('asks less and less often a server that refuses all it offers', () => {
    const world = new World();
    world.server.alter = (message) => (message.type === 'ACK' ? { ...message, type: 'NAK' } : message);
    world.start().run(600_000);
    expect(world.server.types.filter((type) => type === 'DISCOVER').length).toBeLessThan(18);
    expect(world.server.types.filter((type) => type === 'DISCOVER').length).toBeGreaterThan(8);
  });

  it('asks for what it had first, and is content with it', () => {
    const world = new World().start({ address: '192.0.2.100', released: false }).run(1000);
    expect(world.server.types).toEqual(['REQUEST']);
    expect(world.server.heard[0]?.options).toMatchObject({ requestedAddress: '192.0.2.100' });
    expect(world.server.heard[0]?.options.serverIdentifier).toBeUndefined();
    expect(world.bound?.address).toBe('192.0.2.100/24');
  });

  it('a NAK to what it had is no failure: it takes what there is', () => {
    const world = new World().start({ address: '10.0.0.9', released: false }).run(1000);
    expect(world.server.types).toEqual(['REQUEST', 'DISCOVER', 'REQUEST']);
    expect(world.failures()).toEqual([]);
    expect(world.bound?.address).toBe('192.0.2.100/24');
  });

  it('a server that does not know it is asked anew after three requests', () => {
    const world = new World();
    world.server.silent = true;
    world.start({ address: '10.0.0.9', released: false }).run(9000);
    expect(world.server.types).toEqual([
      'REQUEST',
      'REQUEST',
      'REQUEST',
      'DISCOVER',
      ...(world.server.heard.length > 4 ? ['DISCOVER'] : []),
    ]);
  });

  it('wishes for what it gave back', () => {
    const world = new World().start({ address: '192.0.2.100', released: true }).run(1000);
    expect(world.server.types).toEqual(['DISCOVER', 'REQUEST']);
    expect(world.server.heard[0]?.options.requestedAddress).toBe('192.0.2.100');
  });

  it('declines an address that somebody has, and waits before it asks again', () => {
    const world = new World().start().run(250);
    const claim = encodeArp({
      operation: 'reply',
      senderMac: Uint8Array.of(2, 0, 0, 0, 0, 0x77),
      senderAddress: parseIpv4('192.0.2.100') ?? 0,
      targetMac: MAC,
      targetAddress: 0,
    });
    world.act((client, now) => client.receiveArp(now, claim));
    expect(world.server.types.at(-1)).toBe('DECLINE');
    expect(world.server.heard.at(-1)?.options).toMatchObject({
      requestedAddress: '192.0.2.100',
      serverIdentifier: '192.0.2.1',
    });
    expect(world.server.heard.at(-1)?.options.clientIdentifier).toBeDefined();
    expect(world.failures()[0]).toMatch(/192\.0\.2\.100 .* is in use by 02:00:00:00:00:77/);
    expect(world.kinds('listen-arp').at(-1)).toEqual({ kind: 'listen-arp', on: false });
    world.server.gives = '192.0.2.101';
    world.run(9000);
    expect(world.client.state).toBe('init');
    world.run(3000);
    expect(world.bound?.address).toBe('192.0.2.101/24');
  });

  it('gives way to another that probes for the address, and not to its own probe', () => {
    const world = new World().start().run(250);
    const probeOf = (senderMac: Uint8Array): Uint8Array =>
      encodeArp({
        operation: 'request',
        senderMac,
        senderAddress: 0,
        targetMac: new Uint8Array(6),
        targetAddress: parseIpv4('192.0.2.100') ?? 0,
      });
    world.act((client, now) => client.receiveArp(now, probeOf(MAC)));
    expect(world.client.state).toBe('probing');
    world.act((client, now) => client.receiveArp(now, probeOf(SERVER_MAC)));
    expect(world.server.types.at(-1)).toBe('DECLINE');
  });

  it('a NAK of another server does not take the lease away while its own is asked', () => {
    const world = new World().start().run(1000);
    world.server.alter = (message) => ({
      ...message,
      type: 'NAK',
      options: { serverIdentifier: '192.0.2.66', message: 'mine' },
    });
    world.run(1_799_500);
    expect(world.client.state).toBe('renewing');
    expect(world.kinds('lost')).toEqual([]);
  });

  it('gives the address back when it is stopped, and says nothing afterwards', () => {
    const world = new World().start().run(1000);
    world.act((client, now) => client.stop(now));
    expect(world.server.heard.at(-1)).toMatchObject({
      type: 'RELEASE',
      clientAddress: '192.0.2.100',
      destination: '192.0.2.1',
    });
    expect(world.kinds('lost').length).toBe(1);
    expect(world.kinds('remember').at(-1)).toEqual({
      kind: 'remember',
      remembered: { address: '192.0.2.100', released: true },
    });
    expect(world.client.nextDeadline()).toBeUndefined();
  });

  it('without its cable it is silent, and comes back with what it had', () => {
    const world = new World().start().run(1000);
    world.act((client) => client.suspend());
    expect(world.kinds('lost').length).toBe(1);
    expect(world.client.nextDeadline()).toBeUndefined();
    world.start().run(1000);
    expect(world.server.types).toEqual(['DISCOVER', 'REQUEST', 'REQUEST']);
    expect(world.bound?.address).toBe('192.0.2.100/24');
  });

  it('says after a while that nobody answers, once, and asks on with pauses of a minute', () => {
    const world = new World();
    world.server.silent = true;
    world.start().run(3_600_000);
    expect(world.failures()).toEqual(['no DHCP server answers']);
    expect(world.server.heard.length).toBeGreaterThan(50);
    expect(world.server.heard.length).toBeLessThan(70);
    expect(world.server.heard.at(-1)?.seconds).toBeGreaterThan(3000);
  });

  it('does not take what is refused, nor more than a few of a flood of it', () => {
    const world = new World();
    world.refusal = { step: 'DHCP', reason: 'it lies in the network of interface "lan"', remedy: 'renumber' };
    world.start().run(60_000);
    expect(world.server.types.every((type) => type === 'DISCOVER')).toBe(true);
    expect(world.failures()).toEqual(['it lies in the network of interface "lan"']);
  });

  it.each<[string, Partial<DhcpMessage>]>([
    ['another transaction', { transactionId: 7 }],
    ['another client', { clientMac: Uint8Array.of(2, 0, 0, 0, 0, 9) }],
    ['another client identifier', { options: { clientIdentifier: Uint8Array.of(1, 2, 3) } }],
    ['a server', { op: 'request' }],
  ])('passes over what is meant for %s', (_what, change) => {
    const world = new World();
    world.server.alter = (message) => ({ ...message, ...change, options: { ...message.options, ...change.options } });
    world.start().run(10_000);
    expect(world.client.state).toBe('selecting');
  });

  it('a renewal that grants another address is passed over', () => {
    const world = new World().start().run(1000);
    world.server.alter = (message) => ({ ...message, yourAddress: '192.0.2.250' });
    world.run(1_800_000);
    expect(world.client.state).toBe('renewing');
    expect(world.bound?.address).toBe('192.0.2.100/24');
  });

  it.each([1, 2, 3, 4, 5].map((n) => SEED * 100 + n))(
    'comes up through a network that loses 40 %% (seed %i)',
    (seed) => {
      const world = new World();
      world.random.bytes(seed % 97);
      world.loss = 0.4;
      world.start().run(300_000);
      expect(world.client.state).toBe('bound');
      world.run(24 * 3_600_000);
      expect(['bound', 'renewing', 'rebinding']).toContain(world.client.state);
    },
  );

  it('a lease for ever needs no renewal', () => {
    const world = new World();
    world.server.leaseSeconds = 0xffff_ffff;
    world.start().run(365 * 86_400_000);
    expect(world.server.types).toEqual(['DISCOVER', 'REQUEST']);
    expect(world.bound?.seconds).toBe(Number.POSITIVE_INFINITY);
  });
});
