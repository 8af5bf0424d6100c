/** What goes between the control thread and the engine. All of it is plain data that a message port can carry. */
import type { UdpPath } from '../../protocol/udp-path.ts';
import type {
  DataPlaneCounters,
  DataPlaneEvent,
  InterfaceId,
  InterfaceSpec,
  PolicyKey,
  PolicySpec,
  SaKey,
  SaSpec,
  SessionKey,
  SessionSpec,
  SocketId,
  SocketSpec,
} from '../data-plane.ts';
import type { LineId, LineSessionSpec, LineSpec } from '../ppp-carrier.ts';

/** Chosen by the asker; the answer carries it back. */
export type RequestId = number;

/** To the engine; carried out in the order given. Those with a `request` are answered, once. */
export type EngineCommand =
  | { readonly kind: 'open-socket'; readonly request: RequestId; readonly spec: SocketSpec }
  | { readonly kind: 'close-socket'; readonly request: RequestId; readonly id: SocketId }
  | { readonly kind: 'send-datagram'; readonly socket: SocketId; readonly path: UdpPath; readonly bytes: Uint8Array }
  | { readonly kind: 'add-interface'; readonly request: RequestId; readonly spec: InterfaceSpec }
  | { readonly kind: 'remove-interface'; readonly request: RequestId; readonly id: InterfaceId }
  | { readonly kind: 'open-line'; readonly request: RequestId; readonly spec: LineSpec }
  | { readonly kind: 'close-line'; readonly request: RequestId; readonly id: LineId }
  | { readonly kind: 'put-session'; readonly spec: SessionSpec | LineSessionSpec }
  | { readonly kind: 'remove-session'; readonly key: SessionKey }
  | { readonly kind: 'send-ppp-frame'; readonly session: SessionKey; readonly frame: Uint8Array }
  | { readonly kind: 'put-policy'; readonly spec: PolicySpec }
  | { readonly kind: 'remove-policy'; readonly key: PolicyKey }
  /** The keys in it belong to the engine, which wipes them. */
  | { readonly kind: 'put-sa'; readonly spec: SaSpec }
  | { readonly kind: 'remove-sa'; readonly key: SaKey }
  | { readonly kind: 'send-nat-keepalive'; readonly socket: SocketId; readonly path: UdpPath }
  | { readonly kind: 'counters'; readonly request: RequestId };

/** A command that is answered. */
export type EngineRequest = Extract<EngineCommand, { request: RequestId }>;

/** What an answer can hold: the bound port, or the counters, or nothing. */
export type EngineResult = number | DataPlaneCounters | undefined;

/** From the engine, in the order in which things happened. */
export type EngineMessage =
  | { readonly kind: 'event'; readonly event: DataPlaneEvent }
  | { readonly kind: 'done'; readonly request: RequestId; readonly result: EngineResult }
  /** `message` is a sentence for a person, `code` an errno name or empty. */
  | { readonly kind: 'refused'; readonly request: RequestId; readonly message: string; readonly code: string };
