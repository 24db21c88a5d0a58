/**
 * Tunes a command before its first instruction, in the few milliseconds for which it is held. The modules that measure
 * and report it are loaded while it runs, and take over from here.
 */
import { Containment } from '../../actuator/containment.ts';
import { Converger, type Inheritance } from '../../actuator/converge.ts';
import type { Knob } from '../../actuator/knob.ts';
import { KNOBS } from '../../actuator/knobs.ts';
import type { Ledger } from '../../actuator/ledger.ts';
import type { BegunTuning } from '../../agents/tuning.ts';
import type { GateDecision } from '../../gate/gate.ts';
import { nowMs } from '../../proc/clock.ts';
import { ProcHandle } from '../../proc/handle.ts';
import { uuid } from '../../util/uuid.ts';
import type { Plan } from './plan.ts';

/** What descendants are born with of one knob, and who puts that back. */
export interface BornWith {
  readonly containment: Containment;
  readonly inheritance: Inheritance;
  /** What a flag says of them; undefined: as the option says. */
  readonly descendants: GateDecision['descendants'];
}

export class FirstTune implements Disposable {
  readonly #pid: number;
  readonly #process: ProcHandle;
  readonly #begun = new Map<Knob, BegunTuning>();
  /** The values that its descendants are born with. */
  readonly born: BornWith[] = [];
  /** The targets that taut may not write. */
  readonly denied = new Map<Knob, bigint>();

  /** @throws TautError when there is no such process. */
  constructor(pid: number) {
    this.#pid = pid;
    this.#process = new ProcHandle(pid);
  }

  /** Tunes it as the gate decides. @throws LedgerError when the ledger can't record that; then nothing was written. */
  async tune(plan: Plan, ledger: Ledger): Promise<void> {
    const pid = this.#pid;
    const startMs = nowMs();
    const identity = plan.identify(pid);
    if (!identity) return;
    const { name: agent, rule } = identity;
    for (const knob of KNOBS) {
      if (knob.of === 'tools') continue; // it has none yet
      const { value: target, reason, descendants } = await plan.decide(knob, pid, agent, rule);
      if (target === null) continue;
      const { startTicks: processStartTicks } = this.#process.stat();
      const order = { pid, processStartTicks, target, agent, rule, reason, operation: uuid() };
      const converger = new Converger(knob, ledger, this.#process, order, undefined);
      converger.run();
      // When the kernel refused, the watcher tries again and reports it.
      const inheritance = converger.inheritance();
      if (inheritance === undefined) {
        if ([...converger.threads.values()].some(({ outcome }) => outcome === 'denied')) this.denied.set(knob, target);
        continue;
      }
      const containment = new Containment(knob);
      this.#begun.set(knob, { converger, containment, startMs });
      this.born.push({ containment, inheritance, descendants });
    }
  }

  /** Tells the watcher which tuning was begun here. */
  readonly begun = (pid: number, knob: Knob): BegunTuning | undefined =>
    pid === this.#pid ? this.#begun.get(knob) : undefined;

  [Symbol.dispose](): void {
    this.#process[Symbol.dispose]();
  }
}
