/** Whatever stands in a configuration: it is understood, or refused as a ConfigError. FUZZ_RUNS: how often, for longer runs. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { z } from 'zod';
import { timerSlack } from '../../src/actuator/timerSlack.ts';
import { contactMatcher } from '../../src/config/contactPattern.ts';
import { globMatcher } from '../../src/config/globs.ts';
import { importAgentSight } from '../../src/config/importAgentSight.ts';
import { ConfigError, parseConfig } from '../../src/config/load.ts';
import { decide, NO_PROCESS } from '../../src/discovery/matcher.ts';
import { compileRules } from '../../src/discovery/ruleSet.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);

/** The result, or undefined when it was refused in the way that it may be. */
function orRefused<T, E extends Error>(body: () => T, refusal: new (...args: never[]) => E): T | undefined {
  try {
    return body();
  } catch (error) {
    if (error instanceof refusal) return undefined;
    throw error;
  }
}

const key = fc.constantFrom(
  'id',
  'name',
  'action',
  'program',
  'cmdline',
  'connect',
  'dns',
  'not',
  'children',
  'path',
  'optimizeTimerSlack',
);
const word = fc.oneof(
  fc.string(),
  fc.constantFrom('a', '*', '[', '10.0.0.0/8', ':1', 'deny', 'all', '1us', 'x: y', '&a', '*a', '<<'),
);
const value = fc.oneof(
  word,
  fc.array(word, { maxLength: 3 }),
  fc.integer(),
  fc.constant(null),
  fc.boolean(),
  fc.dictionary(key, word, { maxKeys: 3 }),
);
const document = fc.record(
  {
    version: fc.constantFrom<unknown>(1, 2, '1', null),
    builtin: fc.constantFrom<unknown>(true, false, 'no'),
    dnsPorts: fc.constantFrom<unknown>([53], [], [0], 'x'),
    rules: fc.array(fc.dictionary(key, value, { maxKeys: 6 }), { maxLength: 4 }),
  },
  { requiredKeys: [] },
);

test('any text is a configuration or a ConfigError', () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 400 }),
    fc.string({ unit: fc.constantFrom(...'[]{}:,&*!|>-?#%@`"\' \n\tabv1'), maxLength: 200 }),
    document.map((d) => stringify(d)),
    document.map((d) => JSON.stringify(d)),
    // Cut short, and with a byte turned into another.
    fc.tuple(document, fc.nat(), fc.string({ maxLength: 2 })).map(([d, at, by]) => {
      const text = stringify(d);
      return text.slice(0, at % (text.length + 1)) + by + text.slice((at % (text.length + 1)) + 1);
    }),
  );
  fc.assert(
    fc.property(texts, fc.array(fc.string(), { maxLength: 4 }), (text, argv) => {
      const config = orRefused(() => parseConfig(text, 'f.yaml'), ConfigError);
      if (config) decide({ ...NO_PROCESS, pid: 1, argv, exe: undefined, comm: '' }, compileRules(config));
    }),
    { numRuns },
  );
});

test('any JSON is an AgentSight configuration or is refused, and what is imported can be read', () => {
  const rule = fc.record(
    { rule: fc.oneof(fc.array(word, { maxLength: 4 }), word), agent_name: word },
    { requiredKeys: ['rule'] },
  );
  const rules = fc.oneof(fc.array(rule, { maxLength: 3 }), fc.constant(null), word);
  const source = fc.record(
    { cmdline: fc.record({ allow: rules, deny: rules }, { requiredKeys: [] }), https: rules, http: rules },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof(source, fc.jsonValue()), (json) => {
      const imported = orRefused(() => importAgentSight(json), z.ZodError);
      if (imported) expect(() => parseConfig(stringify(imported.config), 'i.yaml')).not.toThrow();
    }),
    { numRuns },
  );
});

test('any text is a pattern for connections, a slack, or a RangeError', () => {
  fc.assert(
    fc.property(word, (text) => {
      orRefused(() => contactMatcher(text)({ address: '10.1.2.3', port: 1, names: ['a'] }), RangeError);
      orRefused(() => timerSlack.parse(text), RangeError);
    }),
    { numRuns },
  );
});

test('no glob takes longer than its length times the length of the text', () => {
  const glob = fc.string({ unit: fc.constantFrom('*', '?', 'a', 'b', '[', ']', '!', '-'), maxLength: 300 });
  fc.assert(
    fc.property(glob, fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 3_000 }), (pattern, text) => {
      expect([pattern, undefined]).toContain(globMatcher([pattern])(text));
    }),
    { numRuns },
  );
});
