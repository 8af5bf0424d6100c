/** L2TP, PPP and PPPoE discovery messages as tshark saw them, under the names that the RFCs give them. */
import { avpDefinition, findAvp } from '../../firmware/protocol/l2tp/avp-table.ts';
import { find, findAll, type PdmlFrame, type PdmlNode } from './pdml.ts';

/** What tshark shows of a value. */
export interface WitnessedValue {
  /** Its fields in order; empty when it does not look into the value. */
  readonly shows: readonly string[];
  /** The octets, in hexadecimal. */
  readonly raw: string;
}

export interface WitnessedItem {
  /** Title of the AVP or option. */
  readonly name: string;
  /** Absent where tshark cannot know it. */
  readonly value?: WitnessedValue;
  readonly mandatory?: boolean;
  readonly hidden?: boolean;
}

export interface WitnessedMessage {
  /** As in `culvert decode --json`. */
  readonly protocol: string;
  readonly type: string;
  /** Under the names of `culvert decode --json`. */
  readonly fields: Readonly<Record<string, WitnessedValue>>;
  readonly avps?: readonly WitnessedItem[];
  readonly options?: readonly WitnessedItem[];
}

/** The messages of a frame, from the outside to the inside. */
export function messagesOf({ protocols }: PdmlFrame): readonly WitnessedMessage[] {
  const messages: WitnessedMessage[] = [];
  for (const protocol of protocols) {
    const message = (READERS[protocol.name] ?? pppMessage)(protocol);
    if (message !== undefined) messages.push(message);
  }
  return messages;
}

const READERS: Readonly<Record<string, (protocol: PdmlNode) => WitnessedMessage | undefined>> = {
  l2tp: l2tpMessage,
  pppoed: discoveryMessage,
};

/** RFC 2516 section 5. */
const DISCOVERY_CODES: Readonly<Record<string, string>> = {
  '0x07': 'PADO',
  '0x09': 'PADI',
  '0x19': 'PADR',
  '0x65': 'PADS',
  '0xa7': 'PADT',
};

function discoveryMessage(protocol: PdmlNode): WitnessedMessage {
  const code = find(protocol, 'pppoe.code')?.show ?? '';
  const sessionId = witnessedValue(find(protocol, 'pppoe.session_id'));
  return { protocol: 'pppoe-discovery', type: DISCOVERY_CODES[code] ?? `code ${code}`, fields: { sessionId } };
}

/** RFC 2661 section 3.2, RFC 5515 section 4. */
const L2TP_MESSAGES: Readonly<Record<string, string>> = {
  1: 'SCCRQ',
  2: 'SCCRP',
  3: 'SCCCN',
  4: 'StopCCN',
  6: 'HELLO',
  7: 'OCRQ',
  8: 'OCRP',
  9: 'OCCN',
  10: 'ICRQ',
  11: 'ICRP',
  12: 'ICCN',
  14: 'CDN',
  15: 'WEN',
  16: 'SLI',
  28: 'CSUN',
  29: 'CSURQ',
};

/** Fields of an AVP that are not its value. */
const AVP_HEADER = /^l2tp\.avp\.(mandatory|hidden|length|vendor_id|type|\w+type)$/;
const AVP_VALUE_TYPES = /^l2tp\.avp\.(message_type|proxy_authen_type|\w+_(bearer|framing)_type)$/;

function l2tpMessage(protocol: PdmlNode): WitnessedMessage | undefined {
  if (find(protocol, 'l2tp.type')?.show !== '1') return undefined;
  const avps = protocol.children.filter((node) => find(node, 'l2tp.avp.length') !== undefined);
  const type = find(protocol, 'l2tp.avp.message_type')?.show;
  const fields: Record<string, WitnessedValue> = {};
  for (const [ours, theirs] of [
    ['tunnelId', 'l2tp.tunnel'],
    ['sessionId', 'l2tp.session'],
    ['ns', 'l2tp.Ns'],
    ['nr', 'l2tp.Nr'],
  ] as const) {
    fields[ours] = witnessedValue(find(protocol, theirs));
  }
  const name = type === undefined ? 'ZLB' : (L2TP_MESSAGES[type] ?? `message type ${type}`);
  return { protocol: 'l2tp', type: name, fields, avps: avps.map(avpItem) };
}

