/** Network namespaces and the devices between them. Everything has a name of this run and vanishes with it. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { type Command, inNamespace, run } from './shell.ts';
import { onTeardown, processExists, type Undo } from './teardown.ts';

/** Where `ip netns` keeps the names. */
const NAMES_FOLDER = '/run/netns';
const NAME = /^cv(\d+)n\d+-/;

/** A network namespace of this run. */
export class Namespace {
  /** Unique on this machine: `cv<process id>n<number>-<label>`. */
  readonly name: string;
  readonly #undo: Undo;

  /** Use {@link createNamespace}. */
  constructor(name: string) {
    this.name = name;
    this.#undo = onTeardown(() => deleteNamespace(name));
  }

  /** The command that runs `command` in here. */
  command(...command: Command): Command {
    return inNamespace(this.name, ...command);
  }

  /** Runs `command` in here and gives its standard output. @throws LabError when it fails */
  run(...command: Command): Promise<string> {
    return run(this.command(...command));
  }

  /** `ip ARGS` in here. @throws LabError when it fails */
  ip(...args: string[]): Promise<string> {
    return run(['ip', '-n', this.name, ...args]);
  }

  /** Ends the processes in it and removes it, with its devices. Harmless when it is gone. */
  delete(): void {
    this.#undo.run();
  }
}

let count = 0;

/**
 * Makes an empty network namespace, its loopback up.
 * @param label - a word for people, such as `branch`: letters, digits, `-`
 */
export async function createNamespace(label: string): Promise<Namespace> {
  sweepStaleNamespaces();
  count += 1;
  const name = `cv${process.pid}n${count}-${label}`;
  await run(['ip', 'netns', 'add', name]);
  const namespace = new Namespace(name);
  await namespace.ip('link', 'set', 'lo', 'up');
  return namespace;
}

/** One end of a cable: a device in a namespace. */
export interface CableEnd {
  readonly namespace: Namespace;
  /** Device name, at most 15 characters. */
  readonly device: string;
  /** Addresses with prefix length, such as `10.20.0.9/24`. */
  readonly addresses?: readonly string[];
  /** A bridge of the namespace that the device becomes a port of. */
  readonly bridge?: string;
}

/** Lays a cable (a veth pair) between two namespaces, both ends up. */
export async function connect(a: CableEnd, b: CableEnd): Promise<void> {
  const peer = ['peer', 'name', b.device, 'netns', b.namespace.name];
  await a.namespace.ip('link', 'add', a.device, 'type', 'veth', ...peer);
  await bringUp(a);
  await bringUp(b);
}

/** Adds a bridge (a switch), up. */
export async function addBridge(
  namespace: Namespace,
  device: string,
  addresses: readonly string[] = [],
): Promise<void> {
  await namespace.ip('link', 'add', device, 'type', 'bridge');
  await bringUp({ namespace, device, addresses });
}

/** Adds a TAP device, up: the host's side of a guest's network card. */
export async function addTap(end: CableEnd): Promise<void> {
  await end.namespace.ip('tuntap', 'add', end.device, 'mode', 'tap');
  await bringUp(end);
}

/** Sets the default route for IPv4 (or IPv6, by the form of the address). */
export async function addDefaultRoute(namespace: Namespace, gateway: string): Promise<void> {
  await namespace.ip('route', 'replace', 'default', 'via', gateway);
}

async function bringUp({ namespace, device, addresses = [], bridge }: CableEnd): Promise<void> {
  if (bridge !== undefined) await namespace.ip('link', 'set', device, 'master', bridge);
  for (const address of addresses) {
    // No duplicate address detection: the network is ours, and the address is wanted at once.
    const flags = address.includes(':') ? ['nodad'] : [];
    await namespace.ip('address', 'add', address, 'dev', device, ...flags);
  }
  await namespace.ip('link', 'set', device, 'up');
}

/** Synchronous, for it must work while the process ends. */
function deleteNamespace(name: string): void {
  const pids = execFileSync('ip', ['netns', 'pids', name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  for (const pid of pids.split('\n').filter((line) => line !== '')) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has just ended.
    }
  }
  execFileSync('ip', ['netns', 'delete', name], { stdio: 'ignore' });
}

let swept = false;

/** Removes the namespaces of earlier runs that were killed before they could do it. */
function sweepStaleNamespaces(): void {
  if (swept) return;
  swept = true;
  for (const name of namespaceNames()) {
    const pid = NAME.exec(name)?.[1];
    if (pid === undefined || processExists(Number(pid))) continue;
    try {
      deleteNamespace(name);
    } catch {
      // Another run sweeps at the same time.
    }
  }
}

/** The names of all network namespaces that `ip netns` knows. */
export function namespaceNames(): string[] {
  try {
    return readdirSync(NAMES_FOLDER);
  } catch {
    return []; // the folder is made with the first namespace
  }
}
