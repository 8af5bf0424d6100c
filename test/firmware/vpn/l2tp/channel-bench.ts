/** Client machines that call one server machine through protected channels; no loss, no delay, time by hand. */
import { concatBytes } from '../../../../firmware/protocol/bytes.ts';
import type { Failure } from '../../../../firmware/protocol/machine.ts';
import type { UdpPath } from '../../../../firmware/protocol/udp-path.ts';
import { L2tpClientMachine } from '../../../../firmware/vpn/l2tp/client-machine.ts';
import type { L2tpClientOptions } from '../../../../firmware/vpn/l2tp/client-types.ts';
import { L2tpServerMachine } from '../../../../firmware/vpn/l2tp/server-machine.ts';
import type { L2tpServerOptions, L2tpServerOutput } from '../../../../firmware/vpn/l2tp/server-types.ts';
import type { SessionShape } from '../../../../firmware/vpn/l2tp/session-shape.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';

export const OFFICE = { address: '10.20.0.2', port: 1701 };
/** All callers are behind it. */
export const NAT = { address: '198.51.100.7', port: 1701 };

/** One client behind the NAT, with port 1701 inside. */
export class Caller {
  readonly machine: L2tpClientMachine;
  /** What it put out, in order: `open-channel 10.20.0.2`, `SCCRQ` (sent), `state up` ... */
  readonly log: string[] = [];
  readonly failures: Failure[] = [];
  shape: SessionShape | undefined;
  /** Of the channel that is open, from `channelUp` to `close-channel` or its end. */
  bearer: number | undefined;
  heard = true;
  udpEncapsulation = false;
  /** Channels come up as soon as they are asked for. */
  willing = true;
  /** What it sends is lost, and so is what is sent to it. */
  cut = false;
  channels = 0;
  readonly #firstBearer: number;

  constructor(firstBearer: number, options: Partial<L2tpClientOptions>, seed: number) {
    this.#firstBearer = firstBearer;
    const protection = { heard: () => this.heard, udpEncapsulation: () => this.udpEncapsulation };
    this.machine = new L2tpClientMachine(
      {
        hostName: 'branch',
        server: 'office.example',
        port: 1701,
        user: 'bob',
        password: 'pw',
        authentication: ['chap'],
        hideAvps: false,
        mru: 1380,
        protection,
        ...options,
      },
      new SeededRandom(seed),
    );
  }

  nextBearer(): number {
    this.channels += 1;
    return this.#firstBearer + this.channels;
  }

  /** The log without what comes and goes between the milestones. */
  get milestones(): string[] {
    return this.log.filter((line) => !/^(LCP|CHAP|IPCP|CCP|PAP|HELLO|put-session)/.test(line));
  }
}

export class ChannelBench {
  readonly server: L2tpServerMachine;
  readonly outputs: L2tpServerOutput[] = [];
  readonly callers: Caller[] = [];
  readonly shapes = new Map<string, SessionShape>();
  now = 1_000;

  constructor(options: Partial<L2tpServerOptions> = {}) {
    this.server = new L2tpServerMachine(
      {
        hostName: 'office',
        localAddress: '10.98.0.1',
        pool: '10.98.0.10-10.98.0.13',
        dns: [],
        users: { bob: { password: 'pw' } },
        authentication: ['chap'],
        hideAvps: false,
        mru: 1380,
        ...options,
      },
      new SeededRandom(1),
    );
  }

  /** Callers of the same seed choose the same tunnel and session ids. */
  caller(options: Partial<L2tpClientOptions> = {}, seed = 100): Caller {
    const caller = new Caller(1000 * (this.callers.length + 1), options, seed);
    this.callers.push(caller);
    return caller;
  }

  /** Gives a caller's machine an input, and lets everything happen that comes of it. */
  input(caller: Caller, action: (machine: L2tpClientMachine, now: number) => void): void {
    action(caller.machine, this.now);
    this.exchange();
  }

  connect(caller: Caller): void {
    this.input(caller, (machine, now) => machine.connect(now));
  }

  /** The channel that the caller asked for stands. */
  channelUp(caller: Caller): void {
    const bearer = caller.nextBearer();
    caller.bearer = bearer;
    this.input(caller, (machine, now) => machine.channelUp(now, { remote: OFFICE, local: NAT, bearer }));
  }

