/** What a configuration may say. Unknown keys are errors: a rule that can't be understood never widens what is matched. */
import { z } from 'zod';
import { timerSlack } from '../actuator/timerSlack.ts';
import { contactMatcher } from './contactPattern.ts';

/** One or several globs: `*` any text, `?` one character, `[ab]` one of these; letters of either case. */
const glob = z.string().min(1).max(4096);
const globs = z.union([glob.transform((one) => [one]), z.array(glob).min(1)]);

/** One or several of what `contactMatcher` takes. */
const contact = z.string().transform((text, context) => {
  try {
    return { text, matches: contactMatcher(text) };
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
    return z.NEVER;
  }
});
const contacts = z.union([contact.transform((one) => [one]), z.array(contact).min(1)]);

const runtime = z.enum(['native', 'node', 'python', 'bun', 'deno']);

const slack = z.union([z.string(), z.number(), z.literal(false)]).transform((value, context): bigint | 'off' => {
  if (value === false || value === 'off') return 'off';
  try {
    return timerSlack.parse(String(value));
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
    return z.NEVER;
  }
});

/** What can be asked of a process. */
const matchers = {
  /** Glob i against argument i, argument 0 first; a shorter command line never matches. */
  cmdline: z.array(glob).min(1).optional(),
  /** The program that runs: for `node --flags …/bin/x.js`, `python3 -m x` and the like, x. */
  program: globs.optional(),
  /** The same with its folder and ending, as the command line gives it. */
  path: globs.optional(),
  /** What runs the program: `node`, `python`, `bun`, `deno`, or `native` when it is its own executable. */
  runtime: z.union([runtime.transform((one) => [one]), z.array(runtime).min(1)]).optional(),
  /** The npm package that the program lies in, like `@openai/codex`. */
  package: globs.optional(),
  /** Path of the executable. */
  exe: globs.optional(),
  /** The kernel's name of the main thread, at most 15 bytes. */
  comm: globs.optional(),
  /** Any argument. */
  anyArg: globs.optional(),
  /** A name that the process has asked a resolver for. */
  dns: globs.optional(),
  /** Whom it connects to, or is connected to: an address, a network, a name, a port, or one of these with a port. */
  connect: contacts.optional(),
  /** The effective user's name or id. */
  user: globs.optional(),
  /** The working directory. */
  cwd: globs.optional(),
  /** The name of an environment variable that it was started with. */
  env: globs.optional(),
  /** The path of a control group: a container, a service. */
  cgroup: globs.optional(),
  /** The program of a parent, or of a parent's parent, and so on. */
  ancestor: globs.optional(),
};

/** Of a rule, its `not`: none of these may hold. */
export const exceptSchema = z.strictObject(matchers);

const MATCHERS = Object.keys(matchers) as (keyof typeof matchers)[];

export const ruleSchema = z
  .strictObject({
    /** Unique; shown by `status`, `explain` and in every span. */
    id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._/-]*$/, 'letters, digits and . _ / - are wanted'),
    /** The agent's name in telemetry; the id when not given. */
    name: z.string().min(1).max(256).optional(),
    /** Deny wins over every attach. */
    action: z.enum(['attach', 'deny']).default('attach'),
    /** Of this rule's agents, once the gate is open; off: never. */
    optimizeTimerSlack: slack.optional(),
    ...matchers,
    /** What must not hold: the rule does not match a process of which any of these is true. */
    not: exceptSchema.optional(),
    /** Of this rule's agents, which children are agents: those that a rule names, all, or none. */
    children: z.enum(['match', 'all', 'none']).default('match'),
  })
  .refine((rule) => MATCHERS.some((key) => rule[key] !== undefined), {
    message: `a rule needs at least one of ${MATCHERS.join(', ')}`,
  });

export const configSchema = z.strictObject({
  version: z.literal(1),
  /** Whether the built-in rules apply beside these. */
  builtin: z.boolean().default(true),
  /** Ports on which resolvers are asked. */
  dnsPorts: z.array(z.int().min(1).max(65_535)).min(1).max(8).default([53]),
  rules: z.array(ruleSchema).max(10_000).default([]),
});

/** A rule as read: everything that is given must match, of a list of globs any. */
export type Rule = z.infer<typeof ruleSchema>;
export type RuleInput = z.input<typeof ruleSchema>;
export type Config = z.infer<typeof configSchema>;
