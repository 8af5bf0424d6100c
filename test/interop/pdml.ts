/** What tshark says of a capture, as a tree for each frame (its PDML output). */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface PdmlNode {
  readonly tag: string;
  /** `l2tp.avp.type`; empty for a node that only groups others. */
  readonly name: string;
  /** As people see the value. */
  readonly show: string;
  /** Octets of the value in hexadecimal, or the bits of a flag. */
  readonly value: string;
  /** Octets around a bit field, in hexadecimal. */
  readonly unmasked: string;
  readonly children: readonly PdmlNode[];
}

/** A frame: its number, and its protocols from the outside to the inside. */
export interface PdmlFrame {
  readonly number: number;
  readonly protocols: readonly PdmlNode[];
}

/** Runs tshark over a capture. @param preferences as its `-o` takes them @throws Error with what it said */
export async function tsharkFrames(
  file: string,
  filter: string,
  preferences: readonly string[] = [],
): Promise<readonly PdmlFrame[]> {
  const options = preferences.flatMap((preference) => ['-o', preference]);
  const child = spawn('tshark', ['-n', '-r', file, '-T', 'pdml', '-Y', filter, ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let complaint = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`tshark ended with ${code}: ${complaint.trim()}`);
  return framesOf(output);
}

function framesOf(pdml: string): readonly PdmlFrame[] {
  return [...pdml.matchAll(/<packet>([\s\S]*?)<\/packet>/g)].map(([, packet = '']) => {
    const protocols = nodesOf(packet);
    const number = protocols[0]?.children.find(({ name }) => name === 'num')?.show;
    return { number: Number(number), protocols };
  });
}

interface OpenNode extends PdmlNode {
  readonly children: PdmlNode[];
}

function nodesOf(xml: string): readonly PdmlNode[] {
  const root: PdmlNode[] = [];
  const open: OpenNode[] = [];
  for (const [, end = '', tag = '', text = '', alone = ''] of xml.matchAll(/<(\/?)(\w+)((?:\s[^>]*?)?)(\/?)>/g)) {
    if (end !== '') {
      open.pop();
      continue;
    }
    const of = (name: string) => unescaped(new RegExp(`\\s${name}="([^"]*)"`).exec(text)?.[1] ?? '');
    const node = {
      tag,
      name: of('name'),
      show: of('show'),
      value: of('value'),
      unmasked: of('unmaskedvalue'),
      children: [],
    };
    (open.at(-1)?.children ?? root).push(node);
    if (alone === '') open.push(node);
  }
  return root;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescaped(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hexadecimal, decimal, name) => {
    if (hexadecimal !== undefined) return String.fromCodePoint(Number.parseInt(hexadecimal, 16));
    return decimal === undefined ? (ENTITIES[name] ?? whole) : String.fromCodePoint(Number(decimal));
  });
}

/** All nodes of this name below, at any depth, but not those of protocols inside. */
export function findAll(node: PdmlNode, name: string): readonly PdmlNode[] {
  return node.children.flatMap((child) => [
    ...(child.name === name ? [child] : []),
    ...(child.tag === 'proto' ? [] : findAll(child, name)),
  ]);
}

/** The first node of this name below. */
export function find(node: PdmlNode, name: string): PdmlNode | undefined {
  return findAll(node, name)[0];
}
