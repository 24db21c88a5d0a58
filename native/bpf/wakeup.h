/* SPDX-License-Identifier: GPL-2.0-only */
/* The chain of one wakeup: timer expires -> sched_waking -> sched_wakeup -> running. */
#ifndef TAUT_WAKEUP_H
#define TAUT_WAKEUP_H

#include "histogram.h"
#include "settings.h"
#include "state.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

/* From here on clock bases expire in softirq, where an interrupt may wake threads beside the timer's handler. */
#define FIRST_SOFT_BASE 4 /* HRTIMER_BASE_MONOTONIC_SOFT */

/*
 * Runs for every timer of the host, so it only notes; whether the sleeper is an agent's thread is asked at sched_waking,
 * which the handler calls next on this CPU: of a timed wait (hrtimer_wakeup), a timerfd, an interval timer. The time is
 * our own reading in the timer's own clock: the tracepoint's `now` is from before the whole batch (and changed its type
 * in 7.1).
 */
SEC("tp_btf/hrtimer_expire_entry")
int BPF_PROG(on_timer_expire, struct hrtimer *timer)
{
	__u32 zero = 0;
	struct expiring *e = bpf_map_lookup_elem(&expiring, &zero);
	struct hrtimer_clock_base *base = timer->base;

	if (!e)
		return 0;
	e->timer = base->index < FIRST_SOFT_BASE ? (__u64)timer : 0;
	e->base = (__u64)base;
	e->soft_ns = timer->_softexpires - base->offset;
	e->slack_ns = timer->node.expires - timer->_softexpires;
	e->handler_ns = bpf_ktime_get_ns();
	return 0;
}

static __always_inline __u32 split_of(__u64 slack_ns, __u64 original_ns)
{
	if (slack_ns == 0)
		return TAUT_NONE;
	if (slack_ns > original_ns)
		return TAUT_BEYOND;
	return slack_ns < original_ns ? TAUT_REACHABLE_TUNED : TAUT_REACHABLE;
}

static __always_inline void record_timer(struct thread_state *t, struct expiring *e)
{
	struct taut_agent_series *s = series_of(t);
	__s64 late = e->handler_ns - e->soft_ns;

	count(TAUT_COUNT_timer_seen);
	if (!s) {
		count(TAUT_COUNT_discard_timer_no_series);
		return;
	}
	if (late < 0) {
		count(TAUT_COUNT_discard_timer_negative);
		return;
	}
	__u64 use = late < e->slack_ns ? late : e->slack_ns;
	__u32 split = t->split;
	if (split >= TAUT_TIMER_SPLITS || !histogram_record(&s->histogram[TAUT_LATENESS + split], late)) {
		count(TAUT_COUNT_discard_timer_out_of_range);
		return;
	}
	if (!is_detail_shed(t)) {
		histogram_record(&s->histogram[TAUT_SLACK_USE + split], use);
		histogram_record(&s->histogram[TAUT_OVERRUN + split], late - use);
	}
	count(TAUT_COUNT_timer_recorded);
}

/* Whether this very CPU is inside the handler that it noted: then it is what wakes the thread. */
static __always_inline struct expiring *running_timer(void)
{
	__u32 zero = 0;

	if (!features.timers)
		return 0;
	struct expiring *e = bpf_map_lookup_elem(&expiring, &zero);
	if (!e || !e->timer)
		return 0;
	struct hrtimer_clock_base *base = (void *)e->base;
	if ((__u64)BPF_CORE_READ(base, running) != e->timer)
		return 0;
	return e;
}

/*
 * A thread wakes once for each time that it went to sleep, so a wakeup for which no program was run shows at the next
 * one, or when the thread is let go. That happens: a program does not nest in itself, and there are kernels that run
 * none in the context of processes that they protect. `asleep`: the last sleep's wakeup is still to come, or this one.
 */
static __always_inline void count_unseen(struct thread_state *t, struct task_struct *task, bool asleep)
{
	__s64 unseen = task->nvcsw - t->sleeps - asleep;

	t->sleeps = task->nvcsw;
	if (unseen <= 0)
		return;
	count_n(TAUT_COUNT_wakeup_seen, unseen);
	count_n(TAUT_COUNT_discard_unseen, unseen);
}

static __always_inline bool is_asleep(struct task_struct *task)
{
	struct task_struct___before_5_14 *old = (void *)task;

	if (bpf_core_field_exists(task->__state))
		return task->__state != 0;
	return BPF_CORE_READ(old, state) != 0;
}

/*
 * A wakeup that is on its way is counted once: by whoever takes its stamp, the thread's CPU or the one that lets the
 * thread go. That one clears the slot before it takes the stamp, we set the stamp before we read the slot: one of the
 * two sees the other.
 */
