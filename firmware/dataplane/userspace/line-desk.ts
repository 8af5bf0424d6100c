/** The lines of the engine: opens and closes them, serves those that are ready, and tells of those that are lost. */
import type { EthernetSocketFactory } from '../../../hal/ethernet-socket.ts';
import { HalError } from '../../../hal/hal-error.ts';
import type { OctetLineFactory } from '../../../hal/octet-line.ts';
import type { Poller } from '../../../hal/poller.ts';
import type { Instant } from '../../protocol/machine.ts';
import { ETHERTYPE_PPPOE_SESSION } from '../../protocol/pppoe/packet.ts';
import type { DataPlaneEvent } from '../data-plane.ts';
import type { LineId, LineSessionSpec, LineSpec, PppCarrier } from '../ppp-carrier.ts';
import type { Standing } from './control-queue.ts';
import type { Forwarder } from './forwarder.ts';
import { NO_SOCKET } from './forwarder-ports.ts';
import { clause, type Line, type LineHost } from './line.ts';
import { isSame, PppoeCarrier } from './pppoe-carrier.ts';
import { SerialCarrier } from './serial-carrier.ts';
import { TokenBucket } from './token-bucket.ts';

/** Stray sessions that are told of, a second and at once: each is answered by one packet. */
const STRAYS_PER_SECOND = 0.5;
const STRAYS_BURST = 3;

/** RFC 1662 section 7.1: until something else is agreed, every control character is escaped. */
const EVERY_CONTROL_CHARACTER = 0xffff_ffff;

export interface LineDeskParts {
  readonly poller: Poller;
  /** Absent: there is no PPPoE here. */
  readonly ethernet?: EthernetSocketFactory;
  /** Absent: there are no serial lines here. */
  readonly octetLines?: OctetLineFactory;
  readonly forwarder: Forwarder;
  readonly controlRoom: (standing: Standing, socket: number) => boolean;
  readonly event: (event: DataPlaneEvent, standing: Standing) => void;
}

interface OpenLine {
  readonly carrier: PppCarrier;
  readonly line: Line;
}

export class LineDesk {
  readonly #parts: LineDeskParts;
  readonly #lines = new Map<LineId, OpenLine>();
  readonly #byHandle = new Map<number, LineId>();

  constructor(parts: LineDeskParts) {
    this.#parts = parts;
  }

  /** @throws HalError */
  open({ id, carrier }: LineSpec): void {
    const line = this.#make(id, carrier);
    this.#lines.set(id, { carrier, line });
    this.#byHandle.set(line.handle, id);
    this.#parts.poller.add(line.handle);
  }

  close(id: LineId): void {
    const open = this.#lines.get(id);
    if (open === undefined) return;
    this.#parts.forwarder.table.removeLine(id);
    this.#unwatch(open.line);
    this.#lines.delete(id);
    open.line.close();
  }

  closeAll(): void {
    for (const id of this.#lines.keys()) this.close(id);
  }

  /** What the session on a line says of it. */
  program({ line, peerAccm = EVERY_CONTROL_CHARACTER }: LineSessionSpec): void {
    this.#lines.get(line)?.line.setPeerAccm(peerAccm);
  }

  /** The line behind the handle, if one is, has something to do. */
  serve(handle: number, now: Instant): void {
    const id = this.#byHandle.get(handle);
    const open = id === undefined ? undefined : this.#lines.get(id);
    if (id === undefined || open === undefined) return;
    try {
      open.line.serve(now);
    } catch (error) {
      if (!(error instanceof HalError)) throw error;
      this.#lost(id, clause(error));
    }
  }

  send(id: LineId, bytes: Uint8Array, start: number, end: number, control: boolean): boolean {
    return this.#lines.get(id)?.line.send(bytes, start, end, control) ?? false;
  }

  #make(id: LineId, carrier: PppCarrier): Line {
    const { ethernet, octetLines } = this.#parts;
    const host = this.#host(id, carrier);
    if (carrier.kind === 'pppoe') {
      if (ethernet === undefined) throw new HalError('This data plane has no PPPoE.', 'EOPNOTSUPP');
      const socket = ethernet.open(carrier.device, ETHERTYPE_PPPOE_SESSION);
      return new PppoeCarrier(socket, carrier.peerMac, carrier.sessionId, host);
    }
    if (octetLines === undefined) throw new HalError('This data plane has no serial lines.', 'EOPNOTSUPP');
    return new SerialCarrier(octetLines.adopt(carrier.descriptor), host);
  }

  #host(id: LineId, carrier: PppCarrier): LineHost {
    const { forwarder, poller } = this.#parts;
    const strays = new TokenBucket(STRAYS_PER_SECOND, STRAYS_BURST);
    return {
      frame: (bytes, at, end, now) => forwarder.receiveFrame(id, bytes, at, end, now),
      drop: (reason) => forwarder.dropFromLine(reason),
      otherSession: (sessionId, now) => {
        // Each line on a device hears all that comes in by it.
        if (carrier.kind !== 'pppoe' || this.#isSession(carrier, sessionId)) return;
        forwarder.dropFromLine('unknownSession');
        if (!strays.take(now) || !this.#parts.controlRoom('known', NO_SOCKET)) return;
        this.#parts.event({ kind: 'stray-session', line: id, sessionId }, 'known');
      },
      awaitRoom: (wanted) => {
        const open = this.#lines.get(id);
        if (open !== undefined) poller.awaitRoom(open.line.handle, wanted);
      },
      ended: (reason) => this.#lost(id, reason),
    };
  }

  #isSession({ device, peerMac }: Extract<PppCarrier, { kind: 'pppoe' }>, sessionId: number): boolean {
    for (const { carrier } of this.#lines.values()) {
      if (carrier.kind !== 'pppoe' || carrier.device !== device || carrier.sessionId !== sessionId) continue;
      if (isSame(carrier.peerMac, peerMac)) return true;
    }
    return false;
  }

  /** It is watched no more: a descriptor that was hung up is ready for ever. */
  #lost(id: LineId, reason: string): void {
    const open = this.#lines.get(id);
    if (open === undefined || !this.#unwatch(open.line)) return;
    this.#parts.event({ kind: 'carrier-lost', line: id, reason }, 'proven');
  }

  /** @returns whether it was watched. */
  #unwatch({ handle }: Line): boolean {
    this.#parts.poller.remove(handle);
    return this.#byHandle.delete(handle);
  }
}
