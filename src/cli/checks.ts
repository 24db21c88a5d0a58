/** The checks of `taut doctor`. Each tries the feature instead of comparing versions. */
import { existsSync } from 'node:fs';
import { release } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { KNOBS } from '../actuator/knobs.ts';
import { Ledger } from '../actuator/ledger.ts';
import { describeOff, readOff } from '../actuator/off.ts';
import type { StatusDocument } from '../agents/status.ts';
import { NetworkSource } from '../discovery/network/source.ts';
import { addon } from '../native.ts';
import { DESCRIPTORS_REMEDY, descriptorLimit, descriptorProblem } from '../proc/descriptors.ts';
import { FOREIGN_IDS, FOREIGN_IDS_REMEDY, hasHostIds } from '../proc/pidNamespace.ts';
import { Canary } from '../tracer/canary.ts';
import { type Mode, withoutFrom } from '../tracer/features.ts';
import { openMeasuring } from '../tracer/measuring.ts';
import type { Tracer } from '../tracer/tracer.ts';
import { CAPABILITIES, type Capability, hasCapability } from './capabilities.ts';
import { askAsWhoIAm } from './daemons.ts';
import { otherTauts } from './otherTauts.ts';
import type { TuningHere } from './tuningHere.ts';

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  /** What to do when the check is not ok. */
  readonly mend: string;
}

const NETWORK_MEND = 'run taut as root, or with CAP_NET_ADMIN and CAP_BPF, where cgroup v2 is mounted';
const NETWORK_MEND_HOOKS = 'run Linux 5.10 or later; what else finds agents goes on';

export interface Examination {
  /** Whether taut can measure wakeups: mode `full` or `wakeups`, and the canary agrees. */
  readonly measure: boolean;
  /** Whether any knob can be tuned. */
  readonly tune: boolean;
  readonly knobs: readonly TuningHere[];
  readonly mode: Mode;
  readonly checks: readonly Check[];
}

export async function examine(stateDir: string): Promise<Examination> {
  const flags = checkFlags(stateDir);
  const native = attempt('native addon', () => void addon(), 'loads', 'run: sh scripts/setup.sh');
  const btf = existsSync('/sys/kernel/btf/vmlinux');
  const capability = (name: Capability): Check => {
    const ok = hasCapability(name);
    const { use } = CAPABILITIES[name];
    return { name, ok, detail: ok ? use : `not held: ${use}`, mend: `run taut as root, or with ${name}` };
  };
  const nice = capability('CAP_SYS_NICE');
  const ledger = attempt('ledger', () => new Ledger(stateDir)[Symbol.dispose](), stateDir, 'use another --state-dir');
  const supports = KNOBS.map((knob) => ({ knob, support: knob.support() }));
  const hostIds = hasHostIds();
  const files = descriptorLimit();
  const openFiles: Check = {
    name: 'open files',
    ok: descriptorProblem(files) === undefined,
    detail: descriptorProblem(files) ?? `${files} at a time`,
    mend: DESCRIPTORS_REMEDY,
  };
  const others: Check = { ...(native.ok ? otherTauts() : native), name: 'other tauts' };
  const off = readOff(stateDir);
  const killSwitch: Check = {
    name: 'kill switch',
    ok: off === undefined,
    detail: off ? describeOff(off) : 'not in use',
    mend: 'when the reason is gone: taut on',
  };
  const mayLoad = native.ok && openFiles.ok;
  const { mode, checks: measuring } = mayLoad ? await tryMeasuring() : { mode: 'none' as const, checks: [] };
  const checks: Check[] = [
    { name: 'kernel', ok: process.platform === 'linux', detail: `Linux ${release()}`, mend: 'taut needs Linux' },
    native,
    {
      name: 'BTF',
      ok: btf,
      detail: btf ? '/sys/kernel/btf/vmlinux' : 'this kernel does not describe its types, which measuring needs',
      mend: 'run a kernel with CONFIG_DEBUG_INFO_BTF=y',
    },
    capability('CAP_BPF'),
    capability('CAP_PERFMON'),
    capability('CAP_SYS_PTRACE'),
    nice,
    ...supports.map(({ support }) => support),
    {
      name: 'PID namespace',
      ok: hostIds,
      detail: hostIds ? "the host's" : FOREIGN_IDS,
      mend: FOREIGN_IDS_REMEDY,
    },
    openFiles,
    ...measuring,
    mayLoad
      ? tryNetwork(hostIds ? NETWORK_MEND : 'see PID namespace above')
      : { ...(native.ok ? openFiles : native), name: 'names and connections', detail: 'needs what is missing above' },
    ledger,
    others,
    killSwitch,
    ...(await flags),
  ];
  const measure =
    openFiles.ok && (mode === 'full' || mode === 'wakeups') && measuring.every((c) => c.ok || c.name === CHAIN);
  const mayTune = native.ok && nice.ok && ledger.ok && openFiles.ok && others.ok && killSwitch.ok;
  const knobs = supports.map(({ knob: { id, title }, support }) => ({ id, title, tune: mayTune && support.ok }));
  return { measure, tune: knobs.some(({ tune }) => tune), knobs, mode, checks };
}

