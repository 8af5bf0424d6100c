/** An Ethernet port whose address a DHCP server gives. */
import type { CarrierSense, CarrierSenseFactory } from '../../../hal/carrier-sense.ts';
import type { Timer } from '../../../hal/clock.ts';
import type { Lease } from '../../protocol/dhcp/lease.ts';
import type { Failure } from '../../protocol/machine.ts';
import { errorText } from '../../vpn/steps.ts';
import type { LinkView, UplinkAddressing, UplinkLink } from '../uplink-types.ts';
import { DhcpSession, type DhcpSessionOptions } from './dhcp-session.ts';
import { LeaseFile } from './lease-file.ts';

/** Milliseconds between two looks at the cable: one system call each. */
const LOOK_INTERVAL = 100;
/** Milliseconds before a socket that could not be opened is tried again. */
const REOPEN_PAUSE = 2000;

export interface DhcpUplinkOptions extends Omit<DhcpSessionOptions, 'file' | 'onChange'> {
  /** Of the interface in the configuration; letters, digits, hyphens and underscores: names its file. */
  readonly name: string;
  /** Of a VLAN: the device whose cable it is, of which its own carrier follows late. */
  readonly parent?: string;
  /** Asked instead of those that the server names, where there are any. */
  readonly dns?: readonly string[];
  readonly carriers: CarrierSenseFactory;
  /** Where the last address is kept. */
  readonly stateDirectory: string;
}

export class DhcpUplink implements UplinkLink {
  onChange: (() => void) | undefined;
  readonly #options: DhcpUplinkOptions;
  readonly #file: LeaseFile;
  #started = false;
  #sense: CarrierSense | undefined;
  #timer: Timer | undefined;
  /** `undefined`: there is no such device. */
  #carrier: boolean | undefined = false;
  #session: DhcpSession | undefined;
  /** One is being opened. */
  #opening: Promise<void> | undefined;
  #notBefore = 0;
  /** Why there is no session. */
  #failure: Failure | undefined;
  /** Sessions that are on their way down. */
  #ending: Promise<void> = Promise.resolve();
  #telling = false;

  constructor(options: DhcpUplinkOptions) {
    this.#options = options;
    this.#file = new LeaseFile(options.stateDirectory, options.name);
  }

  view(): LinkView {
    if (!this.#started) return { state: 'down', carrier: this.#carrier === true, doing: '' };
    const obstacle = this.#obstacle();
    if (obstacle !== undefined)
      return { state: 'failed', carrier: false, failure: obstacle, doing: 'waiting for the cable' };
    const session = this.#session;
    const failure = this.#failure ?? session?.failure;
    const lease = session?.lease;
    const told = failure === undefined ? {} : { failure };
    if (session !== undefined && lease !== undefined)
      return { state: 'up', carrier: true, addressing: this.#addressing(lease), ...told, doing: session.doing };
    const state = failure === undefined ? 'connecting' : 'failed';
    return { state, carrier: true, ...told, doing: session?.doing ?? 'waiting for its device' };
  }

  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#notBefore = 0;
    this.#changed();
    this.#look();
  }

  async stop(): Promise<void> {
    if (this.#started) {
      this.#started = false;
      this.#timer?.cancel();
      this.#sense?.close();
      this.#sense = undefined;
      this.#endSession((session) => session.release());
      this.#changed();
    }
    await this.#opening;
    await this.#ending;
  }

  parentReturned(): void {
    if (!this.#started) return;
    this.#notBefore = 0;
    this.#session?.hurry();
    this.#look();
  }

  #obstacle(): Failure | undefined {
    const { device } = this.#options;
    if (this.#carrier === true) return undefined;
    if (this.#carrier === false)
      return {
        step: 'link',
        reason: `${device} has no carrier: there is nothing at the other end of its cable`,
        remedy: 'check the cable and what is at its other end',
      };
    return {
      step: 'link',
      reason: `the device ${device} does not exist`,
      remedy: 'plug it in, or correct the device of its interface',
    };
  }

  #addressing({ address, gateway, routes, dns: given, mtu }: Lease): UplinkAddressing {
    const { device, dns = [] } = this.#options;
    return {
      device,
      address,
      ...(gateway === undefined ? {} : { gateway }),
      ...(routes.length === 0 ? {} : { routes }),
      dns: dns.length > 0 ? dns : given,
      ...(mtu === undefined ? {} : { mtu }),
      assign: true,
    };
  }

  #look(): void {
    if (!this.#started) return;
    const { clock } = this.#options;
    this.#timer?.cancel();
    this.#timer = clock.setTimer(clock.now() + LOOK_INTERVAL, () => this.#look());
    const before = this.#carrier;
    this.#carrier = this.#readCarrier();
    if (this.#carrier !== before) this.#changed();
    if (this.#carrier !== true) this.#endSession((session) => session.suspend());
    else if (this.#session === undefined && clock.now() >= this.#notBefore)
      this.#opening ??= this.#open().finally(() => {
        this.#opening = undefined;
        this.#changed();
      });
  }

  #readCarrier(): boolean | undefined {
    const { carriers, device, parent } = this.#options;
    try {
      this.#sense ??= carriers.open();
      const own = this.#sense.read(device);
      return own === true && parent !== undefined ? this.#sense.read(parent) === true : own;
    } catch {
      // Too many open files, and so on: what it was is the best guess.
      return this.#carrier;
    }
  }

  async #open(): Promise<void> {
    try {
      await this.#ending;
      const session = await DhcpSession.open({ ...this.#options, file: this.#file, onChange: () => this.#changed() });
      this.#failure = undefined;
      this.#session = session;
      void session.gone.then(() => {
        // Its device was removed; one of the same name is another one.
        if (this.#session === session) this.#endSession(() => session.suspend());
      });
      // It may have been stopped, or its cable pulled, while the socket was opened.
      if (!this.#started) this.#endSession(() => session.release());
    } catch (error) {
      const [reason = '', ...rest] = errorText(error).replace(/\.$/, '').split('. ');
      this.#failure = { step: 'DHCP', reason, remedy: rest.join('. ') || 'it is tried again' };
      this.#notBefore = this.#options.clock.now() + REOPEN_PAUSE;
    }
  }

  #endSession(how: (session: DhcpSession) => Promise<void>): void {
    const session = this.#session;
    if (session === undefined) return;
    this.#session = undefined;
    this.#ending = Promise.all([this.#ending, how(session)]).then(() => undefined);
    this.#changed();
  }

  /** Never within a call, and once for whatever comes at once. */
  #changed(): void {
    if (this.#telling) return;
    this.#telling = true;
    queueMicrotask(() => {
      this.#telling = false;
      this.onChange?.();
    });
  }
}
