/** The conditions of a rule. Each one tests a process and, if it holds, explains why in one line. Pure. */
import type { z } from 'zod';
import { contactName, describeServerName, namesOf } from '../config/contactPattern.ts';
import { globMatcher } from '../config/globs.ts';
import type { exceptSchema, Rule } from '../config/schema.ts';
import type { EffectiveProgram } from './program.ts';
import type { LazyFacts, ProcessFacts } from './sighting.ts';
import { standIn } from './standIn.ts';

export type Facts = ProcessFacts & LazyFacts;

export interface Condition {
  /** The property that it tests: `program`, `user` … */
  readonly what: string;
  /** Says in one line why it holds; undefined when it does not. Never quotes arguments, as they may contain secrets. */
  readonly holds: (facts: Facts, program: EffectiveProgram) => string | undefined;
  /** What the rule asks for, as it is written there. */
  readonly asked: readonly string[];
  /** What the process has instead; not given for what may contain secrets. */
  readonly found?: (facts: Facts, program: EffectiveProgram) => readonly string[];
}

export function conditionsOf(asked: z.infer<typeof exceptSchema>): Condition[] {
  const conditions: Condition[] = [];
  const one = (
    what: string,
    globs: readonly string[] | undefined,
    text: (f: ProcessFacts, p: EffectiveProgram) => string | undefined,
  ) => {
    if (!globs) return;
    const found: Condition['found'] = (facts, program) => [text(facts, program) ?? ''];
    const find = globMatcher(globs);
    const holds = (facts: Facts, program: EffectiveProgram) => {
      const value = text(facts, program);
      const glob = value === undefined ? undefined : find(value);
      return glob === undefined ? undefined : `${what} ${JSON.stringify(value)} matches ${JSON.stringify(glob)}`;
    };
    conditions.push({ what, holds, asked: globs, found });
  };
  /** A property with several values: any of them may match. */
  const some = (
    what: string,
    globs: readonly string[] | undefined,
    values: (f: Facts, p: EffectiveProgram) => readonly string[],
  ) => {
    if (!globs) return;
    const find = globMatcher(globs);
    const holds = (facts: Facts, program: EffectiveProgram) => {
      const value = values(facts, program).find((v) => find(v) !== undefined);
      return value === undefined
        ? undefined
        : `${what} ${JSON.stringify(value)} matches ${JSON.stringify(find(value))}`;
    };
    conditions.push({ what, holds, asked: globs, found: values });
  };
  const add = (what: string, globs: readonly string[], holds: Condition['holds'], found?: Condition['found']) =>
    conditions.push({ what, holds, asked: globs, ...(found ? { found } : {}) });
  if (asked.program) add('program', asked.program, programName(asked.program), (_, { names }) => names);
  some('package', asked.package, (_, program) => program.packages);
  if (asked.command) add('command', asked.command, commandIs(asked.command));
  if (asked.option) add('options', asked.option, anyOption(asked.option));
  if (asked.path) add('path', asked.path, programPath(asked.path));
  if (asked.cmdline) add('command line', asked.cmdline, positional(asked.cmdline));
  if (asked.anyArg) add('arguments', asked.anyArg, anyArgument(asked.anyArg));
  if (asked.dns) add('names asked for', asked.dns, askedFor(asked.dns), ({ names = [] }) => names);
  if (asked.connect) {
    const texts = asked.connect.map(({ text }) => text);
    add('connections', texts, connectedTo(asked.connect));
  }
  // These come last, because testing them reads more of /proc.
  one('runtime', asked.runtime, (_, program) => program.interpreter ?? 'native');
  one('executable', asked.exe, (facts) => facts.exe);
  if (asked.comm)
    add(
      'comm',
      asked.comm,
      unseen('comm', asked.comm, (facts) => facts.comm),
    );
  some('user', asked.user, (facts) => facts.users());
  if (asked.cwd)
    add(
      'working directory',
      asked.cwd,
      unseen('working directory', asked.cwd, (facts) => facts.cwd()),
    );
  some('environment variable', asked.env, (facts) => facts.env());
  some('control group', asked.cgroup, (facts) => facts.cgroups());
  some('parent program', asked.ancestor, (facts) => facts.ancestors());
  return conditions;
}

/** Of a text that a process or who started it has made up, so that it may have a secret: it is never quoted. */
function unseen(what: string, globs: readonly string[], text: (f: Facts) => string | undefined): Condition['holds'] {
  const find = globMatcher(globs);
  return (facts) => {
    const glob = find(text(facts) ?? '');
    return glob === undefined ? undefined : `its ${what} matches ${JSON.stringify(glob)}`;
  };
}

