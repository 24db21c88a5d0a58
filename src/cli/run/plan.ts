/**
 * What the options of `taut run` mean for its command. Mistakes are found here, before the command is started. Only the
 * modules that the options need are loaded, because the command waits.
 */
import { checkEnvironment, type Env } from '../../../otel/environment.ts';
import { effectiveProgram } from '../../discovery/program.ts';
import type { Scope } from '../../discovery/scope.ts';
import type { About, Gate, GateDecision, GatedKnob } from '../../gate/gate.ts';
import { decideUnlessOff } from '../../gate/offGate.ts';
import { observeOnlyGate, staticGate } from '../../gate/staticGate.ts';
import { creationTimeMs } from '../../proc/clock.ts';
import { LazyHandle } from '../../proc/handle.ts';
import { originOf } from '../../proc/origin.ts';
import { withoutFrom } from '../../tracer/features.ts';
import type { Log } from '../../util/log.ts';
import { CliError, EXIT } from '../exit.ts';
import { asked, hasFlags, type TuneOptions, targetsOf } from '../given.ts';

export interface Plan {
  readonly command: readonly string[];
  /** Whether the command may be tuned, unless a rule or a flag says no. */
  readonly mayTune: boolean;
  readonly gate: Gate;
  /** The variables that telemetry goes by, which have no mistake. */
  readonly telemetry: Env;
  /** The command's name and rule, as far as they are known now; undefined when a rule denies it. */
  identify(pid: number): { readonly name: string; readonly rule: string } | undefined;
  decide(knob: GatedKnob & { readonly id: string }, pid: number, name: string, rule: string): Promise<GateDecision>;
}

/** @throws CliError, ConfigError or TelemetryConfigError for a mistake in options, configuration or environment. */
export async function planFor(command: readonly string[], options: TuneOptions, log: Log): Promise<Plan> {
  try {
    withoutFrom(process.env);
  } catch (error) {
    throw new CliError((error as Error).message, EXIT.usage);
  }
  const telemetry = await settledTelemetry(process.env);
  const rules = options.config === undefined ? undefined : await ownRules(options.config);
  const targets = targetsOf(options);
  const mayTune = !options.observeOnly && (targets.size > 0 || hasFlags(options));
  const gate = mayTune ? await openGate(options, log) : observeOnlyOr(options);
  return {
    command,
    mayTune,
    gate,
    telemetry,
    identify(pid) {
      const named = { name: effectiveProgram([...command], () => undefined).name, rule: 'pid' };
      return rules ? rules(pid, { kind: 'tree', root: pid, command }) : named;
    },
    decide: async (knob, pid, name, ruleId) =>
      decideUnlessOff(gate, options.stateDir, { knob, pid, name, ruleId, about: () => aboutHeld(pid) }),
  };
}

/** Of a command that is held: its executable is taut's until it is let go. */
function aboutHeld(pid: number): About {
  using process = new LazyHandle(pid);
  const { startTicks } = process.get().stat();
  const { executable: _, ...origin } = originOf(process.get());
  return { ...origin, startTicks, created: new Date(creationTimeMs(startTicks)).toISOString() };
}

function observeOnlyOr({ observeOnly }: TuneOptions): Gate {
  return observeOnly ? observeOnlyGate() : staticGate(new Map());
}

async function settledTelemetry(env: NodeJS.ProcessEnv): Promise<Env> {
  if (env['OTEL_CONFIG_FILE']) {
    const { settle } = await import('../../../otel/environment/settle.ts');
    return (await settle(env)).env;
  }
  checkEnvironment(env);
  return env;
}

async function openGate(options: TuneOptions, log: Log): Promise<Gate> {
  if (hasFlags(options)) return (await import('../openGate.ts')).openGate(options, log);
  const { targets, why, configured, leftOut } = asked(options);
  for (const sentence of leftOut) log.info(sentence);
  return staticGate(targets, why, configured);
}

async function ownRules(file: string) {
  const [{ loadConfig }, { compileRules }, { Decisions }] = await Promise.all([
    import('../../config/load.ts'),
    import('../../discovery/ruleSet.ts'),
    import('../../discovery/decisions.ts'),
  ]);
  const decisions = new Decisions(compileRules(loadConfig(file)));
  return (pid: number, scope: Scope) => {
    using process = new LazyHandle(pid);
    const verdict = decisions.decide(process, scope, { source: 'scan', atMs: Date.now() });
    return verdict.decision === 'attach' ? { name: verdict.name, rule: verdict.ruleId } : undefined;
  };
}
