/** The schema of a configuration. Unknown keys are errors: a mistyped condition must not make a rule match more. */
import { z } from 'zod';
import type { Knob } from '../actuator/knob.ts';
import { keyOf } from '../actuator/knobNames.ts';
import { KNOBS } from '../actuator/knobs.ts';
import { PROFILES } from '../actuator/profiles.ts';
import { contactMatcher } from './contactPattern.ts';
import { guardrailSchema, ruleGuardrailSchema } from './guardrail.ts';
import { SETTINGS, type Setting } from './settings.ts';

/** One or several globs: `*` any text, `?` one character, `[ab]` one of these; case is ignored. */
const glob = z.string().min(1).max(4096);
const globs = z.union([glob.transform((one) => [one]), z.array(glob).min(1)]);

/** One or several patterns for `contactMatcher`. */
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

/** A knob's value as people write it; a plain number is in the knob's unit; `off` and false: never tuned. */
const targetOf = (knob: Knob) =>
  z.union([z.string(), z.number(), z.literal(false)]).transform((value, context): bigint | 'off' => {
    if (value === false || value === 'off') return 'off';
    try {
      return knob.parse(String(value));
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message });
      return z.NEVER;
    }
  });

/** A key for each knob, like `optimizeTimerSlack`: the value for this rule's agents. */
const targets = Object.fromEntries(KNOBS.map((knob) => [keyOf(knob), targetOf(knob).optional()]));

/** The conditions on a process. */
const matchers = {
  /** Glob i is compared with argument i, from argument 0; a command line with fewer arguments never matches. */
  cmdline: z.array(glob).min(1).optional(),
  /** The program's name: x for `node --flags …/bin/x.js`, `python3 -m x` and similar command lines. */
  program: globs.optional(),
  /** The program's path with folder and ending, as the command line gives it. */
  path: globs.optional(),
  /** What runs the program: `node`, `python`, `bun`, `deno`, or `native` when the program is an executable itself. */
  runtime: z.union([runtime.transform((one) => [one]), z.array(runtime).min(1)]).optional(),
  /** The package that the program lies in: npm's, like `@openai/codex`, or Python's; also a module, `package.module`. */
  package: globs.optional(),
  /**
   * The program's first argument that is neither an option nor the value of one: `mcp` of `claude --debug mcp serve`. With a
   * blank: the first two, `mcp serve`.
   */
  command: globs.optional(),
  /** At least one of the program's options, without the value behind `=`. Upper and lower case differ. */
  option: globs.optional(),
  /** Path of the executable. */
  exe: globs.optional(),
  /** The kernel's name of the main thread, at most 15 bytes. */
  comm: globs.optional(),
  /** At least one argument. */
  anyArg: globs.optional(),
  /** A name that the process has asked a resolver for. */
  dns: globs.optional(),
  /** The peer that it connects to or is connected to: an address, a network, a name, a port, or one with a port. */
  connect: contacts.optional(),
  /** The effective user's name or id. */
  user: globs.optional(),
  /** The working directory. */
  cwd: globs.optional(),
  /** The name of an environment variable that the process was started with. */
  env: globs.optional(),
  /** The path of a control group, which names a container or a service. */
  cgroup: globs.optional(),
  /** The program of any ancestor. */
  ancestor: globs.optional(),
};

/** The `not` of a rule: none of these conditions may hold. */
export const exceptSchema = z.strictObject(matchers);

const MATCHERS = Object.keys(matchers) as (keyof typeof matchers)[];

export const ruleSchema = z
  .strictObject({
    /** Unique; shown by `status`, `explain` and in every span. */
    id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._/-]*$/, 'letters, digits and . _ / - are wanted'),
    /** The agent's name in telemetry; the id when not given. */
    name: z.string().min(1).max(256).optional(),
    /** A deny wins over every attach. */
    action: z.enum(['attach', 'deny']).default('attach'),
    ...targets,
    /** Which of the settings that are turned on these agents get: those of a profile, or none. */
    profile: z.enum([...PROFILES, 'off']).optional(),
    /** What tuning may not do to these agents, where it differs from `guardrail` of the whole. */
    guardrail: ruleGuardrailSchema.optional(),
    ...matchers,
    /** The rule does not match a process for which any of these conditions holds. */
    not: exceptSchema.optional(),
    /** Which children of this rule's agents are agents: those that match a rule, all, or none. */
    children: z.enum(['match', 'all', 'none']).default('match'),
  })
  .refine((rule) => MATCHERS.some((key) => rule[key] !== undefined), {
    message: `a rule needs at least one of ${MATCHERS.join(', ')}`,
  });

/** What a setting may be in a configuration. */
function schemaOf({ kind, choices, parse }: Setting): z.ZodType {
  if (kind === 'switch') return z.boolean();
  if (choices) return z.enum(choices);
  if (kind === 'json') return z.union([z.string().min(1), z.record(z.string(), z.unknown())]);
  if (kind !== 'value' && kind !== 'text') return z.string().min(1);
  return z.union([z.string(), z.number(), z.boolean()]).transform((value, context) => {
    try {
      return parse(String(value));
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message });
      return z.NEVER;
    }
  });
}

/** The keys of settings, which TypeScript does not know by name. */
const settings: Record<never, z.ZodType> = Object.fromEntries(
  SETTINGS.map((setting) => [setting.key, schemaOf(setting).optional()]),
);

export const configSchema = z.strictObject({
  version: z.literal(1),
  ...settings,
  /** Whether the built-in rules apply too. */
  builtin: z.boolean().default(true),
  /** Ports of DNS resolvers. */
  dnsPorts: z.array(z.int().min(1).max(65_535)).min(1).max(8).default([53]),
  /** What tuning may not do; it is not looked at without this. */
  guardrail: guardrailSchema.optional(),
  rules: z.array(ruleSchema).max(10_000).default([]),
});

/** The keys of knobs, which TypeScript does not know by name. */
type RuleTargets = Readonly<Partial<Record<ReturnType<typeof keyOf>, bigint | 'off'>>>;
/** A rule as read: every given condition must match; a list of globs matches when any glob does. */
export type Rule = z.infer<typeof ruleSchema> & RuleTargets;
export type RuleInput = z.input<typeof ruleSchema>;
export type Config = z.infer<typeof configSchema>;

/** What holds without a file: the built-in rules alone. */
export function defaultConfig(): Config {
  return configSchema.parse({ version: 1 });
}
