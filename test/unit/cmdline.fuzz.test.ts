/** Whatever a process shows as its command line has one program, the same each time. FUZZ_RUNS: how often, for longer runs. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { splitCommandLine } from '../../src/cli/splitCommandLine.ts';
import { parseConfig } from '../../src/config/load.ts';
import { decide, NO_PROCESS } from '../../src/discovery/matcher.ts';
import { nearMisses } from '../../src/discovery/nearMiss.ts';
import { effectiveProgram } from '../../src/discovery/program.ts';
import { compileRules } from '../../src/discovery/ruleSet.ts';
import { parseStat } from '../../src/proc/stat.ts';

const numRuns = Number(process.env['FUZZ_RUNS'] ?? 300);
const RULES = compileRules(parseConfig('version: 1', 'f.yaml'));

const part = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    'node',
    'python3',
    '/usr/bin/bun',
    '/lib/ld-linux-x86-64.so.2',
    '--',
    '-m',
    '-c',
    '-Im',
    '-r',
    'run',
    '-e',
    '/',
    '.',
    '',
  ),
  fc.constantFrom(
    'claude',
    'x/claude.js',
    '/__main__.py',
    '/x/node_modules/@a/b/c.js',
    '/node_modules/',
    'a:',
    '--library-path',
  ),
);
const argv = fc.array(part, { maxLength: 12 });

test('any command line has one program', () => {
  fc.assert(
    fc.property(argv, fc.option(part, { nil: undefined }), (args, exe) => {
      const program = effectiveProgram(args, () => exe);
      expect(effectiveProgram(args, () => exe)).toEqual(program);
      expect(program.name).not.toContain('/');
      const facts = { ...NO_PROCESS, pid: 1, argv: args, exe, comm: '' };
      expect(['attach', 'ignore']).toContain(decide(facts, RULES).decision);
      expect(nearMisses(facts, RULES).length).toBeLessThanOrEqual(5);
    }),
    { numRuns },
  );
});

test('words that are quoted come back as they were', () => {
  const quoted = (word: string) => `'${word.replaceAll("'", `'"'"'`)}'`;
  fc.assert(
    fc.property(fc.array(fc.string()), (words) => {
      expect(splitCommandLine(words.map(quoted).join(' '))).toEqual(words);
    }),
    { numRuns },
  );
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(splitCommandLine(text).join('').length).toBeLessThanOrEqual(text.length);
    }),
    { numRuns },
  );
});

test('a stat is read right whatever the name in it is', () => {
  const count = fc.nat();
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), count, count, count, count, (name, ppid, flags, threads, startTicks) => {
      const fields = ['S', ppid, ...Array(4).fill(0), flags, ...Array(10).fill(0), threads, 0, startTicks];
      expect(parseStat(`4711 (${name}) ${fields.join(' ')} ${Array(18).fill(0).join(' ')} 6 0\n`)).toEqual({
        state: 'S',
        ppid,
        flags,
        threads,
        startTicks,
        policy: 6,
      });
    }),
    { numRuns },
  );
});
