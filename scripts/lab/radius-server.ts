/**
 * A RADIUS server as a program, to be run in the namespace of the server that asks it:
 * `node radius-server.ts SETTINGS.json`, with {@link RadiusSettings} in the file. Prints `ready` and then every answer.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { PppUser } from './ppp-users.ts';
import { answerRadius } from './radius.ts';

export interface RadiusSettings {
  readonly address: string;
  readonly secret: string;
  readonly users: readonly PppUser[];
}

/** Authentication and accounting (RFC 2865, 3; RFC 2866, 3). */
const PORTS = [1812, 1813] as const;

async function serve(settings: RadiusSettings): Promise<void> {
  for (const port of PORTS) {
    const socket = createSocket('udp4');
    socket.on('message', (request, from) => {
      const answer = answerRadius(request, settings.secret, settings.users);
      if (answer === undefined) return;
      console.log(answer.summary);
      socket.send(answer.reply, from.port, from.address);
    });
    socket.bind(port, settings.address);
    await once(socket, 'listening');
  }
  console.log('ready');
}

if (import.meta.main) await serve(JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')));
