import { expect, test } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import { NO_PROCESS } from '../../src/discovery/matcher.ts';
import { nearMisses } from '../../src/discovery/nearMiss.ts';
import { compileRules } from '../../src/discovery/ruleSet.ts';

const RULES = compileRules(parseConfig('version: 1', 'test.yaml'));
const near = (...argv: string[]) => nearMisses({ ...NO_PROCESS, pid: 1, argv, exe: argv[0], comm: '' }, RULES);

test.each([
  [
    ['sudo', 'claude', 's3cret'],
    `argument 1 is the name of an agent's program, but "sudo" is what runs here: if that starts the program as a child, the child is the agent`,
  ],
  [['claud', '-p'], 'its program "claud" is nearly "claude"'],
  [
    ['copilot', 'svc', 'deploy'],
    'rule builtin/copilot: program "copilot" matches "copilot"; but the rule leaves it out, as its command matches "svc"; if it works for you then, too, write a rule with its program and its command',
  ],
  [
    ['cn'],
    'rule builtin/continue: program "cn" matches "cn", the program\'s path matches "cn"; but its runtime does not match (it is "native", the rule asks for "node" or "bun" or "deno")',
  ],
])('%j: %s', (argv, line) => {
  expect(near(...argv)).toEqual([line]);
});

test('what stands in for an agent is told from it, with what to do', () => {
  const shim = { ...NO_PROCESS, pid: 1, argv: ['claude', 's3cret'], exe: '/home/u/.volta/bin/volta-shim', comm: '' };
  expect(nearMisses(shim, RULES)[0]).toMatch(
    /^its program is called "claude"; but .*volta-shim, which starts .* child$/,
  );
  expect(near('bunx', '@openai/codex')).toEqual([
    '"bunx" starts a program as a child: that child is the agent, if a rule names it',
  ]);
  expect(near('bun', 'run', 'claude')[0]).toMatch(/^"bun" starts a program as a child/);
  expect(near('/opt/Claude/claude', '--type=renderer')[0]).toMatch(/part of an Electron window/);
  expect(near('claude', 'mcp', 'serve')).toEqual([
    'rule builtin/claude-code: program "claude" matches "claude"; but the rule leaves it out, as its command matches "mcp"; if it works for you then, too, write a rule with its program and its command',
  ]);
  expect(near('node', '/srv/extensions/copilot')[0]).toMatch(
    /^rule builtin\/copilot-script: .*path does not match; .*write a rule/,
  );
  expect(near('crush')[0]).toMatch(/^rule builtin\/crush: .*executable does not match; .*its exe$/);
  expect(near('codex', '--key', 's3cret', 'sandbox').join()).not.toContain('s3cret');
});

test('what only has its runtime in common with agents is near to none', () => {
  expect(near('/usr/sbin/postgres')).toEqual([]);
  expect(near()).toEqual([]);
});