function positional(globs: readonly string[]): Condition['holds'] {
  const matchers = globs.map((glob) => globMatcher([glob]));
  return ({ argv }) => {
    const all = argv.length >= matchers.length && matchers.every((match, i) => match(argv[i] ?? '') !== undefined);
    return all ? `the first ${globs.length} arguments match ${JSON.stringify(globs)}` : undefined;
  };
}

function programPath(globs: readonly string[]): Condition['holds'] {
  const find = globMatcher(globs);
  return (_, { paths }) => {
    const path = paths.find((one) => find(one) !== undefined);
    return path === undefined ? undefined : `the program's path matches ${JSON.stringify(find(path))}`;
  };
}

/** A process that only has the name, because it starts the program or is a part of its window, is not the program. */
function programName(globs: readonly string[]): Condition['holds'] {
  const find = globMatcher(globs);
  return (facts, { names }) => {
    const name = names.find((one) => find(one) !== undefined);
    if (name === undefined || standIn(facts) !== undefined) return undefined;
    return `program ${JSON.stringify(name)} matches ${JSON.stringify(find(name))}`;
  };
}

/** A glob with a blank is compared with a command and the command of that; a prompt with blanks in it is one argument. */
function commandIs(globs: readonly string[]): Condition['holds'] {
  const isOfTwo = (glob: string) => glob.includes(' ');
  const find = globMatcher(globs.filter((glob) => !isOfTwo(glob)));
  const findTwo = globMatcher(globs.filter(isOfTwo));
  return (_, { commands }) => {
    const [first, second] = commands;
    if (first === undefined) return undefined;
    const glob =
      find(first) ?? (second === undefined || first.includes(' ') ? undefined : findTwo(`${first} ${second}`));
    return glob === undefined ? undefined : `its command matches ${JSON.stringify(glob)}`;
  };
}

/** An option is not quoted either: its value may be a part of it, as in `-pSECRET`. */
function anyOption(globs: readonly string[]): Condition['holds'] {
  const find = globMatcher(globs, true);
  return (_, { options }) => {
    const option = options.find((one) => find(one) !== undefined);
    return option === undefined ? undefined : `one of its options matches ${JSON.stringify(find(option))}`;
  };
}

function anyArgument(globs: readonly string[]): Condition['holds'] {
  const find = globMatcher(globs);
  return ({ argv }) => {
    const i = argv.findIndex((argument) => find(argument) !== undefined);
    return i < 0 ? undefined : `argument ${i} matches ${JSON.stringify(find(argv[i] ?? ''))}`;
  };
}

/**
 * Programs that resolve names for other processes: the questions that they send are not their own. `DnsServers` finds
 * most resolvers by the port that they serve. This list adds those that it can't find: behind a Unix socket (nscd),
 * address translation (Docker) or a guest's network stack.
 */
const RESOLVERS = new Set(
  (
    'systemd-resolved systemd-resolve nscd dnsmasq unbound named pdns_recursor kresd coredns nsncd stubby dnscrypt-proxy ' +
    'dockerd aardvark-dns slirp4netns passt pasta gvproxy avahi-daemon'
  ).split(' '),
);

const NONE: readonly never[] = [];

function askedFor(globs: readonly string[]): Condition['holds'] {
  const match = globMatcher(globs);
  return ({ names = NONE, contacts = NONE }, program) => {
    if (names.length + contacts.length === 0 || RESOLVERS.has(program.name)) return undefined;
    const name = names.find((asked) => match(asked) !== undefined);
    if (name !== undefined) return `asked for ${name}, which matches ${JSON.stringify(match(name))}`;
    for (const { serverName } of contacts) {
      const glob = serverName && match(serverName.name);
      if (serverName && glob !== undefined)
        return `${describeServerName(serverName)}, which matches ${JSON.stringify(glob)}`;
    }
    return undefined;
  };
}

function connectedTo(patterns: NonNullable<Rule['connect']>): Condition['holds'] {
  return ({ contacts = [] }, program) => {
    if (RESOLVERS.has(program.name)) return undefined;
    for (const { text, matches } of patterns) {
      const contact = contacts.find(matches);
      if (!contact) continue;
      const { serverName, address, port } = contact;
      // The server name is given as the reason only if the address and its DNS names do not match.
      const bySni = serverName && contactName(text) !== undefined && !matches({ address, port, names: contact.names });
      const whom = bySni ? describeServerName(serverName) : `connected to ${namesOf(contact)[0] ?? address}`;
      return `${whom} port ${port}, which matches ${JSON.stringify(text)}`;
    }
    return undefined;
  };
}
