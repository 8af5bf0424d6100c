/**
 * What is offered and accepted where nothing is configured. Some servers choke on long lists, and some clients speak
 * only what is long out of date: hence two offers and one wider list for the responder.
 */
import { type EspProposal, type IkeProposal, NONE } from './proposals.ts';

export interface Proposals {
  readonly ike: readonly IkeProposal[];
  readonly esp: readonly EspProposal[];
}

export interface DefaultProposals {
  /** A client's first offer. */
  readonly modern: Proposals;
  /** A client's second offer, short and old-fashioned, for peers that refuse or choke on the first. */
  readonly legacy: Proposals;
  /** What a server takes, best first. */
  readonly acceptable: Proposals;
}

/** Every combination: better groups first, whatever the cipher. */
function ikeProposals(
  encryption: readonly string[],
  integrity: readonly string[],
  groups: readonly string[],
): readonly IkeProposal[] {
  return groups.flatMap((group) =>
    encryption.flatMap((cipher) =>
      integrity.map((hash) => ({ encryption: cipher, integrity: hash, prf: hash, group })),
    ),
  );
}

/** Every combination: better ciphers first, whatever the group. */
function ikeProposalsByCipher(
  encryption: readonly string[],
  integrity: readonly string[],
  groups: readonly string[],
): readonly IkeProposal[] {
  return encryption.flatMap((cipher) => ikeProposals([cipher], integrity, groups));
}

/** Every combination with combined-mode ciphers: better groups first. */
function combinedModeIkeProposals(
  encryption: readonly string[],
  prfs: readonly string[],
  groups: readonly string[],
): readonly IkeProposal[] {
  return groups.flatMap((group) =>
    encryption.flatMap((cipher) => prfs.map((prf) => ({ encryption: cipher, prf, group }))),
  );
}

/** The same with ML-KEM beside the group, against those who keep what they record until they have a quantum computer. */
function withMlKem(proposals: readonly IkeProposal[]): readonly IkeProposal[] {
  return proposals.map((proposal) => ({ ...proposal, additional: 'mlkem768' }));
}

function espProposals(encryption: readonly string[], integrity: readonly string[]): readonly EspProposal[] {
  return encryption.flatMap((cipher) => integrity.map((hash) => ({ encryption: cipher, integrity: hash, esn: false })));
}

/** With extended sequence numbers first, without them next. */
function eitherSequenceNumbers(proposals: readonly EspProposal[]): readonly EspProposal[] {
  return proposals.flatMap((proposal) => [
    { ...proposal, esn: true },
    { ...proposal, esn: false },
  ]);
}

const AES_CBC = ['aes256', 'aes192', 'aes128'] as const;
const COMBINED = ['aes256gcm16', 'aes128gcm16', 'chacha20poly1305'] as const;
const SHA2 = ['sha256', 'sha384', 'sha512'] as const;
const ELLIPTIC = ['x25519', 'ecp256', 'ecp384', 'ecp521'] as const;
/** Larger ones cost a stranger's first message 5 ms and more: only where somebody asks for them. */
const MODP = ['modp2048', 'modp3072', 'modp4096'] as const;
const SMALL_MODP = ['modp1536', 'modp1024'] as const;

/** AH, offered and accepted where it is asked for. */
export const AH_DEFAULTS: Readonly<Record<1 | 2, readonly EspProposal[]>> = {
  1: espProposals([NONE], SHA2),
  2: eitherSequenceNumbers(espProposals([NONE], SHA2)),
};

/**
 * IKEv1, as L2TP/IPsec servers and clients speak it. SHA-1 and the 1024-bit group are in it because Windows, Android and
 * RouterOS have little else.
 */
export const IKEV1_DEFAULTS: DefaultProposals = {
  modern: {
    ike: [
      ...ikeProposals(['aes256'], ['sha256', 'sha1'], ['modp2048', 'modp1536', 'modp1024']),
      ...ikeProposals(['aes256'], ['sha1'], ['ecp384']),
      ...ikeProposals(['aes128'], ['sha1'], ['modp1024', 'ecp256']),
      ...ikeProposals(['3des'], ['sha1'], ['modp2048', 'modp1024']),
    ],
    esp: espProposals(['aes256', 'aes128', '3des'], ['sha1']),
  },
  legacy: {
    ike: [...ikeProposals(['aes128'], ['sha1'], ['modp1024']), ...ikeProposals(['3des'], ['sha1'], ['modp1024'])],
    esp: espProposals(['aes128', '3des'], ['sha1']),
  },
  acceptable: {
    ike: [
      ...ikeProposalsByCipher([...AES_CBC, '3des'], [...SHA2, 'sha1'], [...ELLIPTIC, ...MODP]),
      ...ikeProposalsByCipher([...AES_CBC, '3des'], [...SHA2, 'sha1'], SMALL_MODP),
    ],
    esp: [
      { encryption: 'aes256gcm16', esn: false },
      { encryption: 'aes128gcm16', esn: false },
      ...espProposals([...AES_CBC, '3des'], ['sha1', ...SHA2]),
    ],
  },
};

/** IKEv2. The legacy offer is for Windows, which asks for the 1024-bit group unless told otherwise. */
export const IKEV2_DEFAULTS: DefaultProposals = {
  modern: {
    ike: [
      ...combinedModeIkeProposals(
        COMBINED,
        ['sha256', 'sha384'],
        ['x25519', 'ecp256', 'ecp384', 'modp2048', 'modp3072'],
      ),
      ...ikeProposals(
        ['aes256', 'aes128'],
        ['sha256', 'sha384'],
        ['x25519', 'ecp256', 'ecp384', 'modp2048', 'modp3072'],
      ),
    ],
    esp: [
      ...eitherSequenceNumbers(COMBINED.map((encryption) => ({ encryption, esn: true }))),
      ...eitherSequenceNumbers(espProposals(['aes256', 'aes128'], ['sha256'])),
    ],
  },
  legacy: {
    ike: ikeProposals(['aes256', 'aes128', '3des'], ['sha256', 'sha1'], ['modp2048', 'modp1536', 'modp1024']),
    esp: espProposals(['aes256', 'aes128', '3des'], ['sha256', 'sha1']),
  },
  acceptable: {
    ike: [
      ...withMlKem(combinedModeIkeProposals(COMBINED, SHA2, ELLIPTIC)),
      ...combinedModeIkeProposals([...COMBINED, 'aes192gcm16'], SHA2, [...ELLIPTIC, ...MODP]),
      ...ikeProposalsByCipher([...AES_CBC, '3des'], [...SHA2, 'sha1'], [...ELLIPTIC, ...MODP]),
      ...combinedModeIkeProposals([...COMBINED, 'aes192gcm16'], SHA2, SMALL_MODP),
      ...ikeProposalsByCipher([...AES_CBC, '3des'], [...SHA2, 'sha1'], SMALL_MODP),
    ],
    esp: [
      ...eitherSequenceNumbers([...COMBINED, 'aes192gcm16'].map((encryption) => ({ encryption, esn: true }))),
      ...eitherSequenceNumbers(espProposals([...AES_CBC, '3des'], [...SHA2, 'sha1'])),
    ],
  },
};
