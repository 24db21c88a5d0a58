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

test.each([
  [['deno', 'run', '-A', 'https://ann:s3cret@esm.sh/agent.ts?token=s3cret#s3cret'], ['agent']],
  [['node', 'https://ann:s3cret@host?token=s3cret'], ['host']],
  [['node', 'https://ann:s3cret@host/@scope/agent@1/?a=/s3cret'], ['agent@1']],
  [['https://ann:s3cret@host/agent?token=s3cret'], ['agent']],
  [['node', '/opt/what?/agent#1.mjs'], ['agent#1']],
])('a program that is an address is called by its path or its host: %j', (argv, names) => {
  expect(effectiveProgram(argv, () => '/usr/bin/node').names).toEqual(names);
});
