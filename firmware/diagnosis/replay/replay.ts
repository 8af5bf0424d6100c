/** A capture, followed message by message: which step failed, and why. */
import { CaptureError } from '../decode/capture-types.ts';
import { decodeCapture } from '../decode/decode-capture.ts';
import type { DecodeOptions } from '../decode/decode-options.ts';
import type { DecodedMessage } from '../decode/decoded.ts';
import type { Diagnosis } from '../diagnosis.ts';
import { LADDER, type LadderStep } from '../ladder.ts';
import { Notes } from '../notes.ts';
import { numberOf, textOf } from './fields.ts';
import { IkeFollower } from './ike-follower.ts';
import { L2tpFollower } from './l2tp-follower.ts';
import { Surroundings } from './surroundings.ts';

const IPSEC_STEPS: readonly LadderStep[] = ['ike', 'ike-authentication', 'child-sa', 'esp'];
const L2TP_STEPS: readonly LadderStep[] = [
  'l2tp-tunnel',
  'l2tp-session',
  'lcp',
  'ppp-authentication',
  'ipcp',
  'traffic',
];

/** Follows every conversation of a capture. Sans-I/O; memory does not grow with the capture. */
export class Replay {
  readonly #notes = new Notes();
  readonly #ike = new IkeFollower(this.#notes);
  readonly #l2tp = new L2tpFollower(this.#notes);
  readonly #surroundings = new Surroundings(this.#notes);
  readonly #taken = new Set<LadderStep>();
  #espFrame = 0;
  #toldInClear = false;
  #now = 0;

  receive(message: DecodedMessage): void {
    this.#now = Math.max(this.#now, message.time);
    const { protocol, fields } = message;
    if (message.error?.field === 'fragments') this.#surroundings.incomplete();
    if (protocol === 'ikev1' || protocol === 'ikev2' || protocol === 'esp') {
      for (const step of IPSEC_STEPS) this.#taken.add(step);
      if (protocol === 'esp') this.#espFrame = message.frame;
      this.#ike.receive(message);
    } else if (protocol === 'l2tp' || protocol.startsWith('ppp-')) {
      for (const step of L2TP_STEPS) this.#taken.add(step);
      // What was inside ESP is told right behind it, of the same frame.
      if (message.frame !== this.#espFrame && this.#ike.protects(message)) this.#inClear(message);
      this.#l2tp.receive(message);
    } else if (protocol === 'ip') {
      const inside = message.source.address !== textOf(fields, 'source');
      const to = textOf(fields, 'destination');
      if (!inside && textOf(fields, 'icmpType') === 'destination unreachable') {
        const code = numberOf(fields, 'icmpCode') ?? 0;
        this.#l2tp.icmp(to, code);
        this.#ike.icmp(to, code);
      }
      this.#surroundings.packet(message, inside);
    }
  }

  #inClear({ source, destination, frame }: DecodedMessage): void {
    if (this.#toldInClear) return;
    this.#toldInClear = true;
    const seen = `L2TP in clear from ${source.address} to ${destination.address} at frame ${frame}, which have IPsec between them`;
    this.#notes.sign('guard-drops', seen);
  }

  /** The capture has ended. @param name of it */
  end(name: string): Diagnosis {
    const ike = this.#ike.end(this.#now);
    const l2tp = this.#l2tp.end(this.#now);
    this.#surroundings.end();
    const last = l2tp === 'none' ? ike : l2tp;
    const state = last === 'none' ? 'down' : last === 'up' && ike !== 'failed' ? 'up' : 'failed';
    return this.#notes.diagnosis(name, state, new Set(LADDER.filter((step) => this.#taken.has(step))));
  }
}

/** A judged capture. */
export interface JudgedCapture {
  readonly diagnosis: Diagnosis;
  /** Behind the last message that could be read the file is damaged or cut short. */
  readonly fault?: CaptureError;
}

/**
 * @param chunks the octets of a pcap or pcapng file
 * @param name of it
 * @throws CaptureError when the file is no capture
 */
export async function replayCapture(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
  options: DecodeOptions = {},
): Promise<JudgedCapture> {
  const replay = new Replay();
  try {
    for await (const message of decodeCapture(chunks, { ...options, all: true, outside: true })) {
      replay.receive(message);
    }
  } catch (error) {
    if (!(error instanceof CaptureError) || !error.partly) throw error;
    return { diagnosis: replay.end(name), fault: error };
  }
  return { diagnosis: replay.end(name) };
}
