import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { answerRadius } from '../../scripts/lab/radius.ts';

const SECRET = 'xyzzy5461';
const USERS = [
  { name: 'nemo', password: 'arctangent' },
  { name: 'flopsy', password: 'carrot', address: '10.97.0.77' },
];

/** RFC 2865, 7.1: user nemo logs in by PAP, password "arctangent", secret "xyzzy5461". */
const RFC_REQUEST = Buffer.from(
  '010000380f403f9473978057bd83d5cb98f4227a01066e656d6f02120dbe708d93d413ce3196e43f782a0aee0406c0a80110050600000003',
  'hex',
);

function attribute(type: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type, value.length + 2]), value]);
}

function request(code: number, ...attributes: readonly Buffer[]): Buffer {
  const body = Buffer.concat(attributes);
  const head = Buffer.alloc(20, 7);
  head.writeUInt8(code, 0);
  head.writeUInt8(42, 1);
  head.writeUInt16BE(20 + body.length, 2);
  return Buffer.concat([head, body]);
}

function chap(user: string, password: string, challenge: Buffer): Buffer {
  const digest = createHash('md5')
    .update(Buffer.from([9]))
    .update(password)
    .update(challenge)
    .digest();
  const response = Buffer.concat([Buffer.from([9]), digest]);
  return request(1, attribute(1, Buffer.from(user)), attribute(3, response), attribute(60, challenge));
}

describe('the RADIUS server of the lab', () => {
  it("accepts the PAP request of RFC 2865's first example", () => {
    const answer = answerRadius(RFC_REQUEST, SECRET, USERS);
    expect(answer?.summary).toBe('PAP "nemo" accepted');
    expect(answer?.reply.subarray(0, 2)).toEqual(Buffer.from([2, 0]));
  });

  it('signs its reply with the secret and the authenticator of the request', () => {
    const reply = answerRadius(RFC_REQUEST, SECRET, USERS)?.reply ?? Buffer.alloc(0);
    const signed = Buffer.concat([reply.subarray(0, 4), RFC_REQUEST.subarray(4, 20), reply.subarray(20)]);
    expect(reply.subarray(4, 20)).toEqual(createHash('md5').update(signed).update(SECRET).digest());
    expect(reply.readUInt16BE(2)).toBe(reply.length);
  });

  it('rejects a PAP password that was hidden with another secret', () => {
    expect(answerRadius(RFC_REQUEST, 'another', USERS)?.reply.readUInt8()).toBe(3);
  });

  it('accepts CHAP, and gives the address of the user', () => {
    const answer = answerRadius(chap('flopsy', 'carrot', Buffer.alloc(16, 5)), SECRET, USERS);
    expect(answer?.summary).toBe('CHAP "flopsy" accepted');
    expect(answer?.reply.toString('hex')).toContain('08060a61004d');
  });

  it.each([
    ['a wrong password', chap('flopsy', 'turnip', Buffer.alloc(16, 5))],
    ['an unknown user', chap('mopsy', 'carrot', Buffer.alloc(16, 5))],
    ['no password at all', request(1, attribute(1, Buffer.from('nemo')))],
  ])('rejects %s', (_, message) => {
    expect(answerRadius(message, SECRET, USERS)?.reply.readUInt8()).toBe(3);
  });

  it('acknowledges accounting', () => {
    expect(answerRadius(request(4), SECRET, USERS)?.reply.readUInt8()).toBe(5);
  });

  it.each([
    ['too short', Buffer.alloc(19)],
    ['shorter than its length says', RFC_REQUEST.subarray(0, 40)],
    ['with an attribute of length 1', request(1, Buffer.from([1, 1]))],
    ['with an attribute that runs over the end', request(1, Buffer.from([1, 9, 0]))],
    ['no request', request(2)],
  ])('does not answer a message that is %s', (_, message) => {
    expect(answerRadius(message, SECRET, USERS)).toBeUndefined();
  });
});
