/** One rule held against facts, condition by condition. */
import { expect, test } from 'vitest';
import { describeRule } from '../../src/cli/explained.ts';
import { parseConfig } from '../../src/config/load.ts';
import { compare, factsOfCmdline } from '../../src/discovery/compare.ts';
import { compileRules } from '../../src/discovery/ruleSet.ts';

const OWN =
  '{ id: mine, program: [bot, other], runtime: node, anyArg: "--agent", not: { command: [serve], user: root } }';
const RULES = compileRules(parseConfig(`version: 1\nrules: [${OWN}]`, 'test.yaml'));
const steps = (id: string, ...argv: string[]) => compare(factsOfCmdline(argv), RULES, id).steps ?? [];

test('each condition and each exception of a rule is told, whether it holds or not', () => {
  expect(steps('mine', 'bot', '--key', 's3cret', '--', 'serve')).toEqual([
    { condition: 'program', isException: false, holds: true, text: 'program "bot" matches "bot"' },
    { condition: 'arguments', isException: false, holds: false, text: 'arguments: no match for "--agent"' },
    { condition: 'runtime', isException: false, holds: false, text: 'runtime "native": no match for "node"' },
    { condition: 'command', isException: true, holds: true, text: 'its command matches "serve"' },
    { condition: 'user', isException: true, holds: false, text: 'user (none): no match for "root"' },
  ]);
});

test('a rule that is not there has no conditions', () => {
  expect(compare(factsOfCmdline(['bot']), RULES, 'none')).toMatchObject({ decision: 'ignore', steps: null });
  expect(compare(factsOfCmdline(['codex']), RULES, undefined)).toMatchObject({ ruleId: 'builtin/codex', steps: null });
});

test('the text says whether the rule matches, and of each line whether it stands against that', () => {
  const walk = (id: string, ...argv: string[]) =>
    describeRule({ pid: null, rule: id, steps: steps(id, ...argv), daemon: false, notes: [] });
  expect(walk('builtin/codex', 'codex', 'exec')[0]).toBe('rule builtin/codex matches this command line');
  const helper = walk('builtin/codex', 'codex', 'mcp-server');
  expect(helper[0]).toBe('rule builtin/codex does not match this command line');
  expect(helper.filter((line) => line.startsWith('  no'))).toEqual([
    '  no   it is excepted: its command matches "mcp-server"',
  ]);
});

test('a rule matches exactly what all its steps are in favour of', () => {
  const lines = [['codex'], ['codex', 'mcp'], ['node', '/x/.bin/codex'], ['vim', 'codex'], ['bot', '--agent'], []];
  for (const argv of lines)
    for (const { id } of RULES.rules) {
      const { decision, ruleId, lost, steps: all } = compare(factsOfCmdline(argv), RULES, id);
      const isMatch = decision !== 'ignore' && [ruleId, ...lost.map(({ rule }) => rule)].includes(id);
      expect([argv, id, (all ?? []).every(({ holds, isException }) => holds !== isException)]).toEqual([
        argv,
        id,
        isMatch,
      ]);
    }
});

test('an option of a process is never quoted: its value may be a part of it', () => {
  const rules = compileRules(
    parseConfig(
      'version: 1\nrules:\n  - { id: a, program: bot, option: "-p*" }\n  - { id: b, program: bot, option: -x }',
      't',
    ),
  );
  const facts = factsOfCmdline(['bot', '-pSECRET']);
  const said = JSON.stringify([compare(facts, rules, 'a'), compare(facts, rules, 'b')]);
  expect(said).toContain('one of its options matches');
  expect(said).not.toContain('SECRET');
});
