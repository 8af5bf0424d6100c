import { describe, expect, it } from 'vitest';
import { utf8Bytes } from '../../../../firmware/protocol/bytes.ts';
import type { Failure } from '../../../../firmware/protocol/machine.ts';
import { firstValue, type RadiusAttribute } from '../../../../firmware/protocol/radius/attribute-value.ts';
import { CODE, type ReadPacket, readPacket } from '../../../../firmware/protocol/radius/packet.ts';
import { sealResponse } from '../../../../firmware/protocol/radius/sealing.ts';
import { serverStatus } from '../../../../firmware/router/l2tp-status.ts';
import type { L2tpServerOptions } from '../../../../firmware/vpn/l2tp/server-types.ts';
import type { GrantSurroundings } from '../../../../firmware/vpn/l2tp/user-grant.ts';
import { DriverBench } from './driver-bench.ts';

const SECRET = utf8Bytes('a shared secret');
const NAS = { identifier: 'office', address: '10.20.0.2' };

/** A branch, head office, and a RADIUS server that lets everybody in, with these attributes. */
class RadiusBench extends DriverBench {
  granted: readonly RadiusAttribute[] = [];
  code: number = CODE.accessAccept;
  readonly questions: ReadPacket[] = [];
  readonly records: ReadPacket[] = [];

  constructor(
    server: Partial<L2tpServerOptions> = {},
    review: GrantSurroundings['review'] = (): Failure | undefined => undefined,
  ) {
    const one = { port: 1812, accountingPort: 1813, secret: SECRET, timeoutMs: 1000, tries: 2 };
    const radius = { nas: NAS, accounting: true, interimMs: 5000, review };
    super(
      { user: 'alice', password: 'alice-pw' },
      { users: {}, radius, ...server },
      {
        client: { servers: [{ ...one, host: '10.0.0.5' }], requireMessageAuthenticator: true, deadMs: 10_000 },
        nas: NAS,
        accounting: true,
      },
    );
    this.radius = (request) => this.#answer(readPacket(request));
  }

  #answer(packet: ReadPacket): Uint8Array {
    const accounting = packet.code === CODE.accountingRequest;
    (accounting ? this.records : this.questions).push(packet);
    const { identifier, authenticator } = packet;
    const code = accounting ? CODE.accountingResponse : this.code;
    const attributes = accounting ? [] : this.granted;
    return sealResponse({ code, identifier, authenticator, attributes }, SECRET);
  }

  /** `Start alice`, by Acct-Status-Type and user. */
  get told(): readonly string[] {
    const names: Readonly<Record<number, string>> = { 1: 'start', 2: 'stop', 3: 'interim', 7: 'on', 8: 'off' };
    return this.records.map(({ attributes }) => names[firstValue(attributes, 'acctStatusType') ?? 0] ?? '?');
  }

  /** Acct-Terminate-Cause of the last record. */
  get cause(): number | undefined {
    return firstValue(this.records.at(-1)?.attributes ?? [], 'acctTerminateCause');
  }

  async dial(): Promise<void> {
    await this.server.start();
    this.client.connect();
    await this.run(2);
  }

  async stopServer(): Promise<void> {
    let stopped = false;
    const stopping = this.server.stop().then(() => {
      stopped = true;
    });
    for (let step = 0; !stopped && step < 100; step += 1) await this.run(0.1);
    await stopping;
  }
}

