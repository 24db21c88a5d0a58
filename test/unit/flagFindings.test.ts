/** What is said of a flag file, with its place; and that nothing else is said of a good one. */
import { FlagdCore } from '@openfeature/flagd-core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { timerSlack } from '../../src/actuator/timerSlack.ts';
import { flagFindings } from '../../src/gate/flagFindings.ts';

const KEY = 'taut.optimize-timer-slack';
const find = (text: string) => flagFindings(text, 'f', [timerSlack]);
const file = (flag: object, key = KEY) => JSON.stringify({ flags: { [key]: flag } });
const flag = (more: object) =>
  file({ state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off', ...more });
const GOOD = {
  targeting: {
    if: [
      { '==': [{ var: 'agent' }, 'codex'] },
      'on',
      {
        fractional: [
          ['on', 1],
          ['off', 9],
        ],
      },
    ],
  },
  metadata: { owner: 'ops' },
};

test.each([
  flag({}),
  flag(GOOD),
  flag({ state: 'DISABLED' }),
  flag({ variants: { on: '10us', off: 'off', exact: 250, plain: '250' } }),
  flag({ targeting: { if: [{ in: [{ var: ['rule', ''] }, ['a']] }, 'on'] } }),
  flag({ targeting: { if: [{ some: [['a', 'b'], { '==': [{ var: '' }, 'x'] }] }, 'on', null] } }),
  JSON.stringify({
    $schema: 'x',
    flags: { [KEY]: JSON.parse(flag({})).flags[KEY], 'their.flag': { state: 'ENABLED', variants: {} } },
  }),
])('nothing is said of %s', (text) => {
  expect(find(text)).toEqual({ broken: [], mistakes: [], warnings: [] });
});

test.each([
  ['', 'f:1:1: the file is empty; a flag file is {"flags": {…}}'],
  ['{', 'f:1:2: this is no JSON'],
  ['flags: yes', 'f:1:2: this is no JSON'],
  ['{"flags": {\n  "a": {},\n}}', 'f:3:1: this is no JSON'],
  ['{"flags": {"a": 1} trailing', 'f:1:20: this is no JSON'],
  ['[]', 'f:1:1: a flag file is an object'],
  ['{"flag": {}}', 'f:1:1: there is no "flags"'],
  ['{"flags": []}', 'f:1:11: flags: an object is wanted'],
  [file({ variants: {} }), `f:1:39: state: is missing; write "ENABLED" or "DISABLED"`],
  [file({ state: 'enabled', variants: {} }), `f:1:48: state: "enabled" is none; did you mean "ENABLED"?`],
  [file({ state: 'ENABLED' }), 'f:1:39: variants: an object is wanted, like {"on": true, "off": false}'],
  [flag({ variants: { off: false, on: { ns: 1 } } }), 'variants: on: unknown member "ns"; there are value, desc'],
  [flag({ defaultVariant: 'onn' }), 'defaultVariant: "onn" is no variant; did you mean "on"?'],
  [flag({ defaultVariant: true }), 'defaultVariant: true is no variant; there are: on, off'],
  [file({ state: 'ENABLED' }, 'somebody.elses'), 'variants: an object is wanted'],
])('%s can not be used', (text, said) => {
  const { broken } = find(text);
  expect(broken).toHaveLength(1);
  expect(broken[0]).toContain(said);
});

test.each([
  [{ variants: { off: 'off', on: '10 parsecs' } }, 'variants: on: "10 parsecs" is no timer slack'],
  [{ variants: { off: false, on: -1 } }, 'variants: on: "-1" is no timer slack'],
  [{ variants: { off: false, on: '0us' } }, 'variants: on: a timer slack of 0 does not exist'],
  [{ variants: { off: false, on: '1s' } }, 'variants: on:'],
  [{ variants: { off: false, on: 'true' } }, 'variants: on: "true" is a text; write true without quotes'],
  [{ variants: { off: false, on: { value: '10 parsecs' } } }, 'variants: on: "10 parsecs" is no timer slack'],
  [{ variants: { off: null } }, 'variants: off: true, false, a number, or a text'],
  [{ targeting: { if: [true, 'onn', 'off'] } }, 'targeting: "onn" is no variant; did you mean "on"?'],
  [{ targeting: { if: [true, 'on', true] } }, 'targeting: "true" is no variant'],
  [
    {
      targeting: {
        fractional: [
          ['yes', 1],
          ['off', 1],
        ],
      },
    },
    'targeting: "yes" is no variant',
  ],
  [{ targeting: { if: [{ equals: [1, 1] }, 'on', 'off'] } }, 'targeting: there is no operator "equals"'],
  [{ targeting: { iff: [true, 'on', 'off'] } }, 'targeting: there is no operator "iff"; did you mean "if"?'],
  [{ targeting: 'on' }, 'targeting: an object is wanted'],
])('a flag of taut with %j is a mistake', (more, said) => {
  const { broken, mistakes } = find(flag(more));
  expect([broken, mistakes.length]).toEqual([[], 1]);
  expect(mistakes[0]).toContain(said);
});

test.each([
  [
    file(JSON.parse(flag({})).flags[KEY], 'taut.optimise-timer-slack'),
    `f:1:11: unknown flag "taut.optimise-timer-slack"; did you mean "${KEY}"?`,
  ],
  [file(JSON.parse(flag({})).flags[KEY], 'optimize-timer-slack'), `did you mean "${KEY}"?`],
  [file(JSON.parse(flag({})).flags[KEY], 'taut.everything'), `unknown flag "taut.everything"; known: ${KEY}`],
  ['{"flags": {}}', `f:1:11: there is no flag "${KEY}" or "taut.optimize", so nothing is tuned`],
  [flag({ defaultVariant: undefined }), 'there is no defaultVariant, so the flag is off always'],
  [flag({ defaultVariant: '', targeting: GOOD.targeting }), 'off wherever targeting names no variant'],
  [flag({ variants: { off: 0 } }), 'variants: off: 0 counts as off; write false'],
  [flag({ defaultvariant: 'on' }), 'unknown key "defaultvariant"; did you mean "defaultVariant"?'],
  [
    flag({ targeting: { if: [{ '==': [{ var: 'agnet' }, 1] }, 'on', 'off'] } }),
    'taut gives no "agnet"; did you mean "agent"?',
  ],
  [
    `{"flags": {"${KEY}": 1, "${KEY}": ${JSON.stringify(JSON.parse(flag({})).flags[KEY])}}}`,
    'f:1:44: this key stands twice; the last counts',
  ],
])('%s is warned of', (text, said) => {
  const { broken, mistakes, warnings } = find(text);
  expect([broken, mistakes]).toEqual([[], []]);
  expect(
    warnings.some((line) => line.includes(said)),
    warnings.join('\n'),
  ).toBe(true);
});

test('a default variant that no text can be made of is no variant', () => {
  const text = `{"flags":{"${KEY}":{"state":"ENABLED","variants":{"on":true},"defaultVariant":{"toString":false}}}}`;
  expect(find(text).broken.join()).toContain('defaultVariant: {"toString":false} is no variant; there are: on');
});

test('has an answer to any text, and calls broken what the engine refuses', () => {
  const value = fc.oneof(
    fc.json(),
    fc.constantFrom('"on"', '"ENABLED"', '{"on":true}', '{"if":[true,"on"]}', '1', '""'),
  );
  const member = (key: string) => fc.option(value.map((text) => `"${key}":${text}`));
  const members = ['state', 'variants', 'defaultVariant', 'targeting', 'metadata'].map(member);
  const object = fc.tuple(...members).map((all) => `{${all.filter((one) => one !== null).join()}}`);
  const whole = fc.oneof(
    fc.string(),
    fc.json(),
    object.map((text) => `{"flags":{"${KEY}":${text}}}`),
  );
  const silent = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };
  fc.assert(
    fc.property(whole, (text) => {
      const { broken } = find(text);
      if (broken.length === 0) new FlagdCore(undefined, silent).setConfigurations(text);
    }),
    { numRuns: 3_000 },
  );
});

test('a reference to what is no shared evaluator is a mistake, and one that is there is none', () => {
  const refers = (name: unknown) => {
    const targeting = { if: [{ $ref: name }, 'on', 'off'] };
    const ours = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off', targeting };
    return find(
      JSON.stringify({ $evaluators: { isOurs: { '==': [{ var: 'agent' }, 'codex'] } }, flags: { [KEY]: ours } }),
    );
  };
  expect(refers('isOurs')).toEqual({ broken: [], mistakes: [], warnings: [] });
  expect(refers('isOur').mistakes).toEqual([
    expect.stringMatching(/"isOur" is none of \$evaluators; did you mean "isOurs"\?/),
  ]);
  expect(refers(7).mistakes).toHaveLength(1);
});
