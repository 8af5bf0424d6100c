import { describe, expect, it, vi } from 'vitest';
import { concatBytes } from '../../../../firmware/protocol/bytes.ts';
import { L2tpEndpoint } from '../../../../firmware/protocol/l2tp/endpoint.ts';
import { PppLink } from '../../../../firmware/protocol/ppp/link.ts';
import type { UdpPath } from '../../../../firmware/protocol/udp-path.ts';
import { L2tpClientMachine } from '../../../../firmware/vpn/l2tp/client-machine.ts';
import { L2tpServerMachine } from '../../../../firmware/vpn/l2tp/server-machine.ts';
import type { L2tpServerOptions, L2tpServerOutput } from '../../../../firmware/vpn/l2tp/server-types.ts';
import type { SessionShape } from '../../../../firmware/vpn/l2tp/session-shape.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';

const OFFICE = { address: '10.20.0.2', port: 1701 };

interface Branch {
  readonly machine: L2tpClientMachine;
  readonly path: UdpPath;
  shape: SessionShape | undefined;
}

/** One server machine and many client machines, joined without loss or delay. */
class Office {
  readonly server: L2tpServerMachine;
  readonly outputs: L2tpServerOutput[] = [];
  readonly branches: Branch[] = [];
  readonly #shapes = new Map<string, SessionShape>();
  now = 0;

  constructor(options: Partial<L2tpServerOptions> = {}) {
    this.server = new L2tpServerMachine(
      {
        hostName: 'office',
        localAddress: '10.98.0.1',
        pool: '10.98.0.10-10.98.0.13',
        dns: [],
        users: {},
        authentication: ['pap'],
        hideAvps: false,
        mru: 1400,
        ...options,
      },
      new SeededRandom(1),
    );
  }

  dial(user: string): Branch {
    const index = this.branches.length;
    const machine = new L2tpClientMachine(
      {
        hostName: `branch-${index}`,
        server: 'office.example',
        port: 1701,
        user,
        password: 'pw',
        authentication: ['pap'],
        hideAvps: false,
        mru: 1400,
      },
      new SeededRandom(100 + index),
    );
    const remote = { address: `10.20.${1 + (index >> 8)}.${index & 255}`, port: 40_000 };
    const branch: Branch = { machine, path: { remote, local: OFFICE }, shape: undefined };
    this.branches.push(branch);
    machine.connect(this.now);
    this.exchange(branch);
    return branch;
  }

  /** Until neither this branch nor the server has anything to say. */
  exchange(branch?: Branch): void {
    for (let busy = true; busy; ) {
      busy = false;
      for (const each of branch ? [branch] : this.branches) {
        for (let output = each.machine.poll(); output; output = each.machine.poll()) {
          busy = true;
          if (output.kind === 'resolve') each.machine.resolved(this.now, [OFFICE.address]);
          else if (output.kind === 'send') this.server.receive(this.now, output.datagram, each.path);
          else if (output.kind === 'put-session') each.shape = output.shape;
          else if (output.kind === 'ppp-send' && each.shape) {
            this.server.receiveFrame(this.now, idOf(each.shape), concatBytes(output.frame));
          }
        }
      }
      for (let output = this.server.poll(); output; output = this.server.poll()) {
        busy = true;
        this.#handle(output);
      }
    }
  }

  /** Ticks the server alone, at each of its deadlines. */
  wait(seconds: number): void {
    const until = this.now + seconds * 1000;
    for (let at = this.server.nextDeadline(); at !== undefined && at <= until; at = this.server.nextDeadline()) {
      this.now = Math.max(this.now, at);
      this.server.tick(this.now);
      for (const branch of this.branches) branch.machine.tick(this.now);
      this.exchange();
    }
    this.now = until;
  }

  kinds(...wanted: L2tpServerOutput['kind'][]): string[] {
    return this.outputs.flatMap((output) => (wanted.includes(output.kind) ? [output.kind] : []));
  }

  #handle(output: L2tpServerOutput): void {
    this.outputs.push(output);
    if (output.kind === 'put-session') this.#shapes.set(output.id, output.shape);
    if (output.kind === 'send') {
      const to = this.branches.find(({ path }) => path.remote.address === output.path.remote.address);
      to?.machine.receive(this.now, output.datagram, { remote: OFFICE, local: to.path.remote });
    }
    if (output.kind === 'ppp-send') {
      const address = this.#shapes.get(output.id)?.path.remote.address;
      const to = this.branches.find(({ path }) => path.remote.address === address);
      to?.machine.receiveFrame(this.now, concatBytes(output.frame));
    }
  }
}

const idOf = (shape: SessionShape): string => `${shape.peerTunnelId}/${shape.peerSessionId}`;

describe('the address of a session', () => {
  it('is free again on every way out: hang-up, silence, wrong password, shutdown', () => {
    const office = new Office({ users: { bob: { password: 'pw' } } });
    for (let round = 0; round < 6; round += 1) {
      const branch = office.dial('bob');
      expect(branch.machine.network?.localAddress).toBeDefined();
      branch.machine.disconnect(office.now);
      office.exchange();
      expect(office.dial('mallory').machine.network).toBeUndefined();
    }
    office.dial('bob');
    office.server.shutdown(office.now);
    office.exchange();
    expect(office.kinds('user-up')).toHaveLength(office.kinds('user-down').length);
    expect(office.outputs.filter((output) => output.kind === 'session-ended').length).toBeGreaterThan(6);
  });

  it('is refused in words when the pool is used up', () => {
    const office = new Office({ users: { bob: { password: 'pw' } } });
    for (let index = 0; index < 4; index += 1) office.dial('bob');
    office.dial('bob');
    const ended = office.outputs.find((output) => output.kind === 'session-ended');
    expect(ended).toMatchObject({ failure: { reason: expect.stringContaining('pool') } });
  });
});