describe('a server whose users RADIUS judges', () => {
  it('asks with what it knows of the call, and gives what the answer grants', async () => {
    const bench = new RadiusBench();
    bench.granted = [
      { name: 'framedIpAddress', value: '10.98.0.77' },
      { name: 'framedRoute', value: '192.168.40.0/24' },
      { name: 'msPrimaryDnsServer', value: '10.0.0.53' },
      { name: 'framedMtu', value: 1300 },
    ];
    await bench.dial();
    expect(bench.client.state).toBe('up');
    const { attributes } = bench.questions[0] ?? { attributes: [] };
    expect(firstValue(attributes, 'userName')).toEqual(utf8Bytes('alice'));
    expect(firstValue(attributes, 'nasIdentifier')).toEqual(utf8Bytes('office'));
    expect(firstValue(attributes, 'tunnelClientEndpoint')).toBe('10.20.0.9');
    expect(bench.client.machine.network).toMatchObject({ localAddress: '10.98.0.77', dns: ['10.0.0.53'] });
    const [session] = [...bench.office.dataPlane.sessions.values()];
    expect(session?.network).toMatchObject({ mtu: 1300, sources: ['10.98.0.77/32', '192.168.40.0/24'] });
    expect(bench.office.networks.standing.get('l2tp-office')?.prefixes).toContain('192.168.40.0/24');
  });

  it('tells RADIUS of itself and of every session, with the same name in question and records', async () => {
    const bench = new RadiusBench();
    await bench.dial();
    await bench.run(11);
    expect(bench.told).toEqual(['on', 'start', 'interim', 'interim']);
    const session = firstValue(bench.questions[0]?.attributes ?? [], 'acctSessionId');
    expect(firstValue(bench.records[1]?.attributes ?? [], 'acctSessionId')).toEqual(session);
    bench.client.disconnect();
    await bench.run(1);
    expect([bench.told.at(-1), bench.cause]).toEqual(['stop', 1]);
    bench.client.connect();
    await bench.run(1);
    expect(firstValue(bench.records.at(-1)?.attributes ?? [], 'acctSessionId')).not.toEqual(session);
    await bench.stopServer();
    expect(bench.told.slice(-3)).toEqual(['start', 'stop', 'off']);
    expect(bench.office.dataPlane.leftovers).toBe(0);
  });

  it('refuses whom RADIUS rejects', async () => {
    const bench = new RadiusBench();
    bench.code = CODE.accessReject;
    await bench.dial();
    expect(bench.client.state).toBe('failed');
    expect(bench.office.steps).toContain('RADIUS: Access-Reject');
    expect(bench.office.steps.join('\n')).toMatch(/session ended: .*not prove itself as user alice/);
    expect(bench.told).toEqual(['on']);
  });

  it('judges users of the configuration itself, and accounts for them too', async () => {
    const bench = new RadiusBench({ users: { alice: { password: 'alice-pw' } } });
    await bench.dial();
    expect(bench.client.state).toBe('up');
    expect(bench.questions).toEqual([]);
    expect(firstValue(bench.records[1]?.attributes ?? [], 'acctAuthentic')).toBe(2);
  });

  it('refuses in words, and in time, when no RADIUS server answers', async () => {
    const bench = new RadiusBench();
    bench.radius = () => undefined;
    const frames: string[] = [];
    const { dataPlane } = bench.office;
    const send = dataPlane.sendPppFrame.bind(dataPlane);
    dataPlane.sendPppFrame = (session, frame) => {
      frames.push(Buffer.from(frame).toString('latin1'));
      send(session, frame);
    };
    await bench.dial();
    await bench.run(4);
    expect(bench.branch.states.some((state) => state.startsWith('failed'))).toBe(true);
    // Which servers there are is nothing for a stranger.
    expect(frames.join()).toContain('users cannot be judged here at present');
    expect(frames.join() + bench.branch.states.join()).not.toContain('10.0.0.5');
    expect(bench.office.steps.join('\n')).toMatch(
      /session ended: .*RADIUS: the RADIUS server 10\.0\.0\.5:1812 does not/,
    );
  });

  it('shows in its status whether the RADIUS servers answer, and why not', async () => {
    const bench = new RadiusBench();
    await bench.dial();
    const authentication = { service: 'authentication', address: '10.0.0.5:1812', state: 'answers', answers: 1 };
    const accounting = { service: 'accounting', address: '10.0.0.5:1813', state: 'answers', answers: 2 };
    expect(serverStatus(bench.server, new Map()).l2tp[0]?.radius).toMatchObject([authentication, accounting]);
    bench.radius = () => undefined;
    await bench.run(20);
    expect(serverStatus(bench.server, new Map()).l2tp[0]?.radius?.[1]).toMatchObject({
      state: 'silent',
      reason: 'the RADIUS server 10.0.0.5:1813 does not answer',
      remedy: expect.stringContaining('UDP port 1813'),
    });
  });

  it('gives no address that is another user’s', async () => {
    const bench = new RadiusBench({ users: { bob: { password: 'bob-pw', address: '10.98.0.77' } } });
    bench.granted = [{ name: 'framedIpAddress', value: '10.98.0.77' }];
    await bench.dial();
    expect(bench.office.steps.join('\n')).toContain('the Framed-IP-Address 10.98.0.77 is that of user bob');
    expect(bench.client.state).not.toBe('up');
  });

  it('ends a session when its time is up, and tells so', async () => {
    const bench = new RadiusBench();
    bench.granted = [{ name: 'sessionTimeout', value: 10 }];
    await bench.dial();
    expect(bench.branch.steps).toContain('LCP notice: 10 s remaining: the session ends then');
    await bench.run(7);
    expect(bench.client.state).toBe('up');
    await bench.run(2);
    expect(bench.told).toContain('stop');
    const stop = bench.records.find(({ attributes }) => firstValue(attributes, 'acctStatusType') === 2);
    expect(firstValue(stop?.attributes ?? [], 'acctTerminateCause')).toBe(5);
  });

  it('ends a session that carries nothing for its idle time', async () => {
    const bench = new RadiusBench();
    bench.granted = [{ name: 'idleTimeout', value: 4 }];
    await bench.dial();
    const [key = 0] = [...bench.office.dataPlane.sessions.keys()];
    for (let packets = 1; packets < 5; packets += 1) {
      bench.office.dataPlane.received.set(key, packets);
      await bench.run(2);
    }
    expect(bench.told).not.toContain('stop');
    await bench.run(5);
    const stop = bench.records.find(({ attributes }) => firstValue(attributes, 'acctStatusType') === 2);
    expect(firstValue(stop?.attributes ?? [], 'acctTerminateCause')).toBe(4);
  });

  it('gives no address that is impossible here, and says whose mistake that is', async () => {
    const reason = 'the Framed-IP-Address, 10.99.0.7, lies in the network of interface "lan"';
    const bench = new RadiusBench({}, (granted) =>
      'address' in granted ? { step: 'IPCP', reason, remedy: 'correct it' } : undefined,
    );
    bench.granted = [{ name: 'framedIpAddress', value: '10.99.0.7' }];
    await bench.dial();
    expect(bench.client.state).toBe('failed');
    expect(bench.office.steps.join('\n')).toContain(`IPCP: ${reason}`);
  });

  it('forgets what it has asked when the caller hangs up meanwhile', async () => {
    const bench = new RadiusBench();
    const answer = bench.radius;
    bench.radius = (request, remote) => (remote.port === 1813 ? answer(request, remote) : undefined);
    await bench.server.start();
    bench.client.connect();
    await bench.run(0.5);
    bench.client.disconnect();
    await bench.run(20);
    expect(bench.told).toEqual(['on']);
    expect(bench.server.radius?.servers[0]?.state).not.toBe('silent');
  });
});
