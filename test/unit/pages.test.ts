/** What the pages show is there, and works: links, files, commands, options, configurations, metrics. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { CommanderError } from 'commander';
import { beforeAll, expect, test } from 'vitest';
import { withFindings } from '../../scripts/agentsTables.ts';
import { withTables } from '../../scripts/telemetryTables.ts';
import { KNOBS } from '../../src/actuator/knobs.ts';
import { bareOption } from '../../src/cli/bareOption.ts';
import { CAPABILITIES } from '../../src/cli/capabilities.ts';
import { addCommands, program, shapeOf } from '../../src/cli/program.ts';
import { BUILTIN_RULES } from '../../src/config/builtinRules.ts';
import { checkConfig } from '../../src/config/load.ts';
import { configSchema, ruleSchema } from '../../src/config/schema.ts';
import { flagFindings } from '../../src/gate/flagFindings.ts';
import { DESCRIBED_EVENTS } from '../../src/telemetry/described.ts';
import { METRICS } from '../../src/telemetry/metrics.ts';
import * as semconv from '../../src/telemetry/semconv.ts';
import { CATALOGUE } from '../agents/catalogue.ts';
import {
  BLOCK,
  blocks,
  commandLines,
  inlineCode,
  links,
  type Page,
  type Shown,
  slugs,
  tautCommand,
} from '../support/pages.ts';

const root = new URL('../..', import.meta.url).pathname;
const read = (path: string) => readFileSync(join(root, path), 'utf8');

const PATHS = [
  ...['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'],
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
const PAGES: readonly Page[] = PATHS.map((path) => ({ path, text: read(path) }));
/** Those for who uses taut. The others show what who builds it types. */
const FOR_USERS = PAGES.filter(({ path }) => !['ARCHITECTURE.md', 'CONTRIBUTING.md'].includes(path));

/** What is wrong, each with its page: all at once, so that one run shows what there is to mend. */
const findings = (pages: readonly Page[], find: (page: Page) => string[]) =>
  pages.flatMap((page) => find(page).map((finding) => `${page.path}: ${finding}`));

test('the README has at most 120 lines, and the two commands that everything begins with', () => {
  const text = read('README.md');
  expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(120);
  expect(text).toMatch(/^npm run demo\b/m);
  expect(text).toMatch(/^npm test\b/m);
});

test('the README says in words what its picture shows', () => {
  const [, words = ''] = /!\[(.+)\]\(docs\/lateness\.svg\)/.exec(read('README.md')) ?? [];
  const medians = [...read('docs/lateness.svg').matchAll(/(before|tuned): half within (\d+ µs)/g)];
  expect(medians).toHaveLength(2);
  expect(medians.filter(([, name, median]) => !new RegExp(`${name}.* within ${median}`).test(words))).toEqual([]);
});

test('no code in a sentence is broken over two lines, where neither a reader nor these tests would find it', () => {
  const broken = findings(PAGES, ({ text }) =>
    text
      .replace(BLOCK, '')
      .split('\n')
      .filter((line) => line.split('`').length % 2 === 0),
  );
  expect(broken).toEqual([]);
});

test('every page of docs/ is linked in the README', () => {
  const linked = links({ path: 'README.md', text: read('README.md') }).map(({ target }) => target);
  expect(PATHS.filter((path) => path !== 'README.md' && !linked.includes(path))).toEqual([]);
});

test('each link leads to a page, a section or a file that is there', () => {
  const broken = findings(PAGES, (page) =>
    links(page).flatMap(({ target, anchor }) => {
      const path = target === '' ? page.path : relative(root, join(root, dirname(page.path), target));
      if (!existsSync(join(root, path))) return [`${target} is not there`];
      return anchor === undefined || slugs(read(path)).includes(anchor) ? [] : [`${path} has no section #${anchor}`];
    }),
  );
  expect(broken).toEqual([]);
});