/** Octets of an AVP before its value. */
const AVP_HEADER_DIGITS = 12;

function avpItem(node: PdmlNode): WitnessedItem {
  // The octets, since tshark names the field of the type after the vendor, and shows none of a hidden AVP.
  const vendor = Number.parseInt(node.value.slice(4, 8), 16);
  const type = Number.parseInt(node.value.slice(8, AVP_HEADER_DIGITS), 16);
  const key = findAvp(vendor, type);
  const name = key === undefined ? `AVP ${type}${vendor === 0 ? '' : ` of vendor ${vendor}`}` : avpDefinition(key).name;
  const leaves = node.children.filter(({ name: field }) => AVP_VALUE_TYPES.test(field) || !AVP_HEADER.test(field));
  const raw = node.value.slice(AVP_HEADER_DIGITS);
  const mandatory = find(node, 'l2tp.avp.mandatory')?.show === '1';
  const hidden = find(node, 'l2tp.avp.hidden')?.show === '1';
  // tshark unhides nothing.
  return { name, mandatory, hidden, ...(hidden ? {} : { value: { raw, shows: showsOf(leaves) } }) };
}

/** Bits of one field count as the number that they make up. */
function showsOf(leaves: readonly PdmlNode[]): readonly string[] {
  const [first] = leaves;
  if (first !== undefined && leaves.every(({ unmasked }) => unmasked !== '')) return [`0x${first.unmasked}`];
  return leaves.map(shown);
}

/** Octets as hexadecimal without colons, the rest as it is shown. */
function shown({ show, value }: PdmlNode): string {
  return /^([0-9a-f]{2}:)*[0-9a-f]{2}$/.test(show) && show.replaceAll(':', '') === value ? value : show;
}

function witnessedValue(node: PdmlNode | undefined): WitnessedValue {
  return node === undefined ? { shows: [], raw: '' } : { shows: [shown(node)], raw: node.value };
}

const NCP_CODES = [
  'code 0',
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
  'Identification',
  'Time-Remaining',
  'Reset-Request',
  'Reset-Ack',
];
const PAP_CODES = ['', 'Authenticate-Request', 'Authenticate-Ack', 'Authenticate-Nak'];
const CHAP_CODES = ['', 'Challenge', 'Response', 'Success', 'Failure'];
const EAP_CODES = ['', 'Request', 'Response', 'Success', 'Failure'];

const EAP_TYPES: Readonly<Record<string, string>> = {
  1: 'Identity',
  2: 'Notification',
  3: 'Nak',
  4: 'MD5-Challenge',
  26: 'MSCHAPv2',
};

interface PppWitness {
  readonly code: string;
  readonly identifier: string;
  readonly codes: readonly string[];
  /** Our field, and the first of tshark's that there is. */
  readonly fields: Readonly<Record<string, readonly string[]>>;
}

const NEGOTIATION: PppWitness = {
  code: 'ppp.code',
  identifier: 'ppp.identifier',
  codes: NCP_CODES,
  fields: {
    magicNumber: ['lcp.magic_number'],
    secondsRemaining: ['lcp.secs_remaining'],
    message: ['lcp.message'],
  },
};

const PPP: Readonly<Record<string, PppWitness>> = {
  lcp: NEGOTIATION,
  ipcp: NEGOTIATION,
  ipv6cp: NEGOTIATION,
  ccp: NEGOTIATION,
  pap: {
    code: 'pap.code',
    identifier: 'pap.identifier',
    codes: PAP_CODES,
    fields: { peerId: ['pap.peer_id'], passwordLength: ['pap.password.length'], message: ['pap.message'] },
  },
  chap: {
    code: 'chap.code',
    identifier: 'chap.identifier',
    codes: CHAP_CODES,
    fields: { value: ['chap.value'], name: ['chap.name'], message: ['chap.message'] },
  },
  eap: {
    code: 'eap.code',
    identifier: 'eap.id',
    codes: EAP_CODES,
    fields: {
      identity: ['eap.identity'],
      value: ['eap.md5.value', 'eap.ms_chap_v2.challenge'],
      name: ['eap.ms_chap_v2.name'],
      msChapV2Id: ['eap.ms_chap_v2.id'],
    },
  },
};