/** Whose flags the running daemon goes by, and whether it gets answers: nothing where no flag decides, or none runs. */
async function checkFlags(stateDir: string): Promise<Check[]> {
  const status = await askAsWhoIAm<Pick<StatusDocument, 'flagProvider'>>(stateDir, { op: 'status' }).catch(
    () => undefined,
  );
  const provider = status?.flagProvider;
  if (!provider) return [];
  const ok = provider.state === 'READY';
  const detail = `${provider.name}, ${provider.state.toLowerCase().replace('_', ' ')}`;
  return [{ name: 'flag provider', ok, detail: ok ? detail : `${detail}: ${NOT_READY}`, mend: FLAGS_MEND }];
}

const NOT_READY = 'agents keep for a time what was decided last, and no other is tuned';
const FLAGS_MEND =
  'see that the flag file can be read, or that the service answers where the options of taut say; taut asks it again by itself';

const CHAIN = 'timer chain';
/** A canary with short sleeps: 1.5 s of it are enough to decide. */
const CANARY_MS = 50;
const WATCHED_MS = 1_500;

async function tryMeasuring(): Promise<{ mode: Mode; checks: Check[] }> {
  const { mode, lack, tracer } = openMeasuring({ without: withoutFrom(process.env), calibrate: false });
  using stack = new DisposableStack();
  if (tracer) stack.use(tracer);
  const [detail, mend] = [lack?.message ?? '', lack?.mend ?? ''];
  const waits = mode === 'schedstat' ? '; just the time spent waiting for a CPU can be had (mode schedstat)' : '';
  if (!tracer) return { mode, checks: [{ name: 'kernel tracer', ok: false, detail: `${detail}${waits}`, mend }] };
  const checks: Check[] = [{ name: 'kernel tracer', ok: true, detail: `loads and attaches (mode ${mode})`, mend: '' }];
  if (mode !== 'full') checks.push({ name: CHAIN, ok: false, detail, mend });
  return { mode, checks: [...checks, await tryCanary(tracer)] };
}

async function tryCanary(tracer: Tracer): Promise<Check> {
  const name = 'canary';
  const mend = 'do not rely on what is measured here; please report it';
  try {
    using canary = new Canary(tracer, CANARY_MS);
    await canary.compare();
    await setTimeout(WATCHED_MS);
    let found = await canary.compare();
    if (found?.disagreement !== undefined) {
      // The daemon does the same: a single window can disagree by chance.
      await setTimeout(WATCHED_MS);
      found = await canary.compare();
    }
    const ok = found?.disagreement === undefined;
    const agrees = `the tracer agrees with a thread that keeps time by itself (${found?.wakes} wakeups)`;
    return {
      name,
      ok,
      detail: ok ? agrees : `what is measured is not reliable (degraded): ${found?.disagreement}`,
      mend,
    };
  } catch (error) {
    return { name, ok: false, detail: (error as Error).message, mend };
  }
}

/** The network is only one way to find agents: doctor reports it, but measuring and tuning do not need it. */
function tryNetwork(mend: string): Check {
  const name = 'names and connections';
  try {
    using source = new NetworkSource({
      dnsPorts: [53],
      connections: true,
      wantsName: () => false,
      onSighting: () => {},
    });
    const { missing } = source;
    const detail = missing.length > 0 ? `not seen here: ${missing.join('; ')}` : 'visible, in every network namespace';
    return { name, ok: missing.length === 0, detail, mend: missing.length > 0 ? NETWORK_MEND_HOOKS : '' };
  } catch (error) {
    return { name, ok: false, detail: (error as Error).message, mend };
  }
}

function attempt(name: string, work: () => void, detail: string, mend: string): Check {
  try {
    work();
    return { name, ok: true, detail, mend: '' };
  } catch (error) {
    return { name, ok: false, detail: (error as Error).message, mend };
  }
}
