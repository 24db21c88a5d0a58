/** What `config check` says of a configuration that is allowed and most likely not meant. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BUILTIN_RULES } from '../../src/config/builtinRules.ts';
import { covers, globMatcher, isEverything } from '../../src/config/globs.ts';
import { checkConfig } from '../../src/config/load.ts';
import { effectiveProgram } from '../../src/discovery/program.ts';

const AROUND = { users: ['root', 'builder', 'nobody'], takenIds: ['pid', 'builtin/codex'] };
const check = (...rules: object[]) =>
  checkConfig(JSON.stringify({ version: 1, rules }), 'c', AROUND).warnings.map((line) =>
    line.replace(/^c:1:\d+: /, ''),
  );

test.each([
  [{ program: '/usr/bin/claude' }, /^program: .*without its folder.*never matches; use path$/],
  [{ program: 'bin/*' }, /without its folder/],
  [{ ancestor: 'agent.py' }, /^ancestor: .*without ".py".*write "agent"/],
  [{ program: ['good', 'x.js'] }, /"x.js"/],
  [{ path: 'claude' }, /^path: .*write "\*\/claude" beside it/],
  [{ program: 'x', command: '--serve' }, /^command: .*use option/],
  [{ package: 'openai/codex' }, /"name" or "@scope\/name"/],
  [{ package: '@openai/codex@1.2.3' }, /without its version/],
  [{ package: 'node_modules/@openai/codex' }, /"name" or "@scope\/name"/],
  [{ exe: 'claude' }, /write "\*\/claude"/],
  [{ exe: 'bin/claude' }, /begins with "\/"/],
  [{ cgroup: 'system.slice/*' }, /write "\*\/system.slice\/\*"/],
  [{ cwd: 'src' }, /never matches/],
  [{ cwd: '/home/me/' }, /"\/" at its end/],
  [{ comm: 'a-name-of-20-letters' }, /15 bytes.*write "a-name-of-20-l\*"/],
  [{ comm: '????????????????' }, /15 bytes/],
  [{ connect: 'api.x.com.:443' }, /"\." at its end/],
  [{ program: '^claude$' }, /regular expression/],
  [{ program: 'claude|codex' }, /in a list for "or"/],
  [{ user: 'build\\d+' }, /regular expression/],
  [{ exe: '*/{claude,codex}' }, /braces.*write a list/],
  [{ program: ' claude' }, /blank at its end/],
  [{ anyArg: '  ' }, /this is blank/],
  [{ env: 'AGENT=1' }, /^env: .*write "AGENT"/],
  [{ env: 'AGENT=*' }, /just the name/],
  [{ dns: 'https://api.x.com' }, /like "api.example.com"/],
  [{ dns: 'api.x.com:443' }, /use connect/],
  [{ dns: 'api.x.com.' }, /"\." at its end/],
  [{ dns: '10.0.0.1' }, /use connect/],
  [{ user: 'biulder' }, /has no user "biulder"; did you mean "builder"\?/],
  [{ user: 'somebody-else' }, /written as a number/],
  [{ user: 'root:root' }, /no user is called so/],
  [{ program: 'x', not: { env: 'CI=true' } }, /write "CI"/],
  [{ program: '*' }, /^this rule matches every process: all of them are agents then$/],
  [{ anyArg: '**' }, /^this rule matches every process/],
  [{ cmdline: ['*'], user: '*' }, /^this rule matches every process/],
  [{ action: 'deny', comm: ['x', '**'] }, /none of them is an agent then/],
  [{ dns: '*' }, /^dns: this matches every name/],
  [{ connect: ['*'] }, /^connect: this matches every name/],
  [{ program: 'x', user: '*' }, /^user: this holds for every process; leave it out$/],
  [{ program: 'x', not: { cwd: '*' } }, /the rule matches none/],
  [{ program: 'x', user: 'root', not: { program: 'X', env: 'CI' } }, /^not: program: .*the rule matches none/],
  [{ id: 'builtin/codex', program: 'x' }, /has a meaning already/],
  [{ id: 'pid', program: 'x' }, /has a meaning already/],
])('%j is warned of, once', (rule, said) => {
  const warnings = check({ id: 'a', ...rule });
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatch(said);
});

