import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { importAgentSight } from '../../src/config/importAgentSight.ts';
import { parseConfig } from '../../src/config/load.ts';
import { decide, NO_PROCESS } from '../../src/discovery/matcher.ts';
import { compileRules } from '../../src/discovery/ruleSet.ts';
import type { ProcessFacts } from '../../src/discovery/sighting.ts';

const AGENT_SIGHT = {
  schema_version: 4,
  storage: { base_path: '/x' },
  features: {},
  https: [{ rule: ['dashscope.aliyuncs.com', '*.openai.com'] }],
  http: [{ rule: ['10.1.2.3:8080', ':11434', '192.0.2.7'] }, { rule: ['gateway.*.internal', '10.0.0.0:99999'] }],
  cmdline: {
    allow: [{ rule: ['*node*', '*claude*'], agent_name: 'Claude' }],
    deny: [{ rule: ['*', '*', '-c', '*sftp-server*'] }],
  },
};

const { config, leftOut } = importAgentSight(AGENT_SIGHT);
const rules = compileRules(parseConfig(stringify(config), 'imported.yaml'));
const of = (facts: Partial<ProcessFacts>) => {
  const { decision, rule } = decide({ ...NO_PROCESS, pid: 1, argv: [], exe: '/usr/bin/x', comm: 'x', ...facts }, rules);
  return `${decision} ${rule?.id ?? ''}`.trim();
};

test('an AgentSight configuration keeps its meaning', () => {
  expect(of({ argv: ['/usr/bin/node', '/x/claude/cli.js', '--flag'] })).toBe('attach allow-1');
  expect(rules.rule('allow-1')?.name).toBe('Claude');
  expect(of({ argv: ['/usr/bin/node', '--flag', '/x/claude/cli.js'] })).toBe('ignore');
  expect(of({ argv: ['sshd', 'x', '-c', '/usr/lib/sftp-server'] })).toBe('deny deny-1');
  expect(of({ names: ['api.openai.com'] })).toBe('attach https-1');
  expect(of({ names: ['openai.com'] })).toBe('ignore');
  expect(of({ contacts: [{ address: '10.1.2.3', port: 8080, names: [] }] })).toBe('attach http-1');
  expect(of({ contacts: [{ address: '10.1.2.3', port: 81, names: [] }] })).toBe('ignore');
  expect(of({ contacts: [{ address: '203.0.113.9', port: 11_434, names: [] }] })).toBe('attach http-1');
  expect(of({ names: ['gateway.eu.internal'] })).toBe('attach http-2');
});

test('what has no meaning here is listed', () => {
  expect(leftOut).toHaveLength(3);
  expect(leftOut.join('\n')).toMatch(/storage[\s\S]*features[\s\S]*99999/);
});

test('what never matches there does not match here, and is said', () => {
  const odd = importAgentSight({
    cmdline: {
      allow: [
        { rule: ['a**b'] },
        { rule: ['x', '[ab'] },
        { rule: [] },
        { rule: ['**'] },
        { rule: ['**/bin/x'] },
        { rule: [''] },
      ],
      deny: null,
    },
    domain: [{ rule: ['*.deepseek.com'] }],
    http: [{ rule: ['10.0.0.0/8', '[::1]:80', ' :8080 '] }],
  });
  expect(odd.config.rules).toEqual([
    { id: 'allow-4', cmdline: ['*'] },
    { id: 'https-1', dns: ['*.deepseek.com'] },
    { id: 'http-1', connect: [':8080'] },
  ]);
  expect(odd.leftOut).toHaveLength(7);
});

test('what is no AgentSight configuration is refused', () => {
  expect(() => importAgentSight({ cmdline: { allow: [{ rule: 'node' }] } })).toThrow();
  expect(() => importAgentSight([])).toThrow();
});
