// Written by npm run docs from otel/registry: change that, not this.

export const DESCRIBED_METRICS = {
  "taut.timer.lateness": {
    kind: "exponential histogram",
    unit: "s",
    description: "From a timer's soft expiry, which the agent asked for, until its handler wakes the thread.",
    splitBy: ["taut.timer.slack_class","taut.tuned"],
  },
  "taut.timer.slack_use": {
    kind: "exponential histogram",
    unit: "s",
    description: "The part of lateness up to the hard expiry: what timer slack can give back.",
    splitBy: ["taut.timer.slack_class","taut.tuned"],
  },
  "taut.timer.overrun": {
    kind: "exponential histogram",
    unit: "s",
    description: "The part of lateness beyond the hard expiry: timer slack has no part in it.",
    splitBy: ["taut.timer.slack_class","taut.tuned"],
  },
  "taut.wakeup.latency": {
    kind: "exponential histogram",
    unit: "s",
    description: "The whole of what the agent feels: from a timer's soft expiry (or from sched_waking) to running.",
    splitBy: ["taut.wakeup.source","taut.timer.slack_class","taut.tuned","taut.sched.slice"],
  },
  "taut.wakeup.hand_over": {
    kind: "exponential histogram",
    unit: "s",
    description: "From sched_waking to being made runnable: the way to the other CPU, out of idle.",
    splitBy: ["taut.wakeup.source"],
  },
  "taut.wakeup.run_queue_delay": {
    kind: "exponential histogram",
    unit: "s",
    description: "From being made runnable to running. Timer slack has no part in it, so it is the control of that knob; a scheduler slice is to shorten it.",
    splitBy: ["taut.wakeup.source","taut.tuned","taut.sched.slice"],
  },
  "taut.agent.count": {
    kind: "up-down counter",
    unit: "{agent}",
    description: "Agent processes that are attached.",
    splitBy: ["taut.attach.path","taut.tuned"],
  },
  "taut.thread.count": {
    kind: "up-down counter",
    unit: "{thread}",
    description: "Threads of attached agents, by the state of each knob.",
    splitBy: ["taut.knob","taut.thread.state"],
  },
  "taut.operations": {
    kind: "counter",
    unit: "{operation}",
    description: "Operations on agents and their threads, by outcome.",
    splitBy: ["taut.operation","taut.outcome","taut.knob"],
  },
  "taut.inherited.cpu": {
    kind: "counter",
    unit: "s",
    description: "CPU time that children of agents ran with the agent's scheduler slice, from their birth until taut put them back, or until their end.",
    splitBy: ["taut.agent.name","taut.knob"],
  },
  "taut.turn.run_queue_delay": {
    kind: "exponential histogram",
    unit: "s",
    description: "Time lost in a turn of an agent, by its hooks' word. All delays from being made runnable to running, of all of its threads, together.",
    splitBy: ["taut.agent.name","taut.tuned"],
  },
  "taut.off": {
    kind: "up-down counter",
    unit: "{instance}",
    description: "Whether the kill switch (taut off) keeps taut from tuning (1) or not (0).",
    splitBy: [],
  },
  "taut.flags.ready": {
    kind: "up-down counter",
    unit: "{instance}",
    description: "Whether the provider of feature flags is ready (1) or not (0): down, stale, or not started yet.",
    splitBy: [],
  },
  "taut.tracer.events": {
    kind: "counter",
    unit: "{event}",
    description: "Every event that the tracer saw: recorded, or discarded for a reason.",
    splitBy: ["taut.tracer.event","taut.tracer.outcome","taut.discard.reason"],
  },
  "taut.tracer.degraded": {
    kind: "up-down counter",
    unit: "{instance}",
    description: "Whether the tracer and its canary, a thread that keeps time by itself, disagree (1) or agree (0).",
    splitBy: [],
  },
  "taut.canary.latency": {
    kind: "exponential histogram",
    unit: "s",
    description: "Wakeup latency of taut's own idle thread, with the least timer slack: the host's floor.",
    splitBy: [],
  },
  "taut.run_queue.time": {
    kind: "counter",
    unit: "s",
    description: "Time that threads were runnable and not running, after a wakeup or a preemption (mode schedstat).",
    splitBy: [],
  },
  "taut.run_queue.timeslices": {
    kind: "counter",
    unit: "{timeslice}",
    description: "Times that threads were put on a CPU (mode schedstat).",
    splitBy: [],
  },
  "taut.telemetry.dropped": {
    kind: "counter",
    unit: "{item}",
    description: "Spans, points and log records that no backend got: refused, rejected, damaged, or without room to wait.",
    splitBy: ["taut.telemetry.signal"],
  },
  "process.cpu.time": {
    kind: "counter",
    unit: "s",
    description: "CPU time that taut's own process has used, by the conventions: the user part of taut.self.cpu.",
    splitBy: ["cpu.mode"],
  },
  "taut.tracer.cpu.time": {
    kind: "counter",
    unit: "s",
    description: "CPU time that taut's BPF programs have used: the kernel part of taut.self.cpu.",
    splitBy: ["taut.self.method"],
  },
  "taut.telemetry.waiting.count": {
    kind: "up-down counter",
    unit: "{item}",
    description: "Spans, points and log records that wait for a backend that does not take them now.",
    splitBy: ["taut.telemetry.signal"],
  },
  "taut.telemetry.waiting.size": {
    kind: "up-down counter",
    unit: "By",
    description: "Size of what waits for a backend, on disk or in memory.",
    splitBy: ["taut.telemetry.signal"],
  },
  "taut.self.cpu": {
    kind: "counter",
    unit: "s",
    description: "CPU time that taut itself has used: its BPF programs (kernel) and its own process (user).",
    splitBy: ["taut.self.part","taut.self.method"],
  },
} as const;