static __always_inline __u64 take_wakeup(struct thread_state *t)
{
	return __sync_lock_test_and_set(&t->waking_ns, 0);
}

static __always_inline void stamp_wakeup(struct thread_state *t, __u64 now)
{
	if (__sync_lock_test_and_set(&t->waking_ns, now))
		count(TAUT_COUNT_discard_restamped);
	if (!*(volatile __u32 *)&t->slot && take_wakeup(t))
		count(TAUT_COUNT_discard_detached);
}

/* What was left of an earlier wakeup goes, too: no stamp is there when the thread runs. */
static __always_inline void leave_out(struct thread_state *t)
{
	if (take_wakeup(t))
		count(TAUT_COUNT_discard_restamped);
	count(TAUT_COUNT_discard_sampled);
}

static __always_inline void let_go(struct thread_state *t, struct task_struct *task)
{
	__sync_lock_test_and_set(&t->slot, 0);
	if (take_wakeup(t))
		count(TAUT_COUNT_discard_detached);
	bpf_task_storage_delete(&threads, task);
}

SEC("tp_btf/sched_waking")
int BPF_PROG(on_waking, struct task_struct *task)
{
	struct thread_state *t = thread_of(task);

	if (!t)
		return 0;
	count(TAUT_COUNT_wakeup_seen);
	count_unseen(t, task, true);
	if (is_sampled_out(t)) {
		leave_out(t);
		return 0;
	}
	struct expiring *e = running_timer();
	t->from_timer = e != 0;
	if (e) {
		t->soft_ns = e->soft_ns;
		t->split = split_of(e->slack_ns, t->original_ns);
		record_timer(t, e);
	}
	t->wakeup_ns = 0;
	stamp_wakeup(t, bpf_ktime_get_ns());
	return 0;
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(on_wakeup, struct task_struct *task)
{
	struct thread_state *t = thread_of(task);

	if (!t)
		return 0;
	if (t->sampled_out)
		return 0;
	if (!t->waking_ns) { /* attached in between */
		count(TAUT_COUNT_wakeup_seen);
		count(TAUT_COUNT_discard_no_waking);
		return 0;
	}
	if (task->on_cpu) { /* woken before it had gone to sleep: no wait, and no sched_switch will follow */
		if (take_wakeup(t))
			count(TAUT_COUNT_discard_on_cpu);
		return 0;
	}
	t->wakeup_ns = bpf_ktime_get_ns();
	return 0;
}

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(on_wakeup_new, struct task_struct *task)
{
	struct thread_state *t = thread_of(task);

	if (!t)
		return 0;
	count(TAUT_COUNT_wakeup_seen);
	if (is_sampled_out(t)) {
		leave_out(t);
		return 0;
	}
	t->from_timer = 0;
	t->wakeup_ns = bpf_ktime_get_ns();
	stamp_wakeup(t, t->wakeup_ns);
	return 0;
}

static __always_inline void record_wakeup(struct thread_state *t, struct task_struct *task, __u64 waking_ns)
{
	__u64 now = bpf_ktime_get_ns();
	__s64 queue = now - t->wakeup_ns;
	__s64 latency = now - (t->from_timer ? t->soft_ns : waking_ns);
	struct taut_agent_series *s = series_of(t);
	__u32 split = t->split & 3, whole, part;

	if (!t->wakeup_ns) {
		count(TAUT_COUNT_discard_no_wakeup);
		return;
	}
	if (!s) {
		count(TAUT_COUNT_discard_no_series);
		return;
	}
	if (queue < 0 || latency < queue) {
		count(TAUT_COUNT_discard_negative);
		return;
	}
	if (t->from_timer) {
		whole = split;
		part = split == TAUT_REACHABLE_TUNED;
	} else {
		part = task->timer_slack_ns < t->original_ns;
		whole = TAUT_TIMER_SPLITS + part;
		part += 2;
	}
	/* The whole is the larger: if it is in range, so is its part, and both or neither are counted. */
	if ((!is_detail_shed(t) && !histogram_record(&s->histogram[TAUT_LATENCY + whole], latency)) ||
	    !histogram_record(&s->histogram[TAUT_RUN_QUEUE + part], queue)) {
		count(TAUT_COUNT_discard_out_of_range);
		return;
	}
	count(TAUT_COUNT_wakeup_recorded);
}

/*
 * A thread that comes back after a preemption has no stamp and is no wakeup; stamps of a thread that never left its
 * CPU were dropped at sched_wakeup. So the previous thread, and its state, need no look at all.
 */
SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct thread_state *t = thread_of(next);

	if (!t || !t->waking_ns)
		return 0;
	__u64 waking_ns = take_wakeup(t);
	if (waking_ns)
		record_wakeup(t, next, waking_ns);
	return 0;
}

#endif
