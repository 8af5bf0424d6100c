/** A DNS server that knows a few names, in a namespace: `node dns-server.ts ADDRESS NAME=ADDRESS ...`. */
import { createSocket } from 'node:dgram';
import { decode, encode, type Question } from 'dns-packet';

const [listen = '127.0.0.1', ...entries] = process.argv.slice(2);
const names = new Map(
  entries.map((entry): [string, string] => {
    const [name = '', address = ''] = entry.split('=');
    return [name.toLowerCase(), address];
  }),
);

const NXDOMAIN = 3;
const AUTHORITATIVE = 1 << 10;

const socket = createSocket('udp4');
socket.on('message', (message, from) => {
  const query = decode(message);
  const [question] = query.questions ?? [];
  if (!question || query.id === undefined) return;
  const address = names.get(question.name.toLowerCase());
  const reply = encode({
    type: 'response',
    id: query.id,
    flags: AUTHORITATIVE | (address === undefined ? NXDOMAIN : 0),
    questions: [question],
    answers: address === undefined ? [] : answersFor(question, address),
  });
  process.stdout.write(`${question.type} ${question.name} for ${from.address}\n`);
  socket.send(reply, from.port, from.address);
});
socket.bind(53, listen, () => process.stdout.write('ready\n'));

function answersFor(
  { name, type }: Question,
  address: string,
): { name: string; type: 'A' | 'AAAA'; data: string; ttl: number }[] {
  const wanted = address.includes(':') ? 'AAAA' : 'A';
  return type === wanted ? [{ name, type: wanted, data: address, ttl: 60 }] : [];
}