describe('a user who dials in twice', () => {
  it('is put out of the first session where the address or the networks can only be in one place', () => {
    const office = new Office({ users: { bob: { password: 'pw', address: '10.98.0.77' } } });
    office.dial('bob');
    office.dial('bob');
    const told = office.kinds('user-up', 'user-down', 'remove-session');
    expect(told).toEqual(['user-up', 'user-down', 'remove-session', 'user-up']);
    const shapes = office.outputs.filter((output) => output.kind === 'put-session' && output.shape.network);
    const removed = office.outputs.findIndex((output) => output.kind === 'remove-session');
    const [, second] = shapes;
    expect(second && office.outputs.indexOf(second)).toBeGreaterThan(removed);
  });

  it('keeps both where nothing speaks against it', () => {
    const office = new Office({ users: { bob: { password: 'pw' } } });
    const addresses = [office.dial('bob'), office.dial('bob')].map(({ machine }) => machine.network?.localAddress);
    expect(new Set(addresses).size).toBe(2);
    expect(office.kinds('user-down')).toEqual([]);
  });
});

describe('a server that demands no authentication', () => {
  it('gives addresses to peers without a name', () => {
    const office = new Office({ authentication: [] });
    const branch = office.dial('anybody');
    expect(branch.machine.state).toBe('up');
    expect(branch.machine.authentication).toBeUndefined();
    expect(office.outputs).toContainEqual(expect.objectContaining({ kind: 'user-up', user: '' }));
  });
});

describe('a tunnel without sessions', () => {
  it('is cleared after a minute, with a word about why', () => {
    const office = new Office();
    const lac = new L2tpEndpoint({ hostName: 'lac', hello: { idleMs: 1_000_000 } }, new SeededRandom(7));
    const path = { remote: { address: '10.20.0.9', port: 40_000 }, local: OFFICE };
    lac.openTunnel(0, { path: { remote: OFFICE, local: path.remote } });
    const exchange = (): void => {
      for (let busy = true; busy; ) {
        busy = false;
        for (let output = lac.poll(); output; output = lac.poll()) {
          busy = true;
          if (output.kind === 'send') office.server.receive(office.now, output.datagram, path);
        }
        for (let output = office.server.poll(); output; output = office.server.poll()) {
          busy = true;
          office.outputs.push(output);
          if (output.kind === 'send') lac.receive(office.now, output.datagram, { remote: OFFICE, local: path.remote });
        }
      }
    };
    const wait = (until: number): void => {
      for (let at = office.server.nextDeadline(); at !== undefined && at <= until; at = office.server.nextDeadline()) {
        office.now = Math.max(office.now, at);
        office.server.tick(office.now);
        exchange();
      }
      office.now = until;
    };
    exchange();
    wait(59_000);
    expect(office.server.tunnels).toMatchObject([{ state: 'established' }]);
    wait(61_000);
    expect(office.server.tunnels).toEqual([]);
    expect(office.kinds('tunnel-ended')).toHaveLength(1);
    wait(200_000);
    expect(office.server.nextDeadline()).toBeUndefined();
  });
});

describe('a server with a thousand sessions', () => {
  it('does not look at the others when one of them says something', () => {
    const limits = { halfOpenTotal: 2_000 };
    const office = new Office({ users: { bob: { password: 'pw' } }, limits, pool: '10.98.0.10-10.98.8.0' });
    for (let index = 0; index < 1_000; index += 1) office.dial('bob');
    expect(office.kinds('user-up')).toHaveLength(1_000);
    const shape = office.branches[500]?.shape;
    if (!shape) throw new Error('there is no session');
    // Once for all, what stands in the queue from their set-up is put right.
    office.server.nextDeadline();
    const deadlines = vi.spyOn(PppLink.prototype, 'nextDeadline');
    const polls = vi.spyOn(PppLink.prototype, 'poll');
    const ECHO = Uint8Array.of(0xc0, 0x21, 9, 1, 0, 8, 0, 0, 0, 0);
    for (let count = 0; count < 100; count += 1) {
      office.now += 1;
      office.server.receiveFrame(office.now, idOf(shape), ECHO);
      office.server.nextDeadline();
      for (let output = office.server.poll(); output; output = office.server.poll());
    }
    expect(deadlines.mock.calls.length).toBeLessThan(1_000);
    expect(polls.mock.calls.length).toBeLessThan(1_000);
    vi.restoreAllMocks();
  });

  it('still asks each of them for a sign of life when it is due', () => {
    const office = new Office({ users: { bob: { password: 'pw' } }, pool: '10.98.0.10-10.98.0.200' });
    for (let index = 0; index < 50; index += 1) {
      office.now += 7;
      office.dial('bob');
    }
    office.outputs.length = 0;
    office.wait(11);
    const asked = new Set(office.outputs.flatMap((output) => (output.kind === 'ppp-send' ? [output.id] : [])));
    expect(asked.size).toBe(50);
  });
});
