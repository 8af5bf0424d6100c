/** What a board has, as data. Names are the kernel's, as they stand under `/sys`. A board is a JSON file of this shape. */

export interface BoardDescription {
  /** As `--board` takes it and `show status` prints it. */
  readonly name: string;
  /** One line for people. */
  readonly description: string;
  /** By what the board is known when no `--board` is given; absent: only by its name. */
  readonly match?: BoardMatch;
  /** Network ports that are soldered on, in the order of the case. */
  readonly nics?: readonly BoardNic[];
  readonly leds: readonly BoardLed[];
  readonly buttons: readonly BoardButton[];
  /** What the LAN is before the first configuration, and in failsafe: device and `192.168.88.1/24`; absent: none is set. */
  readonly factoryLan?: { readonly device: string; readonly address: string };
  /** Serial device of the console, `/dev/ttyS0`; absent where there is none. */
  readonly consoleDevice?: string;
  /** File with the Ed25519 public key (PEM) whose bundles this board takes, in the image; absent: bundles need a code. */
  readonly enrolmentKey?: string;
  /** Of boards with a place for a cellular modem. */
  readonly modem?: BoardModem;
  /** What resets the board when this program hangs; absent: nobody is fed. */
  readonly watchdog?: BoardWatchdog;
}

/** All that is given must hold. */
export interface BoardMatch {
  /** One of these stands in `/proc/device-tree/compatible`, which names the most special first. */
  readonly compatible?: readonly string[];
  /** One of these is what the firmware of a PC says of itself (`/sys/class/dmi/id`). */
  readonly dmi?: readonly BoardDmi[];
  /** All these network devices are there: tells apart boards that carry the same module. */
  readonly devices?: readonly string[];
}

export interface BoardDmi {
  /** `sys_vendor`. */
  readonly vendor: string;
  /** Beginning of `product_name`; absent: any. */
  readonly product?: string;
}

export interface BoardNic {
  /** `eth0`. */
  readonly device: string;
  /** What it is meant for; the configuration decides. */
  readonly role: 'wan' | 'lan';
  /** What is printed on the case beside it. */
  readonly label?: string;
}

/** A LED is at one of `devices`, `gpio` and `file`. */
export interface BoardLed {
  /** What it tells. `status`: the first thing that is wrong, for boards with a LED to spare and no more. */
  readonly purpose: LedPurpose;
  /** Directories under `/sys/class/leds`: the first that is there. `*` stands for any characters. */
  readonly devices?: readonly string[];
  /** Where the kernel makes no LED of it. */
  readonly gpio?: BoardGpio;
  /** Of a simulated board: its file. */
  readonly file?: string;
  /** Of a LED for the LAN: the network device that it follows. */
  readonly nic?: string;
}

export type LedPurpose = 'power' | 'wan' | 'vpn' | 'lte' | 'lan' | 'status';

/** A button is at one of `gpio`, `key` and `file`. */
export interface BoardButton {
  readonly purpose: 'reset';
  readonly gpio?: BoardGpio;
  /** Code of the key of an input device (linux/input-event-codes.h), which the driver `gpio-keys` makes: 408 is KEY_RESTART. */
  readonly key?: number;
  /** Of a simulated board: its file. */
  readonly file?: string;
}

export interface BoardGpio {
  /** Label of the GPIO chip (`gpiochipN/label`): line numbers of the legacy interface float between kernels. */
  readonly chip: string;
  /** Line of that chip. */
  readonly line: number;
  /** The line is low while the LED is lit, the button held, the modem powered. */
  readonly activeLow: boolean;
}

export interface BoardModem {
  /** USB ids of the modems that are sold for it, `2c7c:0125`. */
  readonly usb: readonly string[];
  /** Cuts the modem's power while it is not active; absent: it has power as long as the board. */
  readonly power?: BoardGpio;
}

export interface BoardWatchdog {
  /** `/dev/watchdog`. */
  readonly device: string;
  /** After how long without food it resets the board, s. */
  readonly timeoutSeconds: number;
}
