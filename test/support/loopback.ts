/** HTTP servers of tests: on loopback, on a port that the system chooses. */
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export async function listening<S extends Server>(server: S): Promise<S> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return server;
}

/** Host and port, as they stand in an address. */
export function hostOf(server: Server): string {
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Ends it with its connections. */
export async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
}

/** Calls back with the whole body of a request; never, if it is cut. */
export function hear(request: IncomingMessage, heard: (body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => heard(Buffer.concat(chunks)));
}
