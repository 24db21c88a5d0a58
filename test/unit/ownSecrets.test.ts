import { expect, test } from 'vitest';
import { ownSecrets } from '../../otel/delivery/ownSecrets.ts';
import { effectiveProgram } from '../../src/discovery/program.ts';

test("what a backend says back of taut's own secrets is written over, and nothing else", () => {
  const headers = { authorization: 'Bearer s3cret-token', tenant: 'us' };
  const hide = ownSecrets(headers, 'http://c/?key=an%20other-key');
  const answer = (text: string) => hide(Buffer.from(text)).toString();
  expect(answer('no Bearer s3cret-token of us')).toBe('no ****** ************ of us');
  expect(answer('bad an other-key: größer')).toBe('bad an *********: größer');
  expect(ownSecrets({}, 'http://ann:p%40ssword%zz@c')(Buffer.from('p@ssword%zz?')).toString()).toBe('***********?');
});

test('nor is the password of an address said as it was sent, and that of a header as it was understood', () => {
  const sent = Buffer.from('ann:p@ssword').toString('base64');
  const hide = (headers: Record<string, string>, address: string, text: string) =>
    ownSecrets(headers, address)(Buffer.from(text)).toString();
  expect(hide({}, 'http://ann:p%40ssword@c', `no Basic ${sent}`)).toBe(`no Basic ${'*'.repeat(sent.length)}`);
  expect(hide({ Authorization: `Basic ${sent}` }, 'http://c', `no ${sent} of p@ssword`)).toBe(
    `no ${'*'.repeat(sent.length)} of ********`,
  );
});

test.each([
  [['deno', 'run', '-A', 'https://ann:s3cret@esm.sh/agent.ts?token=s3cret#s3cret'], ['agent']],
  [['node', 'https://ann:s3cret@host?token=s3cret'], ['host']],
  [['node', 'https://ann:s3cret@host/@scope/agent@1/?a=/s3cret'], ['agent@1']],
  [['https://ann:s3cret@host/agent?token=s3cret'], ['agent']],
  [['node', '/opt/what?/agent#1.mjs'], ['agent#1']],
])('a program that is an address is called by its path or its host: %j', (argv, names) => {
  expect(effectiveProgram(argv, () => '/usr/bin/node').names).toEqual(names);
});