test('each file and folder of this repository that a page names is there', () => {
  const files = filesBelow(root);
  const folders = new Set(files.flatMap((file) => parents(file)));
  const isThere = (name: string) => {
    const isSame = (path: string) => path === name.replace(/\/$/, '') || path.endsWith(`/${name.replace(/\/$/, '')}`);
    return [...folders].some(isSame) || (!name.endsWith('/') && files.some(isSame));
  };
  const source = /^(?!\/)[\w.@-]+(\/[\w.@-]+)*(\.(ts|mjs|c|h|cc|sh|md|svg)|\/)$/;
  const named = /^((src|otel|native|test|docs|scripts|\.ci)\/[\w./@-]+|taut\.schema\.json|package\.json|biome\.json)$/;
  const missing = findings(PAGES, ({ text }) =>
    inlineCode(text).filter((code) => (source.test(code) || named.test(code)) && !isThere(code)),
  );
  expect(missing).toEqual([]);
});

test('each npm script that a page names is there', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const missing = findings(PAGES, ({ text }) =>
    [...text.matchAll(/\bnpm (?:run (?:-\w+ )*([\w:]+)|(test)\b)/g)]
      .map(([, name, alone]) => name ?? alone ?? '')
      .filter((name) => !Object.hasOwn(scripts, name)),
  );
  expect(missing).toEqual([]);
});

/** Of the last command line that was parsed. */
let reached: string | undefined;

beforeAll(async () => {
  await addCommands([]);
  const leaves = program.commands.flatMap((command) => (command.commands.length > 0 ? command.commands : [command]));
  for (const command of leaves)
    command.action(() => {
      reached = command.name();
    });
  const quiet = { writeOut: () => undefined, writeErr: () => undefined, outputError: () => undefined };
  for (const command of [program, ...program.commands, ...leaves]) command.configureOutput(quiet);
});

/** What a sentence that names a command may leave out. */
const MAY_LACK = ['commander.missingArgument', 'commander.missingMandatoryOptionValue'];

/** Why a command line is none of taut's; undefined when it is. Starts nothing. */
async function mistakeOf({ line, isNamed }: Shown): Promise<string | undefined> {
  reached = undefined;
  const words = tautCommand(line);
  try {
    await program.parseAsync(bareOption(['node', 'taut', ...words], shapeOf));
    return reached === undefined ? 'is no command' : undefined;
  } catch (error) {
    // Options that do not exist are found first.
    if (isNamed && error instanceof CommanderError && MAY_LACK.includes(error.code)) return undefined;
    return (error as Error).message;
  }
}

test('each command line of taut that a page shows is one: commands, options, values', async () => {
  const shown = PAGES.flatMap((page) => commandLines(page).map((of) => ({ page, of })));
  const wrong: string[] = [];
  for (const { page, of } of shown) {
    const mistake = await mistakeOf(of);
    if (mistake !== undefined) wrong.push(`${page.path}: ${of.line}: ${mistake}`);
  }
  expect(wrong).toEqual([]);
  expect(shown.length).toBeGreaterThan(30);
});

test('a command line that is none is found', async () => {
  const none = [
    'taut wach',
    'taut watch --jsn',
    'taut run --optimize-timer-slack 10us',
    'taut attach x',
    'taut attach',
  ];
  for (const line of none) expect(await mistakeOf({ line, isNamed: false }), line).toBeDefined();
  for (const line of ['taut run -- CMD…', 'taut restore [PID…]', 'taut watch --optimize-timer-slack[=VALUE]'])
    expect(await mistakeOf({ line, isNamed: false }), line).toBeUndefined();
  expect(await mistakeOf({ line: 'taut attach', isNamed: true })).toBeUndefined();
  expect(await mistakeOf({ line: 'taut attach --jsn', isNamed: true })).toBeDefined();
});

test('each command is on the page of commands, and each option on a page', () => {
  const leaves = program.commands.flatMap((parent) =>
    parent.commands.length > 0
      ? parent.commands.map((command) => ({ name: `${parent.name()} ${command.name()}`, command }))
      : [{ name: parent.name(), command: parent }],
  );
  const commands = inlineCode(read('docs/commands.md'));
  const isShown = (name: string) => commands.some((code) => `${code} `.startsWith(`taut ${name} `));
  expect(leaves.map(({ name }) => name).filter((name) => !isShown(name))).toEqual([]);
  const all = FOR_USERS.map(({ text }) => text).join('\n');
  const options = new Set(leaves.flatMap(({ command }) => command.options.map(({ long }) => long ?? '')));
  expect([...options].filter((option) => !all.includes(option))).toEqual([]);
  const unknown = findings(FOR_USERS, ({ text }) =>
    inlineCode(text)
      .map((code) => /^(--[a-z-]+)/.exec(code)?.[1])
      .filter((option) => option !== undefined)
      .filter((option) => !options.has(option) && !['--help', '--pid'].includes(option)),
  );
  expect(unknown).toEqual([]);
});

