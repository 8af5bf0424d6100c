/** What a board has, as data. Names are the kernel's, as they stand under `/sys`. */

export interface BoardDescription {
  /** As `--board` takes it and `show status` prints it. */
  readonly name: string;
  /** One line for people. */
  readonly description: string;
  readonly leds: readonly BoardLed[];
  readonly buttons: readonly BoardButton[];
  /** What the LAN is before the first configuration, and in failsafe: device and `192.168.88.1/24`; absent: none is set. */
  readonly factoryLan?: { readonly device: string; readonly address: string };
  /** Serial device of the console, `/dev/ttyS0`; absent where there is none. */
  readonly consoleDevice?: string;
  /** File with the Ed25519 public key (PEM) whose bundles this board takes, in the image; absent: bundles need a code. */
  readonly enrolmentKey?: string;
}

export interface BoardLed {
  /** What it tells. */
  readonly purpose: 'power' | 'wan' | 'vpn' | 'lan';
  /** Directory under `/sys/class/leds`. */
  readonly device: string;
}

export interface BoardButton {
  readonly purpose: 'reset';
  /** Label of the GPIO chip (`gpiochipN/label`): line numbers of the legacy interface float between kernels. */
  readonly chip: string;
  /** Line of that chip. */
  readonly line: number;
  /** The line is low while the button is held. */
  readonly activeLow: boolean;
}