function pppMessage(protocol: PdmlNode): WitnessedMessage | undefined {
  const witness = PPP[protocol.name];
  if (witness === undefined) return undefined;
  const code = Number(find(protocol, witness.code)?.show);
  const fields: Record<string, WitnessedValue> = { identifier: witnessedValue(find(protocol, witness.identifier)) };
  for (const [ours, theirs] of Object.entries(witness.fields)) {
    const node = theirs.map((name) => find(protocol, name)).find((found) => found !== undefined);
    if (node !== undefined) fields[ours] = witnessedValue(node);
  }
  const eapType = EAP_TYPES[find(protocol, 'eap.type')?.show ?? ''];
  if (eapType !== undefined) fields['type'] = { shows: [eapType], raw: '' };
  const common = { protocol: `ppp-${protocol.name}`, type: witness.codes[code] ?? `code ${code}`, fields };
  if (witness !== NEGOTIATION || code < 1 || code > 4) return common;
  const options = findAll(protocol, `${protocol.name}.opt.type`).map((type) => optionItem(protocol, type));
  return { ...common, options };
}

/** Titles of options, by protocol and type. */
const OPTION_NAMES: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  lcp: {
    1: 'MRU',
    2: 'ACCM',
    3: 'Authentication-Protocol',
    4: 'Quality-Protocol',
    5: 'Magic-Number',
    7: 'Protocol-Field-Compression',
    8: 'Address-and-Control-Field-Compression',
    13: 'Callback',
    17: 'MRRU',
    18: 'Short-Sequence-Number-Header-Format',
    19: 'Endpoint-Discriminator',
  },
  ipcp: {
    1: 'IP-Addresses',
    2: 'IP-Compression-Protocol',
    3: 'IP-Address',
    129: 'Primary-DNS-Address',
    130: 'Primary-NBNS-Address',
    131: 'Secondary-DNS-Address',
    132: 'Secondary-NBNS-Address',
  },
  ipv6cp: { 1: 'Interface-Identifier', 2: 'IPv6-Compression-Protocol' },
  ccp: { 1: 'Predictor-1', 2: 'Predictor-2', 18: 'MPPE', 21: 'BSD-Compress', 26: 'Deflate' },
};

const PROTOCOLS: Readonly<Record<string, string>> = {
  c023: 'PAP',
  c223: 'CHAP',
  c227: 'EAP',
  c025: 'LQR',
  '002d': 'VJ-Compressed',
};

/** Octets of an option before its data, as digits. */
const OPTION_HEADER_DIGITS = 4;

function optionItem(protocol: PdmlNode, type: PdmlNode): WitnessedItem {
  const option = parentOf(protocol, type);
  const name = OPTION_NAMES[protocol.name]?.[Number(type.show)] ?? `option ${type.show}`;
  const raw = option.value.slice(OPTION_HEADER_DIGITS);
  const shows = option.children.filter(({ name: field }) => !/\.opt\.(type|length)$/.test(field)).map(shown);
  const protocolName = PROTOCOLS[raw.slice(0, 4)];
  // An option whose value is a protocol: its name, and what belongs to it in hexadecimal.
  if (/Protocol$/.test(name) && protocolName !== undefined) {
    return { name, value: { raw, shows: [`${protocolName} ${raw.slice(4)}`.trimEnd()] } };
  }
  return { name, value: { raw, shows } };
}

function parentOf(node: PdmlNode, child: PdmlNode): PdmlNode {
  if (node.children.includes(child)) return node;
  for (const inner of node.children) {
    const found = parentOf(inner, child);
    if (found.children.includes(child)) return found;
  }
  return node;
}
