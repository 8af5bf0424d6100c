import type { Clock } from '../../../hal/clock.ts';
import type { Links } from '../../../hal/links.ts';
import { TaskQueue } from '../../config/task-queue.ts';
import type { InterfaceId, SessionKey } from '../../dataplane/data-plane.ts';
import type { LineId } from '../../dataplane/ppp-carrier.ts';
import type { Failure, RandomSource } from '../../protocol/machine.ts';
import type { DataPlaneDispatch, LineEvent } from '../../vpn/data-plane-dispatch.ts';
import { MachineRunner } from '../../vpn/machine-runner.ts';
import { errorText, internalFailure, type Step } from '../../vpn/steps.ts';
import { type PppLine, PppLineError, type PppLineSource } from '../ppp-line.ts';
import type { LinkView, UplinkAddressing, UplinkLink } from '../uplink-types.ts';
import { PppUplinkMachine } from './ppp-uplink-machine.ts';
import type {
  LinkAgreement,
  PppNetwork,
  PppUplinkOptions,
  PppUplinkOutput,
  PppUplinkStatus,
} from './ppp-uplink-types.ts';

export interface PppUplinkServices {
  readonly dispatch: DataPlaneDispatch;
  readonly clock: Clock;
  readonly random: RandomSource;
  /** Puts the address on the device. */
  readonly links: Pick<Links, 'addAddress'>;
  readonly onStep: (step: Step) => void;
  /** Counts what a session carries, where somebody wants to know; what it gives is called before the session goes. */
  readonly meter?: (session: SessionKey) => () => Promise<void>;
}

/** A line in the data plane, and what uses it. */
interface OpenLine {
  readonly line: PppLine;
  readonly id: LineId;
  readonly session: SessionKey;
  readonly endMeter?: () => Promise<void>;
}

/** All that a peer may send: an uplink leads everywhere. */
const EVERYWHERE = ['0.0.0.0/0'];

/** Gives the machine its hands: lines of a {@link PppLineSource}, a session in the data plane, a TUN, a clock. */
export class PppUplink implements UplinkLink {
  readonly #device: string;
  readonly #source: PppLineSource;
  readonly #services: PppUplinkServices;
  readonly #machine: PppUplinkMachine;
  readonly #runner: MachineRunner<PppUplinkOutput>;
  /** Line, device and address change one after the other; frames never wait for them. */
  readonly #tasks = new TaskQueue();
  readonly #stopWaiters = new Set<() => void>();
  #dialling: AbortController | undefined;
  #open: OpenLine | undefined;
  #interface: InterfaceId | undefined;
  #link: LinkAgreement | undefined;
  #addressing: UplinkAddressing | undefined;
  /** Counts `network-up`s, so that a slow set-up does not open a network that is gone again. */
  #generation = 0;
  #tellPlanned = false;
  onChange: (() => void) | undefined;

