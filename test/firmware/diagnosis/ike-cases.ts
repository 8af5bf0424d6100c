/** Failures of IKE and ESP as the decoder tells their messages, and which known failure each is. */
import type { DecodedMessage, Fields } from '../../../firmware/diagnosis/decode/decoded.ts';

type End = 'initiator' | 'responder';

const ADDRESS = { initiator: '10.20.0.9', responder: '10.20.0.2' } as const;

/** A conversation, message by message. */
export class Talk {
  readonly messages: DecodedMessage[] = [];
  #now = 1_700_000_000_000;
  #port = 500;

  /** To another port from now on. */
  port(port: number): this {
    this.#port = port;
    return this;
  }

  wait(ms: number): this {
    this.#now += ms;
    return this;
  }

  say(from: End, protocol: string, fields: Fields): this {
    const to = from === 'initiator' ? 'responder' : 'initiator';
    this.messages.push({
      frame: this.messages.length + 1,
      time: this.#now,
      source: { address: ADDRESS[from], port: this.#port },
      destination: { address: ADDRESS[to], port: this.#port },
      protocol,
      summary: '',
      fields,
    });
    this.#now += 10;
    return this;
  }

  /** The last message so many times more. */
  again(times: number): this {
    const last = this.messages.at(-1);
    for (let time = 0; time < times && last !== undefined; time += 1) {
      this.#now += 2000;
      this.messages.push({ ...last, frame: this.messages.length + 1, time: this.#now });
    }
    return this;
  }

  v1(from: End, exchangeType: string, payloads: readonly Fields[], encrypted = false, messageId = 0): this {
    const flags = { encryption: encrypted };
    const closed = encrypted && payloads.length === 0 ? { decrypted: false } : {};
    const fields = { initiatorCookie: '01', responderCookie: '02', exchangeType, flags, messageId, length: 200 };
    return this.say(from, 'ikev1', { ...fields, payloads: [...payloads], ...closed });
  }

  v2(
    from: End,
    exchangeType: string,
    response: boolean,
    payloads: readonly Fields[],
    messageId = 0,
    length = 300,
  ): this {
    const flags = { response, initiator: from === 'initiator' };
    const fields = { initiatorSpi: '01', responderSpi: '02', exchangeType, flags, messageId, length };
    return this.say(from, 'ikev2', { ...fields, payloads: [...payloads] });
  }
}

const SA: Fields = { name: 'SA', proposals: [] };
const KE: Fields = { name: 'KE' };
const CLOSED: Fields = { name: 'SK', decrypted: false };
const notify = (notifyType: number, name: string): Fields => ({ name: 'N', notifyType, notify: name });
const open = (...payloads: Fields[]): Fields => ({ name: 'SK', decrypted: true, payloads });

const phase1 = (): Talk =>
  new Talk()
    .v1('initiator', 'Main Mode', [SA])
    .v1('responder', 'Main Mode', [SA])
    .v1('initiator', 'Main Mode', [KE])
    .v1('responder', 'Main Mode', [KE]);
const isakmp = (): Talk => phase1().v1('initiator', 'Main Mode', [], true).v1('responder', 'Main Mode', [], true);
const quick = (): Talk =>
  isakmp()
    .v1('initiator', 'Quick Mode', [], true, 7)
    .v1('responder', 'Quick Mode', [], true, 7)
    .v1('initiator', 'Quick Mode', [], true, 7);
const init = (): Talk =>
  new Talk().v2('initiator', 'IKE_SA_INIT', false, [SA, KE]).v2('responder', 'IKE_SA_INIT', true, [SA, KE]);
const auth = (): Talk => init().v2('initiator', 'IKE_AUTH', false, [CLOSED], 1);
const sa2 = (): Talk => auth().v2('responder', 'IKE_AUTH', true, [CLOSED], 1);
const answered = (...payloads: Fields[]): Talk => auth().v2('responder', 'IKE_AUTH', true, [open(...payloads)], 1);

/** Known failure, and what was said. */
export const IKE_CASES: readonly (readonly [string, () => Talk])[] = [
  ['port-500-blocked', () => new Talk().v1('initiator', 'Main Mode', [SA]).again(4)],
  [
    'ike-answers-lost',
    () =>
      new Talk()
        .v1('initiator', 'Main Mode', [SA])
        .v1('responder', 'Main Mode', [SA])
        .v1('initiator', 'Main Mode', [SA])
        .again(3),
  ],
  [
    'ike-no-proposal',
    () =>
      new Talk()
        .v1('initiator', 'Main Mode', [SA])
        .v1('responder', 'Informational', [notify(14, 'NO-PROPOSAL-CHOSEN')]),
  ],
  [
    'ike-version',
    () =>
      new Talk()
        .v1('initiator', 'Main Mode', [SA])
        .v1('responder', 'Informational', [notify(5, 'INVALID-MAJOR-VERSION')]),
  ],
  [
    'ike-large-lost',
    () =>
      new Talk()
        .v1('initiator', 'Main Mode', [SA])
        .v1('responder', 'Main Mode', [SA])
        .v1('initiator', 'Main Mode', [KE])
        .again(3),
  ],
  ['psk-wrong-v1', () => phase1().v1('initiator', 'Main Mode', [], true).v1('responder', 'Informational', [], true)],
  ['psk-wrong-v1', () => phase1().v1('initiator', 'Main Mode', [], true).again(4)],
  ['port-4500-blocked', () => phase1().port(4500).v1('initiator', 'Main Mode', [], true).again(4)],
  ['child-silent', () => isakmp().v1('initiator', 'Quick Mode', [], true, 7).again(4)],
  [
    'child-refused',
    () => isakmp().v1('initiator', 'Quick Mode', [], true, 7).v1('responder', 'Informational', [], true, 9),
  ],
  [
    'selectors-refused',
    () =>
      isakmp()
        .v1('initiator', 'Quick Mode', [], true, 7)
        .v1('responder', 'Informational', [notify(18, 'INVALID-ID-INFORMATION')], true, 9),
  ],
  ['dpd-dead', () => quick().wait(60_000).v1('initiator', 'Informational', [], true, 11).again(3)],
  ['esp-blocked', () => quick().port(0).say('initiator', 'esp', {}).again(3)],
  ['esp-in-udp-mute', () => quick().port(4500).say('initiator', 'esp', {}).again(3)],
  ['guard-drops', () => quick().port(1701).say('initiator', 'l2tp', { messageType: 'ZLB', tunnelId: 5 })],
  ['port-500-blocked', () => new Talk().v2('initiator', 'IKE_SA_INIT', false, [SA, KE]).again(4)],
  [
    'ike-no-proposal',
    () =>
      new Talk()
        .v2('initiator', 'IKE_SA_INIT', false, [SA])
        .v2('responder', 'IKE_SA_INIT', true, [notify(14, 'NO_PROPOSAL_CHOSEN')]),
  ],
  [
    'ike-version',
    () =>
      new Talk()
        .v2('initiator', 'IKE_SA_INIT', false, [SA])
        .v2('responder', 'IKE_SA_INIT', true, [notify(5, 'INVALID_MAJOR_VERSION')]),
  ],
  ['port-4500-blocked', () => init().port(4500).v2('initiator', 'IKE_AUTH', false, [CLOSED], 1).again(4)],
  ['ike-auth-silent', () => auth().again(4)],
  ['ike-large-lost', () => init().port(4500).v2('initiator', 'IKE_AUTH', false, [CLOSED], 1, 1900).again(4)],
  ['psk-wrong-v2', () => auth().v2('responder', 'IKE_AUTH', true, [CLOSED], 1, 80)],
  ['psk-wrong-v2', () => answered(notify(24, 'AUTHENTICATION_FAILED'))],
  ['child-refused', () => auth().v2('responder', 'IKE_AUTH', true, [CLOSED], 1, 140)],
  ['esp-no-proposal', () => answered({ name: 'AUTH' }, notify(14, 'NO_PROPOSAL_CHOSEN'))],
  ['selectors-refused', () => answered({ name: 'AUTH' }, notify(38, 'TS_UNACCEPTABLE'))],
  ['dpd-dead', () => sa2().wait(60_000).v2('initiator', 'INFORMATIONAL', false, [CLOSED], 2).again(4)],
  [
    'rekey-failed',
    () =>
      sa2()
        .v2('initiator', 'CREATE_CHILD_SA', false, [CLOSED], 2)
        .v2('responder', 'CREATE_CHILD_SA', true, [open(notify(14, 'NO_PROPOSAL_CHOSEN'))], 2),
  ],
  [
    'nat-mapping-lost',
    () =>
      sa2()
        .port(4500)
        .v2('initiator', 'INFORMATIONAL', false, [CLOSED], 2)
        .v2('responder', 'INFORMATIONAL', true, [CLOSED], 2)
        .port(20_001)
        .v2('initiator', 'INFORMATIONAL', false, [CLOSED], 3),
  ],
];

/** What is fine. */
export const HEALTHY_TALKS: readonly (readonly [string, () => Talk])[] = [
  ['IKEv1 with ESP both ways', () => quick().port(0).say('initiator', 'esp', {}).again(3).say('responder', 'esp', {})],
  ['IKEv2 with ESP both ways', () => sa2().port(0).say('initiator', 'esp', {}).again(3).say('responder', 'esp', {})],
];
