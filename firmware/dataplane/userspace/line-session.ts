/** A PPP session on a line of its own: PPPoE, or serial. */
import type { LineId, LineSessionSpec } from '../ppp-carrier.ts';
import { PppSession, type SessionNetwork } from './ppp-session.ts';

export class LineSession extends PppSession {
  readonly kind = 'line';
  readonly line: LineId;

  /** Without a network until {@link program}. */
  constructor({ key, line }: LineSessionSpec) {
    super(key);
    this.line = line;
  }

  /** Counters stay. */
  program(network: SessionNetwork | undefined): void {
    this.network = network;
  }
}
