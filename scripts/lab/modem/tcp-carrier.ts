/** Calls that go on as a TCP connection to where a real PPP server listens: `socat TCP-LISTEN:9100,fork EXEC:"pppd ...",pty` in a guest. */
import { connect } from 'node:net';
import type { Carrier } from './simulated-modem.ts';

export function tcpCarrier(host: string, port: number): Carrier {
  return (toTerminal, hangUp) => {
    const socket = connect({ host, port, noDelay: true });
    socket.on('data', (octets) => toTerminal(octets));
    socket.on('error', () => undefined);
    socket.on('close', hangUp);
    return { octets: (octets) => socket.write(octets), end: () => socket.destroy() };
  };
}
