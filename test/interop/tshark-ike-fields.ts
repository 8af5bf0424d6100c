/** Fields of tshark beside what our decoder says in their place. */
import type { DecodedMessage, FieldValue } from '../../firmware/diagnosis/decode/decoded.ts';
import { EXCHANGE_NAMES as V1_EXCHANGES } from '../../firmware/diagnosis/decode/ike/registry-v1.ts';
import { EXCHANGE_NAMES as V2_EXCHANGES } from '../../firmware/diagnosis/decode/ike/registry-v2.ts';
import type { Agreement } from './tshark-ike.ts';

type Out = Readonly<Record<string, FieldValue | undefined>>;

/** What our decoder says of the IKE messages of one frame, in the order in which tshark shows it. */
interface Said {
  readonly messages: readonly DecodedMessage[];
  /** Those inside of encrypted payloads behind these. */
  readonly payloads: readonly Out[];
  readonly proposals: readonly Out[];
  readonly transforms: readonly Out[];
}

type Row = (said: Said) => readonly (string | number)[];

const hexOf = (value: number, digits: number): string => `0x${value.toString(16).padStart(digits, '0')}`;

const listOf = (value: FieldValue | undefined): readonly Out[] =>
  Array.isArray(value) ? (value as readonly Out[]) : [];

function numberOrText(value: FieldValue | undefined): readonly (string | number)[] {
  return typeof value === 'number' || typeof value === 'string' ? [value] : [];
}

/** A field of every payload that has it. */
const field =
  (name: string, wanted: (payload: Out) => boolean = () => true): Row =>
  ({ payloads }) =>
    payloads.filter(wanted).flatMap((payload) => numberOrText(payload[name]));

const ofTransforms =
  (name: string, type?: number): Row =>
  ({ transforms }) =>
    transforms
      .filter(({ transformType }) => type === undefined || transformType === type)
      .flatMap((one) => numberOrText(one[name]));

/** Attributes of the transforms of a protocol, or of notifications. */
const attributes =
  (phase: 1 | 2, type?: number): Row =>
  ({ proposals }) =>
    proposals
      .filter(({ protocolId }) => (protocolId === 1) === (phase === 1))
      .flatMap(({ transforms }) => listOf(transforms))
      .flatMap((transform) => listOf(transform['attributes']))
      .filter((attribute) => type === undefined || attribute['type'] === type)
      .flatMap((attribute) => numberOrText(type === undefined ? attribute['type'] : attribute['value']));

const selectors =
  (name: string): Row =>
  ({ payloads }) =>
    payloads.flatMap((payload) => listOf(payload['selectors'])).flatMap((one) => numberOrText(one[name]));

const is =
  (name: string, value: FieldValue) =>
  (payload: Out): boolean =>
    payload[name] === value;

function exchangeNumber({ protocol, fields }: DecodedMessage): number {
  const names = protocol === 'ikev1' ? V1_EXCHANGES : V2_EXCHANGES;
  return Number(Object.entries(names).find(([, name]) => name === fields['exchangeType'])?.[0]);
}

const FLAG_BITS: Readonly<Record<string, number>> = {
  encryption: 1,
  commit: 2,
  authenticationOnly: 4,
  initiator: 8,
  version: 16,
  response: 32,
};

function flagsOf({ fields }: DecodedMessage): number {
  const flags = fields['flags'] as Readonly<Record<string, boolean>>;
  return Object.entries(flags).reduce((sum, [name, set]) => sum + (set ? (FLAG_BITS[name] ?? 0) : 0), 0);
}

/** Of IKEv2 only what stood in the frame: tshark shows no header for what was put together from fragments. */
const header =
  (of: (message: DecodedMessage) => string | number): Row =>
  ({ messages }) =>
    messages.filter(({ fields, protocol }) => fields['reassembled'] !== true || protocol === 'ikev1').map(of);

