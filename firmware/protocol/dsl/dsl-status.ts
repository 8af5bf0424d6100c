/** What is known of a DSL line, whoever told it. What a source does not say is absent. */

/** `handshake`: G.994.1, both ends look for each other; `training`: the line is measured; `showtime`: it carries data. */
export type DslState = 'idle' | 'handshake' | 'training' | 'showtime' | 'failed';

/** Counters since the modem was started, as G.997.1 defines them. They wrap or are reset with it. */
export interface DslErrors {
  /** Codewords that forward error correction has mended. */
  readonly fec?: number;
  /** Frames that were damaged all the same. */
  readonly crc?: number;
  /** Errored seconds. */
  readonly es?: number;
  /** Severely errored seconds. */
  readonly ses?: number;
  /** Seconds in which the line was not available. */
  readonly uas?: number;
}

/** One direction: `down` is what this side receives. */
export interface DslDirection {
  /** kbit/s, net. */
  readonly rateKbps?: number;
  /** What the line could carry, kbit/s. */
  readonly attainableKbps?: number;
  /** Signal-to-noise ratio margin, dB. */
  readonly marginDb?: number;
  /** Line attenuation, dB. */
  readonly attenuationDb?: number;
  /** Transmit power, dBm. */
  readonly powerDbm?: number;
  readonly errors?: DslErrors;
}

export interface DslStatus {
  readonly state: DslState;
  /** As the modem says it, printable: `Showtime`, `G.994 Training`, `0x801`. */
  readonly stateWords: string;
  /** Standard and annex: `VDSL2 Annex B`. */
  readonly mode?: string;
  /** VDSL2 profile: `17a`. */
  readonly profile?: string;
  readonly down: DslDirection;
  readonly up: DslDirection;
  /** How often it has trained anew since the modem was started. */
  readonly retrains?: number;
  /** Why it did so last, as the modem says it: a number whose meaning its maker knows. */
  readonly retrainReason?: string;
  /** Seconds since it last came up. */
  readonly upSeconds?: number;
}

/**
 * Makes one status of what the modem has answered. Whatever the text is, it returns in time linear to its length.
 * @returns undefined when no state stands in the text: it is no answer, or one that was cut off or garbled.
 */
export type DslParser = (text: string) => DslStatus | undefined;

export const DSL_STATE_WORDS: Readonly<Record<DslState, string>> = {
  idle: 'no signal',
  handshake: 'handshake',
  training: 'training',
  showtime: 'up',
  failed: 'failed',
};
