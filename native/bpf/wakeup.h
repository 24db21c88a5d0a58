/* SPDX-License-Identifier: GPL-2.0-only */
/* The chain of one wakeup: timer expires -> sched_waking -> sched_wakeup -> running. */
#ifndef TAUT_WAKEUP_H
#define TAUT_WAKEUP_H

#include "record.h"
#include "settings.h"
#include "state.h"
#include "timer.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/*
 * Counts wakeups for which the kernel ran no program. A thread wakes once for each sleep, so the number of sleeps shows
 * the missed wakeups, at the next wakeup or when the thread is let go. Wakeups are missed because a program does not
 * nest in itself, and because some kernels run no program in the context of processes that they protect. `asleep`: the
 * wakeup of the last sleep is still to come, or is the present one.
 */
static __always_inline void count_unseen(struct thread_state *t, struct task_struct *task, bool asleep)
{
	__s64 unseen = task->nvcsw - t->sleeps - asleep;

	t->sleeps = task->nvcsw;
	if (unseen > 0)
		decide(TAUT_COUNT_discard_unseen, unseen);
}

static __always_inline bool is_asleep(struct task_struct *task)
{
	struct task_struct___before_5_14 *old = (void *)task;

	if (bpf_core_field_exists(task->__state))
		return task->__state != 0;
	return BPF_CORE_READ(old, state) != 0;
}

/*
 * A wakeup in progress is counted exactly once, by the CPU that takes its stamp: the thread's CPU, or the CPU that lets
 * the thread go. The latter clears the slot before it takes the stamp, and stamp_wakeup sets the stamp before it reads
 * the slot: so at least one of them sees the other.
 */
static __always_inline __u64 take_wakeup(struct thread_state *t)
{
	return __sync_lock_test_and_set(&t->waking_ns, 0);
}

static __always_inline void stamp_wakeup(struct thread_state *t, __u64 now)
{
	if (__sync_lock_test_and_set(&t->waking_ns, now))
		decide(TAUT_COUNT_discard_restamped, 1);
	if (!*(volatile __u32 *)&t->slot && take_wakeup(t))
		decide(TAUT_COUNT_discard_detached, 1);
}

/* Leaves out a wakeup, and discards the stamp of an earlier one: so there is no stamp when the thread runs. */
static __always_inline void leave_out(struct thread_state *t)
{
	t->wakeup_ns = 0;
	if (take_wakeup(t))
		decide(TAUT_COUNT_discard_restamped, 1);
	decide(TAUT_COUNT_discard_sampled, 1);
}

static __always_inline void let_go(struct thread_state *t, struct task_struct *task)
{
	__sync_lock_test_and_set(&t->slot, 0);
	if (take_wakeup(t))
		decide(TAUT_COUNT_discard_detached, 1);
	bpf_task_storage_delete(&threads, task);
}

static __always_inline void waking(struct task_struct *task)
{
	struct thread_state *t = thread_of(task);

	if (!t)
		return;
	count_unseen(t, task, true);
	if (is_sampled_out(t)) {
		leave_out(t);
		return;
	}
	struct expiring *e = running_timer();
	t->wakeup_ns = 0;
	t->from_timer = CAUSE_OTHER;
	if (e) {
		t->from_timer = is_overtaken(e) ? CAUSE_OVERTAKEN : CAUSE_TIMER;
		t->soft_ns = e->soft_ns;
		t->slack_ns = e->slack_ns;
	}
	/* Not the tracepoint's `now`: that was read before the whole batch of timers (and changed its type in 7.1). */
	stamp_wakeup(t, bpf_ktime_get_ns());
}

static __always_inline void wakeup(struct task_struct *task)
{
	struct thread_state *t = thread_of(task);

	if (!t || t->sampled_out)
		return;
	if (!t->waking_ns) { /* attached after sched_waking, or the kernel ran no program at sched_waking */
		count_unseen(t, task, true);
		decide(TAUT_COUNT_discard_no_waking, 1);
	} else if (BPF_CORE_READ_BITFIELD(task, on_cpu)) { /* reads any field width: it changed in 7.3 */
		/* Woken before it had gone to sleep: it did not wait, and no sched_switch will follow. */
		if (take_wakeup(t))
			decide(TAUT_COUNT_discard_on_cpu, 1);
	} else {
		t->preempted = task->nivcsw;
		t->wakeup_ns = bpf_ktime_get_ns();
	}
}

static __always_inline void first_wakeup(struct task_struct *task)
{
	struct thread_state *t = thread_of(task);

	if (!t)
		return;
	if (is_sampled_out(t)) {
		leave_out(t);
		return;
	}
	t->from_timer = CAUSE_OTHER;
	t->preempted = task->nivcsw;
	t->wakeup_ns = bpf_ktime_get_ns();
	stamp_wakeup(t, t->wakeup_ns);
}

static __always_inline bool knows_slices(struct task_struct *task)
{
	return features.slices && bpf_core_field_exists(task->se.custom_slice);
}

/* Whether somebody has set the thread's slice: it may be as long as the kernel's default all the same. */
static __always_inline bool has_own_slice(struct task_struct *task)
{
	return knows_slices(task) && BPF_CORE_READ_BITFIELD(task, se.custom_slice);
}

/* Records or discards a wakeup whose thread runs now. */
static __always_inline void end_wakeup(struct thread_state *t, struct task_struct *task)
{
	__u32 slot = t->slot;
	struct instants i = {.wakeup_ns = t->wakeup_ns};

	i.waking_ns = take_wakeup(t);
	t->wakeup_ns = 0;
	if (!i.waking_ns)
		return;
	i.soft_ns = t->from_timer ? t->soft_ns : i.waking_ns;
	i.running_ns = bpf_ktime_get_ns();
	/* A real-time thread's slack of 0 does not mean that it is tuned. */
	bool tuned = task->timer_slack_ns && task->timer_slack_ns < t->original_ns;
	bool own_slice = has_own_slice(task);
	if (!slot)
		decide(TAUT_COUNT_discard_detached, 1);
	else if (task->nivcsw != t->preempted) /* it ran before without a program: the time of that switch is unknown */
		decide(TAUT_COUNT_discard_no_switch, 1);
	else if (t->from_timer == CAUSE_OVERTAKEN)
		decide(TAUT_COUNT_discard_clock_set, 1);
	else
		decide(record(series_of(slot), t, &i, tuned, own_slice), 1);
}

/*
 * The thread runs now. If it returns after a preemption, it has no `wakeup_ns`, also while its next wakeup is between
 * sched_waking and sched_wakeup: this is no wakeup. The stamp of a thread that never left its CPU was dropped at
 * sched_wakeup. So the previous thread and its state need no check.
 */
static __always_inline void running(struct task_struct *task)
{
	struct thread_state *t = thread_of(task);

	if (t && t->wakeup_ns)
		end_wakeup(t, task);
}

#endif
