/** Sockets of a network namespace, as sock_diag lists them. */
import { addon, type DiagSocket } from '../../native.ts';

/**
 * @param pid of a process that is in the namespace.
 * @param states bits of TCP states. @param localPort 0: any.
 * @returns them in pieces of some hundreds, so that who reads many can let others work in between; nothing when the process is
 * gone or the namespace is not for us to enter.
 */
export function* socketsOf(pid: number, protocol: number, states: number, localPort = 0): Generator<DiagSocket> {
  for (const piece of socketPieces(pid, protocol, states, localPort)) yield* piece;
}

export function* socketPieces(
  pid: number,
  protocol: number,
  states: number,
  localPort: number,
): Generator<DiagSocket[]> {
  const datagrams = addon().dumpSockets(`/proc/${pid}/ns/net`, protocol, states, localPort);
  if (typeof datagrams === 'number') return;
  for (const datagram of datagrams) {
    const sockets = addon().parseSockets(datagram);
    if (typeof sockets !== 'number') yield sockets;
  }
}
