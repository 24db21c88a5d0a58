/** Questions to a resolver and connections, both on loopback, as the cgroup programs see them. */
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { NetworkSighting } from '../../../src/discovery/network/sighting.ts';
import { NetworkSource, NetworkUnavailable } from '../../../src/discovery/network/source.ts';
import { until } from '../../support/program.ts';
import type { Observations } from './observations.ts';

const NAMES = ['api.model.example', 'other.example'];
const CONNECTIONS = 3;

/** Nothing listens at port 53: the question is asked, and refused. */
async function askFor(name: string): Promise<void> {
  const resolver = new Resolver({ tries: 1, timeout: 1_000 });
  resolver.setServers(['127.0.0.1']);
  await resolver.resolve4(name).catch(() => {});
}

export async function observeNames(): Promise<Observations['names']> {
  const seen: NetworkSighting[] = [];
  try {
    using _source = new NetworkSource({
      dnsPorts: [53],
      connections: true,
      wantsName: () => true,
      onSighting: (one) => void seen.push(one),
    });
    await using server = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    for (const name of NAMES) await askFor(name);
    for (let i = 0; i < CONNECTIONS; i++) await once(connect(port, '127.0.0.1').resume(), 'close');
    const asked = () => seen.flatMap((one) => (one.kind === 'name' && one.pid === process.pid ? [one.name] : []));
    const connected = () =>
      seen.filter((one) => one.kind === 'contact' && one.pid === process.pid && one.contact.port === port).length;
    await until(
      'they are seen',
      () => NAMES.every((name) => asked().includes(name)) && connected() >= CONNECTIONS,
      20_000,
    );
    return { asked: [...new Set(asked())].toSorted(), connected: connected() };
  } catch (error) {
    if (!(error instanceof NetworkUnavailable)) throw error;
    return { unavailable: error.message };
  }
}
