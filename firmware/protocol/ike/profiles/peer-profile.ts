/** What is known of one kind of peer: what to offer it and accept of it, and how to recognise it. */

/** As in the configuration. */
export const PROFILE_NAMES = [
  'windows-server',
  'windows-client',
  'macos',
  'ios',
  'android-legacy',
  'routeros',
  'cisco-asa',
  'cisco-ios',
  'fortigate',
  'edgeos',
  'strongswan',
  'libreswan',
  'culvert',
] as const;

export type ProfileName = (typeof PROFILE_NAMES)[number];

export interface PeerProfile {
  readonly name: ProfileName;
  readonly title: string;
  /** Whose it is, in a sentence: `this looks like Windows`. */
  readonly family: string;
  /** Where this is known from, and what is good to know of the peer; whole sentences. */
  readonly provenance: string;
  /** By IKE version; one that the peer does not speak, or should not be spoken with it, is missing. */
  readonly versions: { readonly 1?: ProfileVersion; readonly 2?: ProfileVersion };
}

export interface ProfileVersion {
  /**
   * As in the configuration, the best first; a caller offers them in this order, and one that is called takes the first
   * that is offered. What this peer never needs is left out, even if it would take it.
   */
  readonly ike: readonly string[];
  readonly esp: readonly string[];
  /** Seconds. */
  readonly ikeLifetime: number;
  readonly childLifetime: number;
  readonly marks: PeerMarks;
}

/** By what the peer's first message gives it away; what is absent says nothing. */
export interface PeerMarks {
  /** Only a peer that calls, or one that is called, is this one. */
  readonly role?: 'caller' | 'called';
  /** Any of these: hexadecimal beginnings of vendor ids that nobody else sends. */
  readonly vendorIds?: readonly string[];
  /** Any of these: the beginnings of all its vendor ids, in order. */
  readonly vendorIdLists?: readonly (readonly string[])[];
  /** Any of these: all that it offers for IKE, in order, as failures write it. */
  readonly offers?: readonly (readonly string[])[];
  /** The beginning of what it offers for IKE, where the rest depends on its release. */
  readonly offersBegin?: readonly string[];
  /** Of the first offer, seconds; version 1 only. */
  readonly lifetime?: number;
}