  /** @param device of the TUN, which exists while the link is up; 1..15 octets. */
  constructor(device: string, source: PppLineSource, options: PppUplinkOptions, services: PppUplinkServices) {
    this.#device = device;
    this.#source = source;
    this.#services = services;
    this.#machine = new PppUplinkMachine(options, services.random);
    this.#runner = new MachineRunner(
      this.#machine,
      services.clock,
      (output) => this.#handle(output),
      (error) => this.#fail(internalFailure(error)),
    );
  }

  view(): LinkView {
    const { state, carrier, failure, doing } = this.#machine.status;
    return {
      state,
      carrier,
      doing,
      ...(state === 'up' && this.#addressing !== undefined ? { addressing: this.#addressing } : {}),
      ...(failure === undefined ? {} : { failure }),
    };
  }

  /** More than every uplink has to tell. */
  get status(): PppUplinkStatus {
    return this.#machine.status;
  }

  start(): void {
    this.#runner.run((now) => this.#machine.start(now));
    this.#wakeStopWaiters();
  }

  stop(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#stopWaiters.add(resolve);
    this.#runner.run((now) => {
      this.#machine.stop(now);
    });
    if (this.#isAtRest) this.#run(async () => this.#wakeStopWaiters());
    return promise;
  }

  parentReturned(): void {
    this.#runner.run((now) => this.#machine.parentReturned(now));
  }

  get #isAtRest(): boolean {
    const { state, doing } = this.#machine.status;
    return state === 'down' && doing === '' && this.#open === undefined && this.#dialling === undefined;
  }

  #handle(output: PppUplinkOutput): void {
    const { dispatch, onStep } = this.#services;
    switch (output.kind) {
      case 'dial':
        this.#run(() => this.#dial());
        return;
      case 'cancel-dial':
        this.#dialling?.abort();
        return;
      case 'ppp-send':
        if (this.#open !== undefined) dispatch.dataPlane.sendPppFrame(this.#open.session, output.frame);
        return;
      case 'link':
        this.#link = output.link;
        this.#putSession(undefined);
        return;
      case 'network-up': {
        this.#generation += 1;
        const generation = this.#generation;
        this.#run(() => this.#openNetwork(output.network, output.link, generation));
        return;
      }
      case 'network-down':
        this.#generation += 1;
        this.#addressing = undefined;
        this.#putSession(undefined);
        this.#run(() => this.#closeNetwork());
        return;
      case 'hang-up':
        this.#run(() => this.#hangUp());
        return;
      case 'step':
        onStep(output);
        return;
      case 'changed':
        this.#tell();
        return;
      case 'ended':
        this.#run(async () => this.#wakeStopWaiters());
        return;
    }
  }

  async #dial(): Promise<void> {
    const { status } = this.#machine;
    const dialling = new AbortController();
    this.#dialling = dialling;
    // It was called off before its turn came.
    if (status.state === 'down') dialling.abort();
    try {
      const line = await this.#source.dial(dialling.signal);
      await this.#adopt(line);
      this.#dialling = undefined;
      const { carrier, mru, peer } = line;
      const early = line.takeEarly?.() ?? [];
      this.#runner.run((now) => {
        this.#machine.dialled(now, { medium: carrier.kind, mru, peer });
        for (const frame of early) this.#machine.receiveFrame(now, frame);
      });
    } catch (error) {
      this.#dialling = undefined;
      const failure = error instanceof PppLineError ? error.failure : internalFailure(error);
      this.#runner.run((now) => this.#machine.dialFailed(now, failure));
    }
  }

  /** Gives the line to the data plane. @throws PppLineError when that will not have it; then the line is ended. */
  async #adopt(line: PppLine): Promise<void> {
    const { dispatch } = this.#services;
    const id = dispatch.nextId();
    const session = dispatch.nextId();
    const endMeter = this.#services.meter?.(session);
    const open = { line, id, session, ...(endMeter && { endMeter }) };
    dispatch.ownLine(open.id, (event) => this.#onLine(open, event));
    try {
      await dispatch.dataPlane.openLine({ id: open.id, carrier: line.carrier });
    } catch (error) {
      dispatch.disownLine(open.id);
      await open.endMeter?.();
      await line.hangUp();
      const remedy = 'see the log; it is tried again by itself';
      throw new PppLineError({ step: 'line', reason: `it could not be used: ${errorText(error)}`, remedy });
    }
    this.#open = open;
    dispatch.ownSession(open.session, (frame) => this.#runner.run((now) => this.#machine.receiveFrame(now, frame)));
    dispatch.dataPlane.putSession({ key: open.session, line: open.id });
    void line.ended.then((failure) => {
      if (this.#open === open) this.#runner.run((now) => this.#machine.lineEnded(now, failure));
    });
  }

  #onLine(open: OpenLine, event: LineEvent): void {
    if (event.kind === 'stray-session') {
      open.line.straySession?.(event.sessionId);
      return;
    }
    const remedy = 'plug it in again, or wait: it is dialled again by itself';
    const failure = { step: 'line', reason: event.reason, remedy };
    if (this.#open === open) this.#runner.run((now) => this.#machine.lineEnded(now, failure));
  }

  #putSession(network: { readonly interface: InterfaceId; readonly mtu: number } | undefined): void {
    const { dispatch } = this.#services;
    if (this.#open === undefined || this.#link === undefined) return;
    const { protocolCompression, addressControlCompression, peerAccm } = this.#link;
    const prefixes = { destinations: EVERYWHERE, sources: EVERYWHERE };
    dispatch.dataPlane.putSession({
      key: this.#open.session,
      line: this.#open.id,
      ...(peerAccm === undefined ? {} : { peerAccm }),
      ...(network === undefined
        ? {}
        : { network: { ...network, protocolCompression, addressControlCompression, ...prefixes } }),
    });
  }

  async #openNetwork(network: PppNetwork, { mtu }: LinkAgreement, generation: number): Promise<void> {
    if (generation !== this.#generation) return;
    const { dispatch, links, clock } = this.#services;
    const { localAddress, dns } = network;
    const id = dispatch.nextId();
    try {
      await dispatch.dataPlane.addInterface({ id, name: this.#device, mtu, address: localAddress });
      this.#interface = id;
      await links.addAddress(this.#device, `${localAddress}/32`);
    } catch (error) {
      const remedy = 'see the log for what failed';
      const reason = `${this.#device} could not be set up: ${errorText(error)}`;
      if (generation === this.#generation) this.#fail({ step: 'interface', reason, remedy });
      return;
    }
    // What stands although it is not wanted any more is taken down by #closeNetwork, which follows in any case.
    if (generation !== this.#generation || this.#open === undefined) return;
    this.#addressing = { device: this.#device, address: `${localAddress}/32`, dns, mtu, assign: false };
    this.#putSession({ interface: id, mtu });
    dispatch.traffic(clock).watch(this.#open.session, this.#onTraffic);
    this.#runner.run((now) => this.#machine.networkStands(now));
  }

  readonly #onTraffic = (): void => this.#runner.run((now) => this.#machine.dataReceived(now));

  async #closeNetwork(): Promise<void> {
    const id = this.#interface;
    const { dispatch, clock } = this.#services;
    if (this.#open !== undefined) dispatch.traffic(clock).unwatch(this.#open.session);
    if (id === undefined) return;
    this.#interface = undefined;
    // Refused only by a data plane that is gone, and its TUNs with it.
    await dispatch.dataPlane.removeInterface(id).catch(() => undefined);
  }

  async #hangUp(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    this.#link = undefined;
    if (open !== undefined) {
      const { dispatch, clock } = this.#services;
      dispatch.traffic(clock).unwatch(open.session);
      dispatch.disownSession(open.session);
      dispatch.disownLine(open.id);
      await this.#closeNetwork();
      await open.endMeter?.();
      await dispatch.dataPlane.closeLine(open.id).catch(() => undefined);
      await open.line.hangUp();
    }
    this.#runner.run((now) => this.#machine.hungUp(now));
  }

  /** Ends the attempt. */
  #fail(failure: Failure): void {
    this.#runner.run((now) => this.#machine.fail(now, failure));
  }

  #run(task: () => Promise<void>): void {
    this.#tasks.run(task).catch((error: unknown) => this.#fail(internalFailure(error)));
  }

  #tell(): void {
    if (this.#tellPlanned) return;
    this.#tellPlanned = true;
    queueMicrotask(() => {
      this.#tellPlanned = false;
      this.onChange?.();
    });
  }

  #wakeStopWaiters(): void {
    const waiters = [...this.#stopWaiters];
    this.#stopWaiters.clear();
    for (const wake of waiters) wake();
  }
}
