/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The single steps of one wakeup, for tests of cases that are too rare in the kernel to wait for. Each runs a function
 * of the tracer on the calling thread's state; the test chooses the timestamps, and whether memory runs out.
 */
#include "kernel.h"
#include <bpf/bpf_helpers.h>

/* Simulates a kernel that has no memory for a thread's state. */
static volatile bool refused;
#define bpf_task_storage_get(map, task, value, flags) \
	((flags) && refused ? 0 : bpf_task_storage_get(map, task, value, flags))

#include "wakeup.h"
#include "life.h"

struct thread_states threads SEC(".maps");
struct descendant_marks descendants SEC(".maps");
struct agent_slots agents SEC(".maps");
struct series_blocks series SEC(".maps");
struct counters_by_cpu counters SEC(".maps");
struct expiring_by_cpu expiring SEC(".maps");
struct life_events execs SEC(".maps");
struct life_events births SEC(".maps");
struct life_events renames SEC(".maps");
struct tellings_by_thread tellings SEC(".maps");

volatile struct taut_settings settings SEC(".data.settings");
const volatile struct taut_features features SEC(".rodata.features") = {.timers = 1, .slices = 1};

struct step {
	__u64 value;
	__u64 field;
};

enum field { SOFT, SLACK, WAKING, WAKEUP, OVERTAKEN };

#define STEP(name) SEC("syscall") int name(struct step *step)

static __always_inline struct task_struct *self(void)
{
	return (struct task_struct *)bpf_get_current_task_btf();
}

STEP(begin)
{
	begin_thread(self(), step->value, slack_of(self()));
	return 0;
}

STEP(begin_descendant)
{
	tell_descendant(self(), step->value, step->value);
	return 0;
}

STEP(end)
{
	struct thread_state *t = thread_of(self());

	if (t)
		let_go(t, self());
	return 0;
}

STEP(refuse)
{
	refused = step->value;
	return 0;
}

STEP(be_waking)
{
	waking(self());
	return 0;
}

STEP(be_wakeup)
{
	wakeup(self());
	return 0;
}

STEP(be_running)
{
	running(self());
	return 0;
}

/* Sets a timestamp relative to now (it may be in the past), or the slack. All are nanoseconds. */
STEP(set)
{
	struct thread_state *t = thread_of(self());
	__u64 at = bpf_ktime_get_ns() + step->value;

	if (!t)
		return 0;
	if (step->field == SOFT || step->field == OVERTAKEN) {
		t->from_timer = step->field == SOFT ? CAUSE_TIMER : CAUSE_OVERTAKEN;
		t->soft_ns = at;
	} else if (step->field == SLACK) {
		t->slack_ns = step->value;
	} else if (step->field == WAKING) {
		t->waking_ns = at;
	} else {
		t->wakeup_ns = at;
		t->preempted = self()->nivcsw;
	}
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
