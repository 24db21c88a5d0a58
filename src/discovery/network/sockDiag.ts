/**
 * Sockets of a network namespace, as sock_diag lists them; none when the process that is in it is gone, or it is not for us to
 * enter.
 */
import { addon, type DiagSocket, failed } from '../../native.ts';

/** Those with this local port: few, at once. @param states bits of TCP states. */
export function socketsBoundTo(pid: number, protocol: number, states: number, port: number): DiagSocket[] {
  const datagrams = addon().dumpSockets(networkOf(pid), protocol, states, port);
  const all = failed(datagrams) ? [] : datagrams.flatMap(parsed);
  return all.filter(({ localPort }) => localPort === port);
}

/** All of them, in pieces of some hundreds, so that others can work in between. @param states bits of TCP states. */
export async function* socketPieces(pid: number, protocol: number, states: number): AsyncGenerator<DiagSocket[]> {
  const datagrams = await addon().listSockets(networkOf(pid), protocol, states, 0);
  if (failed(datagrams)) return;
  for (const datagram of datagrams) yield parsed(datagram);
}

function networkOf(pid: number): string {
  return `/proc/${pid}/ns/net`;
}

function parsed(datagram: Buffer): DiagSocket[] {
  const sockets = addon().parseSockets(datagram);
  return failed(sockets) ? [] : sockets;
}
