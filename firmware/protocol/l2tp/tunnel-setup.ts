/** What the three messages of control connection establishment say, and whether it can be accepted (section 5.1). */

import type { Failure } from '../machine.ts';
import { printable } from '../printable.ts';
import type { UdpEndpoint } from '../udp-path.ts';
import { DEFAULT_PEER_WINDOW } from './control-channel.ts';
import type { AvpFields } from './control-message.ts';
import type { EndpointSettings } from './endpoint-settings.ts';
import type { CloseCause, L2tpPeer } from './endpoint-types.ts';
import { secretMissing, wrongSecret, wrongVersion } from './failures.ts';
import { StopResult } from './result-code.ts';
import { challengeResponse, isRightResponse, type ResponseBearer } from './tunnel-authentication.ts';

/** Version 1 revision 0 of the Protocol Version AVP. */
const PROTOCOL_VERSION = { version: 1, revision: 0 } as const;
/** As error code with StopCCN result 5: the highest version that is supported. */
const HIGHEST_VERSION = 0x0100;
/** Framing Capabilities and Framing Type bits (section 4.4.3). */
const SYNCHRONOUS = 1;
const ASYNCHRONOUS = 2;
/** This side has no lines on which it could place outgoing calls. */
const NO_BEARERS = 0;
/** Vendor specific; says which generation of this L2TP implementation it is. */
const FIRMWARE_REVISION = 1;

/** Why a message of the establishment is not acceptable. */
export interface Refusal {
  /** For the StopCCN. */
  readonly cause: CloseCause;
  readonly failure: Failure;
  /** It is about the tunnel secret. */
  readonly authentication: boolean;
}

/** What this side did to make the peer prove itself; both or none. */
export interface Proof {
  readonly secret?: Uint8Array;
  /** The Challenge that was sent. */
  readonly challenge?: Uint8Array;
}

/** The AVPs that SCCRQ and SCCRP have in common. */
export function introduction(settings: EndpointSettings, tunnelId: number, challenge?: Uint8Array): AvpFields {
  return {
    protocolVersion: PROTOCOL_VERSION,
    framingCapabilities: SYNCHRONOUS | ASYNCHRONOUS,
    bearerCapabilities: NO_BEARERS,
    firmwareRevision: FIRMWARE_REVISION,
    hostName: settings.hostName,
    vendorName: settings.vendorName,
    assignedTunnelId: tunnelId,
    receiveWindowSize: settings.receiveWindow,
    ...(challenge === undefined ? {} : { challenge }),
  };
}

/** The Challenge Response AVP that a received message calls for, if any. */
export function proofFor(bearer: ResponseBearer, received: AvpFields, secret: Uint8Array | undefined): AvpFields {
  if (received.challenge === undefined || secret === undefined) return {};
  return { challengeResponse: challengeResponse(bearer, secret, received.challenge) };
}

/** Why an SCCRQ cannot be accepted; `undefined` when it can. */
export function judgeSccrq(
  fields: AvpFields,
  secret: Uint8Array | undefined,
  remote: UdpEndpoint,
): Refusal | undefined {
  return judgeVersion('SCCRQ', fields, remote) ?? judgeChallenge('SCCRQ', fields, secret, remote);
}

/** Why an SCCRP cannot be accepted; `undefined` when it can. */
export function judgeSccrp(fields: AvpFields, proof: Proof, remote: UdpEndpoint): Refusal | undefined {
  return (
    judgeVersion('SCCRP', fields, remote) ??
    judgeChallenge('SCCCN', fields, proof.secret, remote) ??
    judgeResponse('SCCRP', fields, proof, remote)
  );
}

/** Why an SCCCN cannot be accepted; `undefined` when it can. */
export function judgeScccn(fields: AvpFields, proof: Proof, remote: UdpEndpoint): Refusal | undefined {
  return judgeResponse('SCCCN', fields, proof, remote);
}

/** Who the peer says that it is. */
export function peerOf(fields: AvpFields): L2tpPeer {
  return {
    hostName: printable(fields.hostName ?? ''),
    ...(fields.vendorName === undefined ? {} : { vendorName: printable(fields.vendorName) }),
    ...(fields.firmwareRevision === undefined ? {} : { firmwareRevision: fields.firmwareRevision }),
    receiveWindow: fields.receiveWindowSize ?? DEFAULT_PEER_WINDOW,
  };
}

/** The Framing Type to announce in ICCN: one that the peer's Framing Capabilities have, synchronous for choice. */
export function framingTypeFor(capabilities: number | undefined): number {
  if (capabilities === undefined || (capabilities & SYNCHRONOUS) !== 0) return SYNCHRONOUS;
  return (capabilities & ASYNCHRONOUS) !== 0 ? ASYNCHRONOUS : SYNCHRONOUS;
}

function judgeVersion(step: 'SCCRQ' | 'SCCRP', fields: AvpFields, remote: UdpEndpoint): Refusal | undefined {
  const version = fields.protocolVersion?.version ?? 0;
  if (version === PROTOCOL_VERSION.version) return undefined;
  return {
    cause: { resultCode: StopResult.versionNotSupported, errorCode: HIGHEST_VERSION },
    failure: wrongVersion(step, remote, version),
    authentication: false,
  };
}

function judgeChallenge(
  step: 'SCCRQ' | 'SCCCN',
  fields: AvpFields,
  secret: Uint8Array | undefined,
  remote: UdpEndpoint,
): Refusal | undefined {
  if (fields.challenge === undefined || secret !== undefined) return undefined;
  return {
    cause: { resultCode: StopResult.notAuthorized, errorCode: 0, message: 'no tunnel secret is configured here' },
    failure: secretMissing(step, remote),
    authentication: true,
  };
}

function judgeResponse(
  bearer: ResponseBearer,
  fields: AvpFields,
  { secret, challenge }: Proof,
  remote: UdpEndpoint,
): Refusal | undefined {
  if (secret === undefined || challenge === undefined) return undefined;
  const response = fields.challengeResponse;
  if (response !== undefined && isRightResponse(response, bearer, secret, challenge)) return undefined;
  return {
    cause: { resultCode: StopResult.notAuthorized, errorCode: 0, message: 'tunnel authentication failed' },
    failure: wrongSecret(bearer === 'SCCRP' ? 'SCCRQ' : 'SCCCN', remote, response === undefined),
    authentication: true,
  };
}
