import type { Clock } from '../../../hal/clock.ts';
import { HalError } from '../../../hal/hal-error.ts';
import { formatMac, type PacketSocket, type PacketSockets, parseMac } from '../../../hal/packet-socket.ts';
import type { Failure, RandomSource } from '../../protocol/machine.ts';
import { emptyPppHeader, readPppHeader } from '../../protocol/ppp/header.ts';
import { PppoeDiscovery, type PppoeDiscoveryOutput, type PppoeSession } from '../../protocol/pppoe/discovery.ts';
import {
  ETHERTYPE_PPPOE_DISCOVERY,
  ETHERTYPE_PPPOE_SESSION,
  PPPOE_HEADER,
  PPPOE_MRU,
  PPPOE_OVERHEAD,
  sessionFrameLength,
  sessionIdOf,
} from '../../protocol/pppoe/packet.ts';
import { MachineRunner } from '../../vpn/machine-runner.ts';
import { errorText, internalFailure, type Step } from '../../vpn/steps.ts';
import { type PppLine, PppLineError, type PppLineSource } from '../ppp-line.ts';
import type { SessionMemory } from './pppoe-memory.ts';

export interface PppoeLineOptions {
  /** Of the uplink: by it the last session is remembered. */
  readonly name: string;
  /** Of Ethernet, or a VLAN on one; up. */
  readonly device: string;
  readonly serviceName?: string;
  readonly accessConcentrator?: string;
  /** Largest packet that is wanted, octets; above 1492 it is asked for, if the device carries 8 octets more (RFC 4638). Default 1492. */
  readonly mtu?: number;
}

export interface PppoeLineServices {
  readonly sockets: PacketSockets;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly memory: SessionMemory;
  readonly onStep: (step: Step) => void;
}

/** Frames of a session that came before the data plane listened. */
const MAX_EARLY = 8;

/** PPPoE as a source of lines (RFC 2516, RFC 4638). */
export class PppoeLine implements PppLineSource {
  readonly #options: PppoeLineOptions;
  readonly #services: PppoeLineServices;

  constructor(options: PppoeLineOptions, services: PppoeLineServices) {
    this.#options = options;
    this.#services = services;
  }

  async dial(signal: AbortSignal): Promise<PppLine> {
    const { device } = this.#options;
    const discovery = await this.#open(ETHERTYPE_PPPOE_DISCOVERY);
    // The concentrator begins to talk as soon as it has confirmed, which is before the data plane can listen.
    const session = await this.#open(ETHERTYPE_PPPOE_SESSION).catch((error: unknown) => {
      discovery.close();
      throw error;
    });
    const dialling = new Dialling(this.#options, this.#services, discovery, session, this.#maxPayload(discovery.mtu));
    const cancel = (): void => dialling.fail({ step: 'PADI', reason: `${device} is not wanted`, remedy: 'none' });
    signal.addEventListener('abort', cancel);
    try {
      if (signal.aborted) cancel();
      return await dialling.line;
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }

  async #open(etherType: number): Promise<PacketSocket> {
    try {
      return await this.#services.sockets.open({ device: this.#options.device, etherType });
    } catch (error) {
      const remedy = error instanceof HalError && error.code === 'ENODEV' ? 'plug it in' : 'see the log';
      throw new PppLineError({ step: 'PPPoE', reason: errorText(error).replace(/\.$/, ''), remedy });
    }
  }

  /** Largest PPP information field that this side carries, octets. */
  #maxPayload(deviceMtu: number): number {
    const { mtu = PPPOE_MRU, device } = this.#options;
    const room = deviceMtu - PPPOE_OVERHEAD;
    if (mtu > room && mtu > PPPOE_MRU) {
      const detail = `${device} has an MTU of ${deviceMtu}, so that ${Math.min(room, PPPOE_MRU)} octets fit instead of ${mtu}: set it to ${mtu + PPPOE_OVERHEAD}`;
      this.#services.onStep({ step: 'MTU', detail });
    }
    return mtu <= room ? mtu : Math.min(room, PPPOE_MRU);
  }
}

/** Refusals of a send that are over in a moment. */
const PASSING: ReadonlySet<string> = new Set(['ENOBUFS', 'EAGAIN']);

/** One attempt, and the line that comes of it. */
class Dialling {
  readonly line: Promise<PppLine>;
  readonly #options: PppoeLineOptions;
  readonly #services: PppoeLineServices;
  readonly #discovery: PacketSocket;
  readonly #early: EarlyFrames;
  readonly #machine: PppoeDiscovery;
  readonly #runner: MachineRunner<PppoeDiscoveryOutput>;
  readonly #standing = Promise.withResolvers<PppLine>();
  readonly #ended = Promise.withResolvers<Failure>();
  #stood = false;
  #over = false;