test('each configuration and each flag file that a page shows is one, without a warning', () => {
  const yaml = FOR_USERS.flatMap((page) => blocks(page.text, 'yaml').map((text) => ({ page, text })));
  const here = { users: undefined, takenIds: BUILTIN_RULES.map(({ id }) => id) };
  for (const { page, text } of yaml) expect(checkConfig(text, page.path, here).warnings, text).toEqual([]);
  const json = FOR_USERS.flatMap((page) => blocks(page.text, 'json').map((text) => ({ page, text })));
  for (const { page, text } of json)
    expect(flagFindings(text, page.path, KNOBS), text).toEqual({ broken: [], mistakes: [], warnings: [] });
  expect([yaml.length > 3, json.length > 0]).toEqual([true, true]);
});

test('the pages of rules and of configuration have every key of a configuration, the page of privileges every capability', () => {
  const rules = read('docs/rules.md') + read('docs/configuration.md');
  const keys = [...Object.keys(configSchema.shape), ...Object.keys(ruleSchema.shape)];
  const isShown = (key: string) => new RegExp(`\`${key}\`|^[ -]*${key}:`, 'm').test(rules);
  expect(keys.filter((key) => !isShown(key))).toEqual([]);
  const privileges = read('docs/privileges.md');
  const named = new Set(privileges.match(/CAP_\w+/g));
  expect([...named].sort()).toEqual(Object.keys(CAPABILITIES).sort());
});

test('the page of telemetry has every name that taut uses, and no other of its own', () => {
  const text = read('docs/telemetry.md');
  const names = [...Object.values(semconv), ...Object.keys(METRICS), ...Object.keys(DESCRIBED_EVENTS)];
  const shown = new Set(inlineCode(text));
  const isShown = (name: string) => shown.has(name) || (/^feature_flag\./.test(name) && shown.has('feature_flag.*'));
  // The scope, and the beginning of `taut.threads.OUTCOME`.
  const apart = [semconv.SCOPE_NAME, semconv.ATTR_TAUT_THREADS];
  expect(names.filter((name) => !apart.includes(name) && !isShown(name))).toEqual([]);
  const own = [...shown].filter((code) => /^taut\.[\w.]+$/.test(code));
  expect(own.filter((name) => !names.includes(name) && !name.startsWith(`${semconv.ATTR_TAUT_THREADS}.`))).toEqual([]);
});

test('the tables of metrics, events, attributes and reasons are those of the code: npm run docs writes them', () => {
  const page = read('docs/telemetry.md');
  expect(withTables(page)).toBe(page);
});

test('the page of agents has each program that the suite runs, in that version: npm run docs:agents writes it', () => {
  const page = read('docs/agents.md');
  expect(withFindings(page, [])).toBe(page);
  const isShown = (id: string, version: string) => page.includes(`| \`${id}\` ${version} |`);
  const ran = CATALOGUE.map(({ package: id, version }) => ({ id, version }));
  expect(ran.filter(({ id, version }) => !isShown(id, version))).toEqual([]);
  const names = new Set(BUILTIN_RULES.map(({ name }) => name));
  expect(CATALOGUE.filter(({ name }) => !names.has(name))).toEqual([]);
});

function filesBelow(folder: string): string[] {
  const skipped = new Set(['node_modules', 'dist', 'build', '.git']);
  return readdirSync(folder)
    .filter((name) => !skipped.has(name))
    .flatMap((name) => {
      const path = join(folder, name);
      return statSync(path).isDirectory() ? filesBelow(path) : [relative(root, path)];
    });
}

function parents(file: string): string[] {
  const folder = dirname(file);
  return folder === '.' ? [] : [folder, ...parents(folder)];
}