  /** The caller's channel ends, on its side alone. */
  channelDown(caller: Caller, failure: Failure): void {
    caller.bearer = undefined;
    this.input(caller, (machine, now) => machine.channelDown(now, failure));
  }

  wait(seconds: number): void {
    const end = this.now + seconds * 1000;
    for (let at = this.#next(); at !== undefined && at <= end; at = this.#next()) {
      this.now = Math.max(this.now, at);
      this.server.tick(this.now);
      for (const { machine } of this.callers) machine.tick(this.now);
      this.exchange();
    }
    this.now = end;
  }

  exchange(): void {
    for (let busy = true; busy; ) {
      busy = false;
      for (const caller of this.callers) {
        for (let output = caller.machine.poll(); output; output = caller.machine.poll()) {
          busy = true;
          this.#onClient(caller, output);
        }
      }
      for (let output = this.server.poll(); output; output = this.server.poll()) {
        busy = true;
        this.#onServer(output);
      }
    }
  }

  #onClient(caller: Caller, output: NonNullable<ReturnType<L2tpClientMachine['poll']>>): void {
    switch (output.kind) {
      case 'resolve':
        caller.log.push('resolve');
        caller.machine.resolved(this.now, [OFFICE.address]);
        return;
      case 'open-channel':
        caller.log.push(`open-channel ${output.address}`);
        if (caller.willing) this.channelUp(caller);
        return;
      case 'close-channel':
        caller.log.push('close-channel');
        if (caller.bearer !== undefined) this.server.bearerGone(this.now, caller.bearer, CLOSED);
        caller.bearer = undefined;
        return;
      case 'send':
        if (output.path.bearer === undefined || output.path.bearer !== caller.bearer) {
          throw new Error('a datagram outside the channel');
        }
        if (!caller.cut) this.server.receive(this.now, output.datagram, this.#pathOf(caller));
        return;
      case 'ppp-send':
        if (!caller.cut && caller.shape && caller.bearer !== undefined) {
          const { peerTunnelId, peerSessionId } = caller.shape;
          this.server.receiveFrame(this.now, `${peerTunnelId}/${peerSessionId}`, concatBytes(output.frame));
        }
        return;
      case 'step':
        if (output.direction === 'sent') caller.log.push(output.step);
        return;
      case 'state':
        caller.log.push(`state ${output.state}`);
        if (output.failure) caller.failures.push(output.failure);
        return;
      case 'put-session':
        caller.shape = output.shape;
        caller.log.push('put-session');
        return;
      case 'remove-session':
        caller.shape = undefined;
        caller.log.push('remove-session');
        return;
      default:
        caller.log.push(output.kind);
    }
  }

  #onServer(output: L2tpServerOutput): void {
    this.outputs.push(output);
    if (output.kind === 'put-session') this.shapes.set(output.id, output.shape);
    if (output.kind === 'remove-session') this.shapes.delete(output.id);
    if (output.kind === 'send') {
      const to = this.#callerBy(output.path.bearer);
      to?.machine.receive(this.now, output.datagram, { remote: OFFICE, local: NAT, bearer: to.bearer ?? 0 });
    }
    if (output.kind === 'ppp-send') {
      const to = this.#callerBy(this.shapes.get(output.id)?.path.bearer);
      to?.machine.receiveFrame(this.now, concatBytes(output.frame));
    }
  }

  #callerBy(bearer: number | undefined): Caller | undefined {
    return this.callers.find((caller) => bearer !== undefined && caller.bearer === bearer && !caller.cut);
  }

  /** As the server sees it: the outer address of the NAT, the inner port, and the bearer. */
  #pathOf({ bearer }: Caller): UdpPath {
    return { remote: NAT, local: OFFICE, bearer: bearer ?? 0 };
  }

  #next(): number | undefined {
    const deadlines = [this.server.nextDeadline(), ...this.callers.map(({ machine }) => machine.nextDeadline())];
    const known = deadlines.filter((at) => at !== undefined);
    return known.length === 0 ? undefined : Math.min(...known);
  }
}

const CLOSED: Failure = { step: 'IKE', reason: 'the peer closed the channel', remedy: 'nothing is wrong' };