  constructor(
    options: PppoeLineOptions,
    services: PppoeLineServices,
    discovery: PacketSocket,
    session: PacketSocket,
    maxPayload: number,
  ) {
    this.#options = options;
    this.#services = services;
    this.#discovery = discovery;
    this.#early = new EarlyFrames(session);
    this.line = this.#standing.promise;
    this.#machine = new PppoeDiscovery({ ...options, maxPayload }, services.random);
    this.#runner = new MachineRunner(
      this.#machine,
      services.clock,
      (output) => this.#handle(output),
      (error) => this.fail(internalFailure(error)),
    );
    discovery.onFrame = ({ sourceMac, payload }) => {
      const mac = parseMac(sourceMac);
      if (mac !== undefined) this.#runner.run((now) => this.#machine.receive(now, mac, payload));
    };
    void discovery.ended.then((end) => {
      const reason = `the network device ${options.device} was removed`;
      if (end === 'gone') this.fail({ step: 'PPPoE', reason, remedy: 'plug it in' });
    });
    this.#runner.run((now) => {
      this.#endLast();
      this.#machine.start(now);
    });
  }

  /** Ends the attempt, or the line. */
  fail(failure: Failure): void {
    if (this.#over) return;
    this.#runner.run(() => this.#machine.stop());
    this.#end(failure);
  }

  /**
   * A concentrator may hold the last session still, and refuse a second one: after a crash, or a cable that was out at the
   * goodbye. It is said before each attempt until another session stands, for nothing answers it.
   */
  #endLast(): void {
    const { name, device } = this.#options;
    const last = this.#services.memory.recall(name);
    const mac = last?.device === device ? parseMac(last.peerMac) : undefined;
    if (last !== undefined && mac !== undefined) this.#machine.terminate(mac, last.sessionId);
  }

  #handle(output: PppoeDiscoveryOutput): void {
    switch (output.kind) {
      case 'send': {
        if (this.#over) return;
        const refusal = this.#discovery.send(formatMac(output.destination), output.packet);
        if (refusal !== undefined) this.#refused(refusal);
        return;
      }
      case 'step':
        this.#services.onStep(output);
        return;
      case 'up':
        this.#stand(output.session);
        return;
      case 'over':
        // A session that the concentrator has ended itself needs no goodbye.
        if (this.#stood) this.#services.memory.remember(this.#options.name, undefined);
        this.#end(output.failure);
        return;
    }
  }

  /** What passes is asked again soon; what does not ends the attempt, in its own words and not for want of an answer. */
  #refused({ code, message }: HalError): void {
    this.#services.onStep({ step: 'PPPoE', detail: message });
    if (this.#machine.session !== undefined || PASSING.has(code)) return;
    const reason = `nothing can be sent by ${this.#options.device} (${code})`;
    this.fail({ step: 'PPPoE', reason, remedy: 'set the interface up, or plug it in' });
  }

  #stand({ peerMac, sessionId, concentrator, maxPayload }: PppoeSession): void {
    const { name, device } = this.#options;
    this.#services.memory.remember(name, { device, peerMac: formatMac(peerMac), sessionId });
    this.#stood = true;
    this.#early.expect(peerMac, sessionId);
    this.#standing.resolve({
      carrier: { kind: 'pppoe', device, peerMac, sessionId },
      mru: maxPayload,
      peer: `access concentrator ${concentrator}`,
      ended: this.#ended.promise,
      takeEarly: () => this.#early.take(),
      straySession: (id) => this.#runner.run(() => this.#machine.terminate(peerMac, id)),
      hangUp: async () => {
        if (this.#over) return;
        this.#runner.run(() => this.#machine.stop());
        this.#close();
      },
    });
  }

  #end(failure: Failure): void {
    if (this.#over) return;
    this.#close();
    this.#ended.resolve(failure);
    this.#standing.reject(new PppLineError(failure));
  }

  #close(): void {
    this.#over = true;
    this.#runner.stop();
    this.#early.take();
    this.#discovery.close();
  }
}

/** PPP frames of the session that came before the data plane listened. */
class EarlyFrames {
  readonly #socket: PacketSocket;
  #frames: { readonly sourceMac: string; readonly payload: Uint8Array }[] = [];
  #session: { readonly mac: string; readonly id: number } | undefined;

  constructor(socket: PacketSocket) {
    this.#socket = socket;
    socket.onFrame = (frame) => {
      if (!this.#isOf(frame)) return;
      // Before the session is known, the latest are more likely to be of it.
      if (this.#frames.length >= MAX_EARLY) this.#frames.shift();
      this.#frames.push(frame);
    };
  }

  expect(mac: Uint8Array, id: number): void {
    this.#session = { mac: formatMac(mac), id };
    this.#frames = this.#frames.filter((frame) => this.#isOf(frame));
  }

  /** Bare PPP frames. None comes after this. */
  take(): readonly Uint8Array[] {
    this.#socket.close();
    const header = emptyPppHeader();
    const frames = this.#frames.flatMap(({ payload }) => {
      const length = sessionFrameLength(payload, 0, payload.length);
      if (length < 0 || !readPppHeader(payload, PPPOE_HEADER, PPPOE_HEADER + length, header)) return [];
      const { protocol, offset, length: octets } = header;
      return [Uint8Array.of(protocol >>> 8, protocol & 0xff, ...payload.subarray(offset, offset + octets))];
    });
    this.#frames = [];
    return frames;
  }

  #isOf({ sourceMac, payload }: { readonly sourceMac: string; readonly payload: Uint8Array }): boolean {
    const { mac, id } = this.#session ?? {};
    return mac === undefined || (sourceMac === mac && sessionIdOf(payload, 0) === id);
  }
}