const ROWS: Readonly<Record<string, Row>> = {
  'isakmp.exchangetype': header(exchangeNumber),
  'isakmp.flags': header((message) => hexOf(flagsOf(message), 2)),
  'isakmp.messageid': header(({ fields }) => hexOf(Number(fields['messageId']), 8)),
  'isakmp.length': header(({ fields }) => Number(fields['length'])),
  'isakmp.typepayload': field('type'),
  'isakmp.notify.msgtype': field('notifyType'),
  'isakmp.prop.number': ({ proposals }) => proposals.flatMap((one) => numberOrText(one['number'])),
  'isakmp.prop.protoid': ({ proposals }) => proposals.flatMap((one) => numberOrText(one['protocolId'])),
  'isakmp.spi': ({ payloads }) =>
    payloads.flatMap((payload) => [
      ...listOf(payload['proposals']).flatMap((one) => numberOrText(one['spi'])),
      ...numberOrText(payload['spi']),
    ]),
  'isakmp.delete.spi': ({ payloads }) =>
    payloads.flatMap(({ spis }) => (Array.isArray(spis) ? (spis as string[]) : [])),
  'isakmp.tf.type': ofTransforms('transformType'),
  'isakmp.tf.id.encr': ofTransforms('transformId', 1),
  'isakmp.tf.id.prf': ofTransforms('transformId', 2),
  'isakmp.tf.id.integ': ofTransforms('transformId', 3),
  'isakmp.tf.id.dh': ofTransforms('transformId', 4),
  'isakmp.tf.id.esn': ofTransforms('transformId', 5),
  'isakmp.ike2.attr.key_length': ofTransforms('keyLength'),
  'isakmp.trans.number': ofTransforms('number'),
  'isakmp.trans.id': ({ transforms }) =>
    transforms.filter((one) => one['transformType'] === undefined).flatMap((one) => numberOrText(one['transformId'])),
  'isakmp.ike.attr.type': attributes(1),
  'isakmp.ike.attr.encryption_algorithm': attributes(1, 1),
  'isakmp.ike.attr.hash_algorithm': attributes(1, 2),
  'isakmp.ike.attr.authentication_method': attributes(1, 3),
  'isakmp.ike.attr.group_description': attributes(1, 4),
  'isakmp.ike.attr.life_type': attributes(1, 11),
  'isakmp.ike.attr.life_duration': attributes(1, 12),
  'isakmp.ike.attr.key_length': attributes(1, 14),
  'isakmp.ipsec.attr.type': attributes(2),
  'isakmp.ipsec.attr.life_type': attributes(2, 1),
  'isakmp.ipsec.attr.life_duration': attributes(2, 2),
  'isakmp.ipsec.attr.group_description': attributes(2, 3),
  'isakmp.ipsec.attr.encap_mode': attributes(2, 4),
  'isakmp.ipsec.attr.auth_algorithm': attributes(2, 5),
  'isakmp.ipsec.attr.key_length': attributes(2, 6),
  'isakmp.key_exchange.dh_group': field('group', is('name', 'KE')),
  'isakmp.key_exchange.data': field('keyExchangeData'),
  'isakmp.nonce': field('nonceData'),
  'isakmp.vid_bytes': field('vendorId'),
  'isakmp.hash': field('hashData'),
  'isakmp.ike.nat_hash': field('hash', ({ name }) => name === 'NAT-D' || name === 'NAT-D (draft)'),
  'isakmp.ike.nat_original_address_ipv4': field('address', ({ name }) => String(name).startsWith('NAT-OA')),
  'isakmp.auth.method': field('authMethod'),
  'isakmp.auth.data': field('authenticationData'),
  'isakmp.id.type': field('idType'),
  'isakmp.id.data.ipv4_addr': ({ payloads }) => payloads.flatMap(identityPart(0)),
  'isakmp.id.data.ipv4_subnet': ({ payloads }) => payloads.flatMap(identityPart(1)),
  'isakmp.id.data.fqdn': field('identity', is('id', 'ID_FQDN')),
  'isakmp.id.data.user_fqdn': field('identity', ({ id }) => id === 'ID_RFC822_ADDR' || id === 'ID_USER_FQDN'),
  'isakmp.ts.type': selectors('tsType'),
  'isakmp.ts.protoid': selectors('protocol'),
  'isakmp.ts.start_port': selectors('firstPort'),
  'isakmp.ts.end_port': selectors('lastPort'),
  'isakmp.ts.start_ipv4': selectors('firstAddress'),
  'isakmp.ts.end_ipv4': selectors('lastAddress'),
  'isakmp.notify.data.accepted_dh_group': field('group', is('name', 'N')),
  'isakmp.notify.data.dpd.are_you_there': field('sequenceNumber', is('notify', 'R-U-THERE')),
  'isakmp.notify.data.dpd.are_you_there_ack': field('sequenceNumber', is('notify', 'R-U-THERE-ACK')),
  'isakmp.notify.data.signature_hash_algorithms': ({ payloads }) => payloads.flatMap(signatureHashes),
  'isakmp.frag.number': field('fragmentNumber', is('name', 'SKF')),
  'isakmp.frag.total': field('totalFragments'),
  'isakmp.frag.packetid': ({ payloads }) =>
    payloads.flatMap(({ fragmentId: id }) => (id === undefined ? [] : [hexOf(Number(id), 4)])),
  'isakmp.frag.seq': field('fragmentNumber', is('name', 'FRAGMENT')),
};

