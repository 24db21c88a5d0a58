import { expect, test } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import { NO_PROCESS } from '../../src/discovery/matcher.ts';
import { nearMisses } from '../../src/discovery/nearMiss.ts';
import { compileRules } from '../../src/discovery/ruleSet.ts';

const RULES = compileRules(parseConfig('version: 1', 'test.yaml'));
const near = (...argv: string[]) => nearMisses({ ...NO_PROCESS, pid: 1, argv, exe: argv[0], comm: '' }, RULES);

test.each([
  [['sudo', 'claude', 's3cret'], `argument 1 is the name of an agent's program, but "sudo" is what runs here`],
  [['claud', '-p'], 'its program "claud" is nearly "claude"'],
  [
    ['copilot', 'svc', 'deploy'],
    'rule builtin/copilot: program "copilot" matches "copilot"; but also its command matches "svc"',
  ],
  [
    ['cn'],
    'rule builtin/continue: program "cn" matches "cn", the program\'s path matches "cn"; but its runtime does not match',
  ],
])('%j: %s', (argv, line) => {
  expect(near(...argv)).toEqual([line]);
});

test('what only has its runtime in common with agents is near to none', () => {
  expect(near('/usr/sbin/postgres')).toEqual([]);
  expect(near()).toEqual([]);
});
