import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { timerSlack } from '../../src/actuator/timerSlack.ts';
import { ConfigError, parseConfig } from '../../src/config/load.ts';
import { configSchema } from '../../src/config/schema.ts';
import { formatNs } from '../../src/util/duration.ts';

const problem = (text: string): string => {
  try {
    parseConfig(text, 'c.yaml');
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('it was accepted');
};

test('reads YAML and JSON alike', () => {
  const yaml = 'version: 1\nrules:\n  - id: a\n    program: bot\n    optimizeTimerSlack: 10us\n';
  const json = '{"version": 1, "rules": [{"id": "a", "program": ["bot"], "optimizeTimerSlack": "10us"}]}';
  expect(parseConfig(yaml, 'c.yaml')).toEqual(parseConfig(json, 'c.json'));
  expect(parseConfig(yaml, 'c.yaml').rules[0]).toMatchObject({ action: 'attach', optimizeTimerSlack: 10_000n });
});

test('names the place of a mistyped key and what was meant', () => {
  expect(problem('version: 1\nrules:\n  - id: a\n    progam: bot\n')).toContain(
    'c.yaml:4:5: unknown key "progam"; did you mean "program"?',
  );
  expect(problem('version: 1\nrulez: []\n')).toContain('c.yaml:2:1: unknown key "rulez"; did you mean "rules"?');
  expect(problem('version: 1\nrules:\n  - id: a\n    program: x\n    wibble: 1\n')).toContain('known: id, name');
});

test('refuses what it does not understand, with its place', () => {
  expect(problem('version: 2\n')).toContain('c.yaml:1:10');
  expect(problem('version: 1\nrules: [{ id: a }]\n')).toContain('a rule needs at least one of');
  expect(problem('version: 1\nrules: [{ id: a, program: x, action: atach }]\n')).toContain(
    'c.yaml:2:38: action: Invalid option: expected one of "attach"|"deny"; did you mean',
  );
  expect(problem('version: 1\nrules:\n  - id: a\n    program: x\n    optimizeTimerSlack: 5 parsecs\n')).toContain(
    'c.yaml:5:25: optimizeTimerSlack',
  );
  expect(problem('version: 1\nrules: [\n')).toMatch(/^c\.yaml:\d+:\d+: /);
  expect(problem('version: 1\nrules: [{ id: a, program: "" }]\n')).toContain('c.yaml:2:27');
  expect(problem('- 1\n- 2\n')).toContain('c.yaml:1:1');
});

test('says every mistake at once, in the order of the text, each with what was meant', () => {
  const text = `version: 1
builtin: flase
rules:
  - id: a
    program: 5
    runtime: pyton
  - id: b
    exe: ["/x", 7]
    chidren: all
    not: { anyarg: x }
  - connect: ["10.0.0.0/99", ":99999"]
    action: dney
  - id: a
    cmdline: node
`;
  expect(problem(text).split('\n')).toEqual([
    'c.yaml:2:10: builtin: Invalid input: expected boolean, received string; did you mean false?',
    'c.yaml:5:14: program: Invalid input: expected string, received number; did you mean "5"?',
    'c.yaml:6:14: runtime: Invalid option: expected one of "native"|"node"|"python"|"bun"|"deno"; did you mean "python"?',
    'c.yaml:8:17: exe: Invalid input: expected string, received number; did you mean "7"?',
    'c.yaml:9:5: unknown key "chidren"; did you mean "children"?',
    'c.yaml:10:12: unknown key "anyarg"; did you mean "anyArg"?',
    'c.yaml:11:5: id: is missing',
    'c.yaml:11:15: connect: "10.0.0.0/99": a prefix is 0 to 32',
    'c.yaml:11:30: connect: ":99999": a port is 1 to 65535',
    'c.yaml:12:13: action: Invalid option: expected one of "attach"|"deny"; did you mean "deny"?',
    'c.yaml:13:9: rule 1 has the id "a" already',
    'c.yaml:14:14: cmdline: Invalid input: expected array, received string; did you mean ["node"]?',
  ]);
});

test('mistakes of YAML have places, too', () => {
  expect(problem('version: 1\nversion: 1\nrules:\n\t- id: x\n')).toBe(
    'c.yaml:2:1: Map keys must be unique\nc.yaml:4:1: Tabs are not allowed as indentation',
  );
  expect(problem('version: 1\nrules: *nobody\n')).toBe('c.yaml:2:8: there is no anchor &nobody before *nobody');
  expect(problem('version: 1\nrules: !mine []\n')).toMatch(/^c\.yaml:2:8: /);
});

test('says what a text where a number is wanted, and a second document, are', () => {
  expect(problem('version: "1"\n')).toBe('c.yaml:1:10: version: "1" is a text here; write 1 without quotes');
  expect(problem('version: 1\n---\nversion: 1\n')).toBe(
    'c.yaml:2:1: here another document begins; a configuration is one, without "---"',
  );
});

test('the schema that editors read is that of the program', () => {
  const file = readFileSync(new URL('../../taut.schema.json', import.meta.url), 'utf8');
  expect(JSON.parse(file)).toEqual(z.toJSONSchema(configSchema, { io: 'input' }));
});

test('an id stands once', () => {
  const text = 'version: 1\nrules:\n  - { id: a, program: x }\n  - { id: a, program: y }\n';
  expect(problem(text)).toContain('c.yaml:4:11: rule 1 has the id "a" already');
});

test('an empty file is a file without a version, and says so', () => {
  expect(problem('')).toContain('version');
});

test.each([
  ['1', 1n],
  ['250ns', 250n],
  ['10us', 10_000n],
  ['10 µs', 10_000n],
  ['1.5us', 1_500n],
  ['50MS', 50_000_000n],
])('a timer slack of %s is %s ns', (text, ns) => {
  expect(timerSlack.parse(text)).toBe(ns);
});

test.each(['0', '0us', '-1', '', '1h', '0.5ns', '1e3', '101ms', '1 2', '0x10', 'off'])(
  'a timer slack of %j is refused',
  (text) => {
    expect(() => timerSlack.parse(text)).toThrow(RangeError);
  },
);

test('shows nanoseconds in the largest unit that is exact', () => {
  expect([1n, 999n, 50_000n, 1_500n, 10_000_000n].map(formatNs)).toEqual([
    '1 ns',
    '999 ns',
    '50 us',
    '1500 ns',
    '10 ms',
  ]);
});
