/** A decision as `explain` shows it: as text and as JSON. Pure. */
import { formatValue, titleOf } from '../actuator/knobNames.ts';
import type { Step } from '../discovery/compare.ts';
import type { RepeatedSighting } from '../discovery/sighting.ts';
import type { Verdict } from '../discovery/verdict.ts';
import type { GateDecision } from '../gate/gate.ts';
import { MOST_OF_A_NAME, printable } from '../util/printable.ts';

/** The gate's decision on each knob of an agent. `id`: the knob's. */
export type GatedKnobs = readonly { readonly id: string; readonly gate: GateDecision }[];

export interface Explained extends Omit<Verdict, 'pid'> {
  readonly pid: number | null;
  readonly sightings: readonly RepeatedSighting[];
  /** Number of sightings that were not kept. */
  readonly more: number;
  readonly near: readonly string[];
  /** The gate's decision on the first knob, timer slack: it was there before the others. */
  readonly gate: GateDecision | null;
  readonly knobs: GatedKnobs;
  /** Whether a running daemon decided it. */
  readonly daemon: boolean;
  /** The name of a kernel thread; undefined for a process. */
  readonly kernelThread: string | undefined;
  /** `public`: the daemon's public part; `none`: this user may not know whether a daemon runs. */
  readonly access: 'full' | 'public' | 'none';
  /** Further sentences, also about what this user may not know. */
  readonly notes: readonly string[];
}

/** One rule, condition by condition; `pid`: null for a command line. `daemon`: whether it is the running taut's rule. */
export interface RuleWalk {
  readonly pid: number | null;
  readonly rule: string;
  readonly steps: readonly Step[];
  readonly daemon: boolean;
  /** Of whom the rule is. */
  readonly notes: readonly string[];
}

export function describeRule({ pid: id, rule, steps, notes }: RuleWalk): string[] {
  const whom = id === null ? 'this command line' : `process ${id}`;
  const isMatch = steps.every(({ holds, isException }) => holds !== isException);
  const lines = steps.map(({ holds, isException, text }) => {
    const line = printable(text, MOST_OF_A_LINE);
    if (isException) return holds ? `  no   it is excepted: ${line}` : `  yes  it is not excepted: ${line}`;
    return `  ${holds ? 'yes' : 'no '}  ${line}`;
  });
  return [
    `rule ${printable(rule, MOST_OF_A_NAME)} ${isMatch ? 'matches' : 'does not match'} ${whom}`,
    ...lines,
    ...notes.map((note) => `  ${note}`),
  ];
}

const MOST_OF_A_LINE = 1_000;

export function toJson({ pid: id, decision, ruleId, evidence, gate, name, attachPath, ...more }: Explained): unknown {
  return {
    pid: id,
    decision,
    rule: ruleId || null,
    evidence,
    gate: gate && gateJson(gate),
    knobs: more.knobs.map((knob) => ({ id: knob.id, gate: gateJson(knob.gate) })),
    name: name || null,
    attachPath: decision === 'attach' ? attachPath : null,
    daemon: more.daemon,
    sources: more.sightings.map(({ source, what, atMs, lastMs, times }) => ({
      source,
      what: what ?? null,
      at: new Date(atMs).toISOString(),
      last: new Date(lastMs).toISOString(),
      times,
    })),
    moreSources: more.more,
    lost: more.lost,
    nearest: more.near,
    kernelThread: more.kernelThread !== undefined,
    access: more.access,
    notes: more.notes,
  };
}

function gateJson({ value, reason, layer, flag }: GateDecision) {
  return { value, reason, layer: layer ?? null, flag: flag ?? null };
}

export function describe(one: Explained): string[] {
  const lines = [`${who(one)} ${what(one)}`];
  const isJustThread = one.kernelThread !== undefined && one.decision === 'ignore';
  // A kernel thread runs no program, so its evidence says nothing.
  if (!isJustThread) lines.push(...one.evidence.map((e) => `  ${e}`));
  if (one.kernelThread !== undefined && !isJustThread)
    lines.push('  it is a kernel thread, and taut never tunes those');
  for (const { rule, why, evidence: because } of one.lost)
    lines.push(`  rule ${rule} names it, too (${because.join(', ')}): ${why}`);
  if (!isJustThread) for (const near of one.near) lines.push(`  near: ${near}`);
  for (const sighting of one.sightings) lines.push(`  seen: ${describeSighting(sighting)}`);
  if (one.more > 0) lines.push(`  seen ${one.more} times more`);
  for (const knob of one.knobs) lines.push(`  ${describeGate(knob)}`);
  return [...lines, ...one.notes.map((note) => `  ${note}`)];
}

function describeGate({ id, gate: { value, reason, layer, flag } }: GatedKnobs[number]): string {
  const its = `its ${printable(titleOf(id), MOST_OF_A_NAME)}`;
  // In a daemon's answer a value is a number.
  return `${its} ${value === null ? 'is left as it is' : `is to be ${formatValue(id, BigInt(value))}`}: ${reason}${by(layer, flag)}`;
}

/** Who decided, as `docs/outcomes.md` has it, and the reason that a flag's provider gave. */
function by(layer: GateDecision['layer'], flag: GateDecision['flag']): string {
  if (layer === undefined) return '';
  const why = flag?.reason === undefined ? '' : `, ${flag.reason.toLowerCase().replaceAll('_', ' ')}`;
  return ` [${layer}${layer === 'flag' ? why : ''}]`;
}

function who({ pid: id }: Explained): string {
  return id === null ? 'a process with this command line' : `process ${id}`;
}

function what({ decision, ruleId, name, kernelThread }: Explained): string {
  const rule = `rule ${printable(ruleId, MOST_OF_A_NAME)}`;
  switch (decision) {
    case 'attach':
      return `is an agent: ${printable(name, MOST_OF_A_NAME)} (${rule})`;
    case 'deny':
      return `is denied by ${rule}`;
    case 'ignore':
      if (kernelThread === undefined) return 'is no agent: no rule names it';
      return `is a kernel thread (${printable(kernelThread, MOST_OF_A_NAME)}): it runs no program, and no rule names it`;
  }
}

const SOURCES: Record<RepeatedSighting['source'], string> = {
  exec: 'it ran this program',
  scan: 'it was there when every process was looked at',
  rename: 'it gave itself another name',
  move: 'it was put into another control group',
  dns: 'it asked for',
  connection: 'it connected to',
  child: 'an agent made it',
  explain: 'now',
};

function describeSighting({ source, what: name, atMs, lastMs, times }: RepeatedSighting): string {
  const at = new Date(atMs).toISOString();
  const again = times > 1 ? ` (${times} times, last at ${new Date(lastMs).toISOString()})` : '';
  return `${sourceText(source, name)}, ${at}${again}`;
}

/** The public part hides the name that a process asked for, but not the fact that it asked. */
function sourceText(source: RepeatedSighting['source'], name: string | undefined): string {
  if (name === undefined && source === 'dns') return 'it asked for a name';
  if (name === undefined && source === 'connection') return 'it made a connection';
  return `${SOURCES[source] ?? source}${name === undefined ? '' : ` ${name}`}`;
}
