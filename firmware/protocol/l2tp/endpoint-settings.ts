/** The endpoint's options with every default filled in. */
import { utf8Bytes } from '../bytes.ts';
import type {
  CallRequest,
  CloseCause,
  EndpointLimits,
  HelloPolicy,
  L2tpEndpointOptions,
  RetransmitPolicy,
} from './endpoint-types.ts';

/** Retransmissions of an SCCRP towards a peer that has not proved its address: the answer to a forged SCCRQ. */
const DEFAULT_REPLY_ATTEMPTS = 3;
/** Messages. Enough for the start of a dozen sessions at once, little enough to hold for a stranger. */
const DEFAULT_RECEIVE_WINDOW = 16;
/** A full retransmission cycle, 1+2+4+8+8+8 s (RFC 2661 section 5.7). */
const DEFAULT_LINGER_MS = 31_000;
/** Longest name or number that this side sends, octets: they are names, and an AVP must hold them. */
const MAX_NAME_OCTETS = 255;

const RETRANSMIT: RetransmitPolicy = { firstMs: 1000, capMs: 8000, attempts: 5 };
const HELLO: HelloPolicy = { idleMs: 4000, probeMs: 1000, probes: 8 };
export const DEFAULT_LIMITS: EndpointLimits = {
  halfOpenPerAddress: 4,
  halfOpenTotal: 64,
  tunnels: 1024,
  sessionsPerTunnel: 256,
};

export interface AcceptSettings {
  readonly secret?: Uint8Array;
  readonly hideAvps: boolean;
  readonly incomingCalls: boolean;
  readonly replyAttempts: number;
}

export interface EndpointSettings {
  readonly hostName: string;
  readonly vendorName: string;
  readonly accept?: AcceptSettings;
  readonly outgoingCalls?: (request: CallRequest) => CloseCause | undefined;
  readonly receiveWindow: number;
  readonly dscp: number;
  readonly retransmit: RetransmitPolicy;
  readonly hello: HelloPolicy;
  readonly limits: EndpointLimits;
  readonly lingerMs: number;
}

/** @throws RangeError when a name or the window cannot be sent. */
export function endpointSettings(options: L2tpEndpointOptions): EndpointSettings {
  const { accept, receiveWindow = DEFAULT_RECEIVE_WINDOW } = options;
  if (utf8Bytes(options.hostName).length === 0) throw new RangeError('Host Name must not be empty');
  checkNames(options.hostName, options.vendorName);
  if (!Number.isInteger(receiveWindow) || receiveWindow < 1 || receiveWindow > 32_767) {
    throw new RangeError(`Receive Window Size ${receiveWindow} is not in 1..32767`);
  }
  return {
    hostName: options.hostName,
    vendorName: options.vendorName ?? 'Culvert',
    ...(accept === undefined
      ? {}
      : {
          accept: {
            ...(accept.secret === undefined ? {} : { secret: utf8Bytes(accept.secret) }),
            hideAvps: accept.hideAvps ?? false,
            incomingCalls: accept.incomingCalls ?? true,
            replyAttempts: accept.replyAttempts ?? DEFAULT_REPLY_ATTEMPTS,
          },
        }),
    ...(options.outgoingCalls === undefined ? {} : { outgoingCalls: options.outgoingCalls }),
    receiveWindow,
    dscp: options.dscp ?? 0,
    retransmit: { ...RETRANSMIT, ...options.retransmit },
    hello: { ...HELLO, ...options.hello },
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    lingerMs: options.lingerMs ?? DEFAULT_LINGER_MS,
  };
}

/** @throws RangeError when one of the texts is longer than 255 octets of UTF-8. */
export function checkNames(...names: readonly (string | undefined)[]): void {
  for (const name of names) {
    if (name !== undefined && utf8Bytes(name).length > MAX_NAME_OCTETS) {
      throw new RangeError(`a name of more than ${MAX_NAME_OCTETS} octets: ${name.slice(0, 32)}...`);
    }
  }
}

/** How long a message is tried in all, ms: the time-outs of the first transmission and of every retransmission. */
export function fullCycle(policy: RetransmitPolicy, attempts: number): number {
  let total = 0;
  let interval = policy.firstMs;
  for (let i = 0; i <= attempts; i++) {
    total += interval;
    interval = Math.min(interval * 2, Math.max(policy.capMs, policy.firstMs));
  }
  return total;
}
