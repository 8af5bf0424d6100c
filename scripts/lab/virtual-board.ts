/**
 * A router's board that is all software: a guest whose kernel has GPIO lines, LEDs, a watchdog and a USB port, and that
 * runs programs of this checkout with the same Node. What its drivers meet is the kernel's own interface; who presses
 * a button, looks at a lamp or plugs the modem in is this program.
 */
import { dirname, resolve } from 'node:path';
import { type ExecOptions, type Guest, type GuestOptions, startGuest } from './guest.ts';
import { findFullKernel } from './kernel.ts';
import { LabError, type RunResult } from './shell.ts';

const CHECKOUT = resolve(import.meta.dirname, '../..');

/** Label of the GPIO chip, and its lines by name, in their order. */
export const BOARD_CHIP = 'router-gpio';
export const BOARD_LINES = [
  'led-power',
  'led-vpn',
  'led-lte',
  'modem-power',
  'reset-button',
  'wps-button',
  'in-6',
  'in-7',
] as const;
export type BoardLine = (typeof BOARD_LINES)[number];

/** The modem in the USB port: an id that the kernel's driver `option` knows, whatever the interface. */
export const MODEM_USB_ID = '1e0e:9001';

const GPIO_CONFIG = '/sys/kernel/config/gpio-sim/board';
const USB_CONFIG = '/sys/kernel/config/usb_gadget/modem';

const MAKE_GPIO = `
mkdir -p ${GPIO_CONFIG}/bank && cd ${GPIO_CONFIG}/bank
echo ${BOARD_LINES.length} >num_lines
echo ${BOARD_CHIP} >label
number=0
for name in ${BOARD_LINES.join(' ')}; do
  mkdir line$number && echo $name >line$number/name
  number=$((number + 1))
done
echo 1 >../live`;

// Lines for diagnosis, positions, commands and data: a SIM7600 has them in this order.
const MAKE_MODEM = `
mkdir -p ${USB_CONFIG} && cd ${USB_CONFIG}
echo 0x${MODEM_USB_ID.replace(':', ' >idVendor && echo 0x')} >idProduct
mkdir -p strings/0x409 configs/c.1/strings/0x409
echo SIMCOM >strings/0x409/manufacturer
echo 'Virtual LTE modem' >strings/0x409/product
echo 0123456789 >strings/0x409/serialnumber
for function in gser.0 gser.1 gser.2 gser.3; do mkdir functions/$function && ln -s functions/$function configs/c.1/; done`;

/** Where commands and data arrive in the modem: programs in the guest that play the modem open these. */
export const MODEM_ENDS = ['/dev/ttyGS2', '/dev/ttyGS3'] as const;
/** What is written to this file plugs the modem in (a name of /sys/class/udc) or pulls it out (an empty line). */
export const MODEM_SWITCH = `${USB_CONFIG}/UDC`;

export type VirtualBoardOptions = Pick<GuestOptions, 'namespace' | 'cards' | 'gateway'>;

export class VirtualBoard {
  readonly guest: Guest;

  /** Use {@link startVirtualBoard}. */
  constructor(guest: Guest) {
    this.guest = guest;
  }

  /**
   * Runs a program of the checkout in the guest and gives exit code and output.
   * @param words - source relative to the checkout, and arguments; no quoting is done
   * @param before - a command of the shell that runs it: `unshare --net`
   */
  node(words: string, options: ExecOptions & { readonly before?: string } = {}): Promise<RunResult> {
    return this.guest.tryExec(`${NODE_SETUP}; ${options.before ?? ''} node ${words}`, options);
  }

  /** Starts a program of the checkout that goes on; its output is in {@link Guest.log}. */
  spawnNode(name: string, words: string): Promise<void> {
    return this.guest.spawn(name, `bash -c '${NODE_SETUP}; exec node ${words}'`);
  }

  /** From outside, as a button with its resistor does. */
  async pull(line: BoardLine, direction: 'up' | 'down'): Promise<void> {
    await this.guest.exec(`echo pull-${direction} >${simulated(line, 'pull')}`);
  }

  /** What is on the wire. */
  async isHigh(line: BoardLine): Promise<boolean> {
    return (await this.guest.exec(`cat ${simulated(line, 'value')}`)).trim() === '1';
  }

  /** The modem is plugged in. Its serial lines come a moment later. */
  async plugModem(): Promise<void> {
    await this.guest.exec(`cd /sys/class/udc && echo * >${MODEM_SWITCH}`);
  }

  /** ... and pulled out, whoever has its lines open. */
  async unplugModem(): Promise<void> {
    await this.guest.exec(`echo >${MODEM_SWITCH}`);
  }
}

/** Node of this process, which lies in the same place in the guest. */
const NODE_SETUP = `export PATH=${dirname(process.execPath)}:$PATH; cd ${CHECKOUT}`;

function simulated(line: BoardLine, attribute: string): string {
  const folder = `/sys/devices/platform/$(<${GPIO_CONFIG}/dev_name)/$(<${GPIO_CONFIG}/bank/chip_name)`;
  return `${folder}/sim_gpio${BOARD_LINES.indexOf(line)}/${attribute}`;
}

/** Why there can be no virtual board here; empty when there can. */
export async function whyNoVirtualBoard(): Promise<string> {
  if (process.arch !== 'x64') return 'User Mode Linux exists for x86-64 only';
  if (process.getuid?.() !== 0) return 'it needs root';
  return (await findFullKernel()) === undefined
    ? "Debian's guest kernel has no board; set CULVERT_LAB_KERNEL or run scripts/lab-kernel"
    : '';
}

/**
 * Starts the board, its modem not plugged in.
 * @throws LabError when there is no kernel for it
 */
export async function startVirtualBoard(options: VirtualBoardOptions): Promise<VirtualBoard> {
  const kernel = await findFullKernel();
  if (kernel === undefined) throw new LabError(await whyNoVirtualBoard());
  // A watchdog that is not fed says so in the kernel's log: a reset would take everything with it that a test wants to see.
  const parameters = ['softdog.soft_noboot=1'];
  const guest = await startGuest({ name: 'board', ...options, kernel, parameters, memoryMiB: 512 });
  try {
    await guest.exec(`set -e; (${MAKE_GPIO}\n); (${MAKE_MODEM}\n)`);
    return new VirtualBoard(guest);
  } catch (error) {
    await guest.stop();
    throw error;
  }
}
