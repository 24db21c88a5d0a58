/** Programs in Go resolve names and begin TLS without the C library and without OpenSSL. Here as Go is needed to build one. */
import { expect, test } from 'vitest';
import { ask } from '../support/conversation.ts';
import { Sandbox } from '../support/taut.ts';
import { agents, asker, attached, modelClient } from '../support/world.ts';
import { binary } from './binaries.ts';

test.each([
  ["asks Go's own resolver for", 'dns', 'lookup api.model.example'],
  ["names in the ClientHello of Go's own TLS", 'connection', 'tls api.model.example 127.0.0.1:4343'],
])('a listed name that a Go program %s makes exactly that process an agent', async (_, attachPath, words) => {
  using sandbox = Sandbox.withRules([modelClient({ dns: '*.model.example' })]);
  await using program = await asker();
  await using taut = await sandbox.watch();
  const pid = Number((await ask(program, `run ${binary('go-client')} ${words}`)).split(' ')[1]);
  await taut.line(/attached/);
  expect(await agents(sandbox)).toMatchObject([{ pid, attachPath }]);
  expect(attached(taut)).toEqual([pid]);
});
