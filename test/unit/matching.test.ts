import fc from 'fast-check';
import { expect, test } from 'vitest';
import { globMatcher } from '../../src/config/globs.ts';
import { parseConfig } from '../../src/config/load.ts';
import { decide, NO_PROCESS } from '../../src/discovery/matcher.ts';
import { compileRules } from '../../src/discovery/ruleSet.ts';
import type { LazyFacts, ProcessFacts } from '../../src/discovery/sighting.ts';

const facts = (argv: string[], exe = argv[0], comm = ''): ProcessFacts & LazyFacts => ({
  ...NO_PROCESS,
  pid: 1,
  argv,
  exe,
  comm,
});
const rules = (yaml: string) => compileRules(parseConfig(`version: 1\nbuiltin: false\n${yaml}`, 'test.yaml'));

test('a glob gives slashes, dots and line ends no meaning of their own', () => {
  const matches = (glob: string, text: string) => globMatcher([glob])(text) !== undefined;
  expect(matches('*claude*', '/usr/bin/claude/x\ny')).toBe(true);
  expect(matches('*.js', '../cli.js')).toBe(true);
  expect(matches('n?de', 'N/DE')).toBe(true);
  expect(matches('[a-c]x[!0-9]', 'bxz')).toBe(true);
  expect(matches('[a-c]x[!0-9]', 'bx1')).toBe(false);
  expect(matches('claude', 'claude-anything')).toBe(false);
  expect(matches('a[b', 'a[b')).toBe(true);
  expect(matches('*', '')).toBe(true);
  // One character is one, however many code units it takes.
  expect(matches('a?b', 'a\u{1f980}b')).toBe(true);
  expect(matches('[\u{1f980}x]?', '\u{1f980}y')).toBe(true);
});

test('a text without special characters matches itself alone, in any case', () => {
  const plain = fc.string().filter((s) => s.length > 0 && !/[*?[]/.test(s));
  fc.assert(
    fc.property(plain, plain, (glob, other) => {
      const match = globMatcher([glob]);
      expect(match(glob)).toBe(glob);
      expect(match(other) !== undefined).toBe(other.toLowerCase() === glob.toLowerCase());
    }),
  );
});

test('what stands where a * was matches', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), (a, b, c) => {
      const safe = (s: string) => s.replace(/[*?[]/g, '_');
      expect(globMatcher([`${safe(a)}*${safe(b)}`])(safe(a) + c + safe(b))).toBeDefined();
    }),
  );
});

test('a positional rule holds glob i against argument i, and a shorter command line never matches', () => {
  const set = rules('rules: [{ id: r, cmdline: ["*node", "*agent.js"] }]');
  expect(decide(facts(['/usr/bin/node', 'my-agent.js', '--x']), set).decision).toBe('attach');
  expect(decide(facts(['/usr/bin/node', '--flag', 'my-agent.js']), set).decision).toBe('ignore');
  expect(decide(facts(['/usr/bin/node']), set).decision).toBe('ignore');
});

test('everything that a rule gives must match', () => {
  const set = rules('rules: [{ id: r, program: bot, anyArg: "--agent" }]');
  expect(decide(facts(['bot', '--agent']), set).decision).toBe('attach');
  expect(decide(facts(['bot']), set).decision).toBe('ignore');
  expect(decide(facts(['other', '--agent']), set).decision).toBe('ignore');
});

test('a denial wins over every attach, wherever it stands', () => {
  const set = rules('rules: [{ id: a, program: bot }, { id: d, action: deny, anyArg: "--no-taut" }]');
  expect(decide(facts(['bot']), set)).toMatchObject({ decision: 'attach', rule: { id: 'a' } });
  expect(decide(facts(['bot', '--no-taut']), set)).toMatchObject({ decision: 'deny', rule: { id: 'd' } });
});

test('evidence never holds an argument: they carry secrets', () => {
  const set = rules('rules: [{ id: a, anyArg: "--key=*" }, { id: b, cmdline: ["*", "*"] }]');
  for (const argv of [
    ['bot', '--key=s3cret'],
    ['bot', 's3cret'],
    ['s', '-x', 's3cret'],
  ])
    expect(JSON.stringify(decide(facts(argv), set).evidence)).not.toContain('s3cret');
});
