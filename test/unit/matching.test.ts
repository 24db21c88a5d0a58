import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BUILTIN_RULES } from '../../src/config/builtinRules.ts';
import { globMatcher } from '../../src/config/globs.ts';
import { parseConfig } from '../../src/config/load.ts';
import { decide, NO_PROCESS } from '../../src/discovery/matcher.ts';
import { effectiveProgram } from '../../src/discovery/program.ts';
import { type CompiledRule, compileRules } from '../../src/discovery/ruleSet.ts';
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

test('what a rule set leaves out for a program could not have matched it', () => {
  const names = BUILTIN_RULES.flatMap(({ program = [], package: npm = [] }) => [program, npm].flat());
  const own = '- {id: glob, program: ["cl*"]}\n  - {id: both, program: [cli], package: ["@openai/codex"]}';
  const set = compileRules(parseConfig(`version: 1\nrules:\n  ${own}\n`, 'test.yaml'));
  for (const name of [...names, 'bash']) {
    const argvs = [[name], [name.toUpperCase()], ['node', `/x/node_modules/${name}/cli.js`], ['python3', '-m', name]];
    for (const argv of argvs) {
      const program = effectiveProgram(argv, () => argv[0]);
      const holds = ({ conditions }: CompiledRule) =>
        conditions.every((c) => c.holds(facts(argv), program) !== undefined);
      expect(set.about(program).filter(holds)).toEqual(set.rules.filter(holds));
    }
  }
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