test.each([
  { program: 'claude*', exe: '*/claude', cgroup: '/system.slice/*', cwd: '/home/*' },
  { program: ['a.b', 'x.pyc'], comm: 'fifteen-letters', env: 'AGENT_*', user: ['1000', 'ROOT', 'build*'] },
  { package: ['@openai/codex', '@openai/*', '*'], path: ['*/x.py', './x', '*.sh'] },
  { path: ['claude', '*/claude'], command: ['serve', 'x*'] },
  { path: 'my-agent: *' },
  { dns: ['*.openai.com', 'localhost'], connect: ['10.0.0.1:443', ':80', '*.x.com'] },
  { cmdline: ['*', '-m', 'agent'], anyArg: ['--flag=1', 'a b', '/x/y', 'a|b', '^x$', ' x'] },
  { program: 'x', not: { program: ['y', 'xy'], env: 'x' } },
  { comm: '?????[a-z]?????????*' },
  { program: 'x', dns: '*' },
  { exe: '[/x]*', cwd: '?home' },
])('nothing is said of %j', (rule) => {
  expect(check({ id: 'a', ...rule })).toEqual([]);
});

test.each([
  [{ action: 'deny', program: 'claude' }, { program: 'claude' }],
  [
    { action: 'deny', program: 'cl*' },
    { program: ['claude', 'CLA?DE'], user: 'root' },
  ],
  [{ action: 'deny', anyArg: '*' }, { dns: 'x.com' }],
  [{ action: 'deny', cmdline: ['*', '-m'] }, { cmdline: ['python*', '-m', 'x'] }],
  [
    { action: 'deny', connect: '10.0.0.0/8' },
    { connect: ['10.0.0.0/8'], program: 'x' },
  ],
])('a rule never decides where %j denies all of %j', (deny, rule) => {
  // A denial counts wherever it stands.
  for (const rules of [
    [
      { id: 'deny', ...deny },
      { id: 'a', ...rule },
    ],
    [
      { id: 'a', ...rule },
      { id: 'deny', ...deny },
    ],
  ])
    expect(check(...rules).filter((line) => line.includes('never decides'))).toEqual([
      'rule "a" never decides: rule "deny" denies all that it matches',
    ]);
});

test('a rule of which something is left decides, and one behind its like does not', () => {
  expect(check({ id: 'd', action: 'deny', program: 'x', user: 'root' }, { id: 'a', program: 'x' })).toEqual([]);
  expect(check({ id: 'd', action: 'deny', program: 'x', not: { user: 'root' } }, { id: 'a', program: 'x' })).toEqual(
    [],
  );
  expect(check({ id: 'd', action: 'deny', program: 'x' }, { id: 'a', program: ['x', 'y'] })).toEqual([]);
  expect(check({ id: 'a', program: 'x' }, { id: 'b', program: 'x', user: 'root' })).toEqual([
    'rule "b" never decides: rule "a" stands before it and matches all that it matches',
  ]);
});

test('a warning has the place of what it is about', () => {
  const text = 'version: 1\nrules:\n  - id: a\n    program: [x, y/z]\n    not:\n      env: A=1\n';
  expect(checkConfig(text, 'c.yaml', AROUND).warnings.map((line) => line.slice(0, 12))).toEqual([
    'c.yaml:4:18:',
    'c.yaml:6:12:',
  ]);
});

const glob = fc.string({ unit: fc.constantFrom('a', 'b', '/', '.', '*', '?', '[', ']', '!', '-'), maxLength: 6 });
const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', '.', '[', '!', '*'), maxLength: 6 });

test('a glob that covers another matches whatever that matches, and one for everything matches everything', () => {
  fc.assert(
    fc.property(glob, glob, text, (wide, narrow, what) => {
      const isMatched = (one: string) => globMatcher([one])(what) !== undefined;
      if (covers(wide, narrow) && isMatched(narrow)) expect(isMatched(wide)).toBe(true);
      if (isEverything(wide) && what !== '') expect(isMatched(wide)).toBe(true);
    }),
    { numRuns: 20_000 },
  );
});

test('what is said never to match a program matches none', () => {
  const paths = fc.string({ unit: fc.constantFrom('a', 'b', '/', '.py', '.js', '.exe', '.'), maxLength: 6 });
  fc.assert(
    fc.property(glob, paths, (one, path) => {
      fc.pre(one !== '' && check({ id: 'a', program: one }).some((line) => line.includes('never matches')));
      expect(globMatcher([one])(effectiveProgram([path], () => path).name)).toBeUndefined();
    }),
    { numRuns: 1_000 },
  );
});

test('nothing is said of the built-in rules', () => {
  const { warnings } = checkConfig(JSON.stringify({ version: 1, rules: BUILTIN_RULES }), 'c', { takenIds: [] });
  expect(warnings).toEqual([]);
});
