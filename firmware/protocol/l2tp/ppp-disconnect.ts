/** The PPP Disconnect Cause Code AVP in words (RFC 3145 section 3). */
import { printable } from '../printable.ts';
import type { PppDisconnect } from './endpoint-types.ts';

const AT_PEER = 1;
const AT_LOCAL = 2;

interface Cause {
  readonly words: string;
  /** What Direction 1 and 2 add, from the sender's view; we are what the sender calls its peer. */
  readonly atPeer?: string;
  readonly atLocal?: string;
}

const CAUSES: ReadonlyMap<number, Cause> = new Map<number, Cause>([
  [0, { words: 'no information' }],
  [1, { words: 'administrative disconnect' }],
  [2, { words: 'it may not negotiate LCP anew, and no proxy LCP was sent' }],
  [3, { words: 'PPP was ended in good order', atPeer: 'by the caller', atLocal: 'by its own side' }],
  [
    4,
    {
      words: 'compulsory encryption was refused',
      atPeer: 'it was required there and refused by the caller',
      atLocal: 'it was required by the caller and refused there',
    },
  ],
  [5, { words: 'LCP came to no end in time' }],
  [6, { words: 'no LCP packet that could be understood was received' }],
  [7, { words: 'the link may be looped back (magic number)' }],
  [8, { words: 'LCP echoes were not answered' }],
  [9, { words: 'the endpoint discriminator does not fit the multilink bundle' }],
  [10, { words: 'the MRRU does not fit the multilink bundle' }],
  [11, { words: 'the short sequence number option does not fit the multilink bundle' }],
  [
    12,
    {
      words: 'compulsory call-back was refused',
      atPeer: 'it was required there and refused by the caller',
      atLocal: 'it was required by the caller and refused there',
    },
  ],
  [13, { words: 'authentication came to no end in time' }],
  [14, { words: 'the authenticated name does not fit the multilink bundle' }],
  [
    15,
    {
      words: 'no authentication protocol was acceptable to both sides',
      atPeer: 'the caller rejected all that were asked for there',
      atLocal: 'those that the caller asked for are not known there',
    },
  ],
  [
    16,
    {
      words: 'authentication failed: a wrong name, password or secret',
      atPeer: 'of the caller',
      atLocal: 'of that side by the caller',
    },
  ],
  [17, { words: 'a network control protocol came to no end in time' }],
  [18, { words: 'no network control protocol was opened' }],
  [
    19,
    {
      words: 'the two sides came to no terms about addresses',
      atPeer: 'too many Configure-Naks of the caller',
      atLocal: 'too many Configure-Naks to the caller',
    },
  ],
  [
    20,
    {
      words: 'the user may not use any address',
      atPeer: 'the address of that side is not acceptable to the caller',
      atLocal: 'the address of the caller is not acceptable there',
    },
  ],
]);

/** The cause in words, with the sender's own text, printable. */
export function describePppDisconnect({ code, direction, message }: PppDisconnect): string {
  const cause = CAUSES.get(code);
  const words = cause?.words ?? `PPP disconnect code ${code}`;
  const aside = direction === AT_PEER ? cause?.atPeer : direction === AT_LOCAL ? cause?.atLocal : undefined;
  const said = message === undefined || message === '' ? '' : `: "${printable(message)}"`;
  return `${words}${aside === undefined ? '' : ` (${aside})`}${said}`;
}
