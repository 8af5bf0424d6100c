/**
 * One uplink with PPP on a real machine, for `ppp-uplinks.test.ts` to run in a network namespace: `node ppp-uplink-host.ts
 * STATE_DIRECTORY`. It is told what to do over the IPC channel, and tells there what it shows.
 */
import { createServer, type Socket } from 'node:net';
import { UserspaceDataPlane } from '../../firmware/dataplane/userspace/userspace-data-plane.ts';
import type { Failure } from '../../firmware/protocol/machine.ts';
import { PppUplink } from '../../firmware/uplink/ppp/ppp-uplink.ts';
import type { PppUplinkOptions } from '../../firmware/uplink/ppp/ppp-uplink-types.ts';
import { PppoeLine, type PppoeLineOptions } from '../../firmware/uplink/ppp/pppoe-line.ts';
import { PppoeMemory } from '../../firmware/uplink/ppp/pppoe-memory.ts';
import type { PppLine, PppLineSource } from '../../firmware/uplink/ppp-line.ts';
import type { LinkView } from '../../firmware/uplink/uplink-types.ts';
import { DataPlaneDispatch } from '../../firmware/vpn/data-plane-dispatch.ts';
import type { Step } from '../../firmware/vpn/steps.ts';
import { LinuxClock } from '../../hal/linux/clock.ts';
import { LinuxEntropy } from '../../hal/linux/entropy.ts';
import { LinuxLinks } from '../../hal/linux/links.ts';
import { LinuxPacketSockets } from '../../hal/linux/packet-socket.ts';
import { LinuxSerialPorts } from '../../hal/linux/serial-port.ts';
import { Pty } from '../../scripts/lab/pty.ts';

export type HostCommand =
  | {
      readonly kind: 'pppoe';
      readonly line: PppoeLineOptions;
      readonly uplink: PppUplinkOptions;
      readonly device: string;
    }
  /** Whoever connects to that TCP port is the far end of a serial line. */
  | { readonly kind: 'serial'; readonly port: number; readonly uplink: PppUplinkOptions; readonly device: string }
  | { readonly kind: 'parent-returned' }
  /** The serial line is unplugged. */
  | { readonly kind: 'unplug' }
  | { readonly kind: 'stop' };

export type HostReport =
  | { readonly kind: 'view'; readonly view: LinkView; readonly authentication?: string }
  | { readonly kind: 'step'; readonly step: Step }
  | { readonly kind: 'ready' }
  | { readonly kind: 'listening' }
  | { readonly kind: 'stopped' };

/** A serial line whose far end is whoever connects. */
class TcpLine implements PppLineSource {
  readonly #server = createServer();
  #waiting: ((socket: Socket) => void) | undefined;
  #pty: Pty | undefined;

  async listen(port: number): Promise<void> {
    this.#server.on('connection', (socket) => {
      if (this.#waiting === undefined) socket.destroy();
      else this.#waiting(socket);
      this.#waiting = undefined;
    });
    await new Promise<void>((resolve) => this.#server.listen(port, '0.0.0.0', resolve));
  }

  close(): void {
    this.#server.close();
  }

  unplug(): void {
    this.#pty?.close();
  }

  async dial(signal: AbortSignal): Promise<PppLine> {
    const socket = await new Promise<Socket>((resolve, reject) => {
      this.#waiting = resolve;
      signal.addEventListener('abort', () => reject(new Error('called off')));
    });
    socket.setNoDelay(true);
    const pty = new Pty();
    this.#pty = pty;
    pty.onOctets = (octets) => void socket.write(octets);
    const ended = Promise.withResolvers<Failure>();
    socket.on('data', (octets) => pty.send(octets));
    socket.on('error', () => undefined);
    socket.on('close', () =>
      ended.resolve({ step: 'line', reason: 'the far end has closed the connection', remedy: 'start it again' }),
    );
    const port = await new LinuxSerialPorts().open({ path: pty.path, baud: 115_200 });
    return {
      carrier: { kind: 'serial', descriptor: port.lend() },
      mru: 1500,
      peer: 'CONNECT',
      ended: ended.promise,
      hangUp: async () => {
        port.takeBack();
        await port.close();
        pty.close();
        socket.destroy();
      },
    };
  }
}

const report = (message: HostReport): void => void process.send?.(message);
const fail = (reason: string): never => {
  throw new Error(reason);
};
const links = new LinuxLinks();
const dataPlane = new UserspaceDataPlane({ links });
const dispatch = new DataPlaneDispatch(dataPlane, fail);
const common = {
  clock: new LinuxClock(),
  random: new LinuxEntropy(),
  onStep: (step: Step) => report({ kind: 'step', step }),
};
const memory = new PppoeMemory(process.argv[2] ?? '', fail);
let uplink: PppUplink | undefined;
let serial: TcpLine | undefined;

function begin(device: string, source: PppLineSource, options: PppUplinkOptions): void {
  const made = new PppUplink(device, source, options, { ...common, dispatch, links });
  made.onChange = () => {
    const { authentication } = made.status;
    report({ kind: 'view', view: made.view(), ...(authentication === undefined ? {} : { authentication }) });
  };
  uplink = made;
  made.start();
}

async function obey(command: HostCommand): Promise<void> {
  switch (command.kind) {
    case 'pppoe':
      await memory.load();
      begin(
        command.device,
        new PppoeLine(command.line, { ...common, sockets: new LinuxPacketSockets(), memory }),
        command.uplink,
      );
      return;
    case 'serial':
      serial = new TcpLine();
      await serial.listen(command.port);
      report({ kind: 'listening' });
      begin(command.device, serial, command.uplink);
      return;
    case 'parent-returned':
      uplink?.parentReturned();
      return;
    case 'unplug':
      serial?.unplug();
      return;
    case 'stop':
      await uplink?.stop();
      serial?.close();
      await memory.settled();
      await dataPlane.close();
      report({ kind: 'stopped' });
      process.disconnect();
  }
}

// As a router has it when it dials.
await dataPlane.start();
process.on('message', (command) => void obey(command as HostCommand));
report({ kind: 'ready' });
