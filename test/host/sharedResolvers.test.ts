/** Who hands on what others ask is never the agent; who asked is. */
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ask, tell } from '../support/conversation.ts';
import { FIXTURES, Sandbox } from '../support/taut.ts';
import { asker, attached, modelClient } from '../support/world.ts';

const NAME = 'api.model.example';
const RULE = modelClient({ dns: ['*.model.example'] });

test.each(['before', 'after'])(
  'a resolver of any name that hands a question on is never the agent, its client is: started %s taut',
  async (when) => {
    using sandbox = Sandbox.withRules([RULE]);
    await using client = await asker();
    const start = async () => Number((await ask(client, 'forwarder')).split(' ')[1]);
    let forwarder = when === 'before' ? await start() : 0;
    await using taut = await sandbox.watch();
    if (when === 'after') forwarder = await start();
    await tell(client, `via ${NAME}`);
    await taut.line(/attached/);
    // Its upstream question is the later one: a further client's sighting shows that it was handled by now.
    await using further = await asker();
    await tell(further, `udp ${NAME}`);
    await taut.line(new RegExp(`attached.*\\(${further.pid}\\)`));
    expect(attached(taut)).toEqual([client.pid, further.pid]);
    expect(await sandbox.json('explain', String(forwarder))).toMatchObject({ decision: 'ignore' });
  },
);

test('a resolver that serves no port that we know is known by its name', async () => {
  using sandbox = Sandbox.withRules([RULE]);
  const dnsmasq = join(sandbox.dir, 'dnsmasq');
  symlinkSync(join(FIXTURES, 'asker.py'), dnsmasq);
  await using resolver = await asker(dnsmasq);
  await using client = await asker();
  await using taut = await sandbox.watch();
  await tell(resolver, `udp ${NAME}`);
  await tell(client, `udp ${NAME}`);
  await taut.line(/attached/);
  expect(attached(taut)).toEqual([client.pid]);
});