/** `10.1.0.0 mask 255.255.0.0` are two fields of tshark. */
const identityPart =
  (index: 0 | 1) =>
  ({ id, identity }: Out): readonly string[] => {
    if (typeof identity !== 'string' || (id !== 'ID_IPV4_ADDR' && id !== 'ID_IPV4_ADDR_SUBNET')) return [];
    const part = identity.split(' mask ')[index];
    return part === undefined ? [] : [part];
  };

const SIGNATURE_HASHES = ['', 'SHA1', 'SHA2-256', 'SHA2-384', 'SHA2-512', 'Identity'];

function signatureHashes({ notify, values }: Out): readonly number[] {
  if (notify !== 'SIGNATURE_HASH_ALGORITHMS' || !Array.isArray(values)) return [];
  return values.map((name) => SIGNATURE_HASHES.indexOf(String(name)));
}

/** Of ESP and of what is in it. */
const INSIDE = [
  'esp.spi',
  'esp.sequence',
  'esp.icv_good',
  'esp.icv_bad',
  'l2tp.type',
  'l2tp.tunnel',
  'l2tp.Ns',
  'l2tp.Nr',
  'ppp.code',
  'ppp.identifier',
  'chap.code',
  'chap.identifier',
] as const;

export const FIELDS: readonly string[] = [...Object.keys(ROWS), ...INSIDE];

/** Payload types of tshark within an SA payload, which are no payloads of ours: Proposal and Transform. */
const SUBSTRUCTURES = ['2', '3'];

type Lists = Record<string, readonly string[]>;

/** What tshark has of a frame, what we have, and what there was to compare. */
export function agreement(
  theirs: ReadonlyMap<string, readonly string[]>,
  ours: readonly DecodedMessage[],
): { readonly expected: Lists; readonly found: Lists; readonly counts: Agreement } {
  const expected: Lists = {};
  const found: Lists = {};
  const said = saidOf(ours);
  for (const [name, row] of Object.entries(ROWS)) {
    const values = theirs.get(name) ?? [];
    expected[name] = name === 'isakmp.typepayload' ? values.filter((type) => !SUBSTRUCTURES.includes(type)) : values;
    found[name] = row(said).map(String);
  }
  const esp = ours.filter(({ protocol }) => protocol === 'esp');
  compareInside(theirs, ours, esp, expected, found);
  const encrypted = said.payloads.filter(({ name }) => name === 'SK' || name === 'SKF');
  const decryptedV1 = said.messages.filter(({ fields }) => fields['decrypted'] === true);
  const isControl = ({ protocol, fields }: DecodedMessage): boolean =>
    protocol === 'l2tp' && fields['ns'] !== undefined;
  return {
    expected,
    found,
    counts: {
      ike: said.messages.length,
      decrypted: encrypted.filter(({ decrypted }) => decrypted === true).length + decryptedV1.length,
      esp: esp.length,
      icvGood: esp.filter(({ fields }) => fields['icv'] === 'good').length,
      l2tp: ours.filter(isControl).length,
      ppp: ours.filter(({ protocol }) => protocol.startsWith('ppp-')).length,
    },
  };
}