export const DESCRIBED_EVENTS = {
  "taut.drift": {
    severity: "WARN",
    when: "somebody else has set a thread that taut had tuned",
    attributes: ["process.pid","taut.agent.name","taut.knob","thread.id","taut.drift.expected","taut.drift.found"],
  },
  "taut.restore_failed": {
    severity: "ERROR",
    when: "a thread could not be put back, and stays on record",
    attributes: ["process.pid","taut.agent.name","taut.knob","thread.id","taut.restore.detail"],
  },
  "taut.gate_changed": {
    severity: "INFO",
    when: "it was decided anew whether an agent is tuned",
    attributes: ["process.pid","taut.agent.name","taut.knob","taut.gate.value","taut.gate.reason","taut.gate.layer","feature_flag.key","feature_flag.provider.name","feature_flag.result.variant","feature_flag.result.reason"],
  },
  "feature_flag.evaluation": {
    severity: "INFO",
    when: "a feature flag was evaluated for an agent, and something is decided by it",
    attributes: ["process.pid","taut.agent.name","taut.knob","taut.gate.value","taut.gate.value_before","feature_flag.key","feature_flag.provider.name","feature_flag.context.id","feature_flag.result.variant","feature_flag.result.value","feature_flag.result.reason","error.type","error.message"],
  },
  "taut.switched": {
    severity: "WARN",
    when: "the [kill switch](outcomes.md#the-kill-switch) turned tuning off, or on again (severity INFO)",
    attributes: ["taut.off","taut.off.reason"],
  },
  "taut.guardrail": {
    severity: "WARN",
    when: "the [guardrail](outcomes.md#the-guardrail) found that tuning does harm, to an agent or, without a process, to the host",
    attributes: ["process.pid","taut.agent.name","taut.gate.reason","taut.guardrail.measure","taut.guardrail.limit","taut.guardrail.found","taut.guardrail.tuned","taut.guardrail.times.low","taut.guardrail.times.high","taut.guardrail.blocks","taut.guardrail.error_rate","taut.guardrail.until"],
  },
  "taut.events_lost": {
    severity: "WARN",
    when: "there was no room for what the kernel reports, or a process caused too much of it; what can be is [made good](rules.md#when-there-is-too-much)",
    attributes: ["taut.events.lost","taut.events.kind","process.pid","user.id"],
  },
  "taut.tracer_degraded": {
    severity: "WARN",
    when: "what is measured [can't be relied on](how-it-measures.md#can-it-be-relied-on), or can again (severity INFO)",
    attributes: ["taut.tracer.state","taut.tracer.reason","taut.tracer.mode"],
  },
  "taut.shedding": {
    severity: "WARN",
    when: "taut records [less, or more again](how-it-measures.md#keeping-the-cost-below-a-limit)",
    attributes: ["taut.sampling.factor","taut.shed.detail","taut.overhead.cost","taut.overhead.limit","taut.tracer.mode"],
  },
} as const;