function saidOf(ours: readonly DecodedMessage[]): Said {
  const messages = ours.filter(({ protocol }) => protocol === 'ikev1' || protocol === 'ikev2');
  const flat = (payloads: readonly Out[]): readonly Out[] =>
    payloads.flatMap((payload) => [payload, ...flat(listOf(payload['payloads']))]);
  const payloads = flat(messages.flatMap(({ fields }) => listOf(fields['payloads'])));
  const proposals = payloads.flatMap((payload) => listOf(payload['proposals']));
  return { messages, payloads, proposals, transforms: proposals.flatMap((one) => listOf(one['transforms'])) };
}

/** Ciphers of ESP that tshark 4.0 does not know. */
const UNKNOWN = /^(ChaCha20|AES-CCM)/;

const CODES: readonly string[] = [
  '',
  'Configure-Request',
  'Configure-Ack',
  'Configure-Nak',
  'Configure-Reject',
  'Terminate-Request',
  'Terminate-Ack',
  'Code-Reject',
  'Protocol-Reject',
  'Echo-Request',
  'Echo-Reply',
  'Discard-Request',
];
const CHAP_CODES: readonly string[] = ['', 'Challenge', 'Response', 'Success', 'Failure'];

function compareInside(
  theirs: ReadonlyMap<string, readonly string[]>,
  ours: readonly DecodedMessage[],
  esp: readonly DecodedMessage[],
  expected: Lists,
  found: Lists,
): void {
  const put = (name: string, values: readonly (string | number)[], take = theirs.get(name) ?? []): void => {
    expected[name] = take;
    found[name] = values.map(String);
  };
  put(
    'esp.spi',
    esp.map(({ fields }) => `0x${String(fields['spi'])}`),
  );
  put(
    'esp.sequence',
    esp.flatMap(({ fields }) => numberOrText(fields['sequenceNumber'])),
  );
  const checked = esp.filter(
    ({ fields }) =>
      (fields['icv'] === 'good' || fields['icv'] === 'bad') && !UNKNOWN.test(String(fields['encryption'])),
  );
  put(
    'esp.icv_good',
    checked.map(({ fields }) => (fields['icv'] === 'good' ? 1 : 0)),
  );
  put(
    'esp.icv_bad',
    checked.map(({ fields }) => (fields['icv'] === 'bad' ? 1 : 0)),
  );
  // One of the two alone looks inside: tshark does not know the cipher, or reads on behind a wrong ICV.
  if (esp.some(({ fields }) => fields['icv'] === 'bad' || UNKNOWN.test(String(fields['encryption'])))) return;
  const l2tp = ours.filter(({ protocol, fields }) => protocol === 'l2tp' && fields['ns'] !== undefined);
  const isControl = theirs.get('l2tp.type')?.[0] === '1';
  for (const [name, ofOurs] of [
    ['l2tp.tunnel', 'tunnelId'],
    ['l2tp.Ns', 'ns'],
    ['l2tp.Nr', 'nr'],
  ] as const) {
    put(
      name,
      l2tp.flatMap(({ fields }) => numberOrText(fields[ofOurs])),
      isControl ? theirs.get(name) : [],
    );
  }
  const chap = ours.filter(({ protocol }) => protocol === 'ppp-chap');
  const others = ours.filter(({ protocol }) => /^ppp-(lcp|ipcp|ipv6cp|ccp)$/.test(protocol));
  put(
    'chap.code',
    chap.map(({ fields }) => CHAP_CODES.indexOf(String(fields['code']))),
  );
  put(
    'chap.identifier',
    chap.flatMap(({ fields }) => numberOrText(fields['identifier'])),
  );
  // tshark reads on in what a Code-Reject or a Protocol-Reject gives back.
  const outer = (name: string): readonly string[] => (theirs.get(name) ?? []).slice(0, 1);
  put(
    'ppp.code',
    others.map(({ fields }) => CODES.indexOf(String(fields['code']))),
    outer('ppp.code'),
  );
  put(
    'ppp.identifier',
    others.flatMap(({ fields }) => numberOrText(fields['identifier'])),
    outer('ppp.identifier'),
  );
}
