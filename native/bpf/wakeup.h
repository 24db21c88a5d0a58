/* SPDX-License-Identifier: GPL-2.0-only */
/* The chain of one wakeup: timer expires -> sched_waking -> sched_wakeup -> running. */
#ifndef TAUT_WAKEUP_H
#define TAUT_WAKEUP_H

#include "histogram.h"
#include "state.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

/* The handler of every timed wait: nanosleep, futex, poll, epoll, select, sigtimedwait. */
extern const void hrtimer_wakeup __ksym;

/*
 * Runs for every timer of the host, so it only notes; whether the sleeper is an agent's thread is asked at sched_waking,
 * which the handler calls next on this CPU. The time is our own reading in the timer's own clock: the tracepoint's `now`
 * is from before the whole batch (and changed its type in 7.1).
 */
SEC("tp_btf/hrtimer_expire_entry")
int BPF_PROG(on_timer_expire, struct hrtimer *timer)
{
	__u32 zero = 0;
	struct expiring *e;

	if (timer->function != &hrtimer_wakeup)
		return 0;
	e = bpf_map_lookup_elem(&expiring, &zero);
	if (!e)
		return 0;
	struct hrtimer_clock_base *base = timer->base;
	e->timer = (__u64)timer;
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
	histogram_record(&s->histogram[TAUT_SLACK_USE + split], use);
	histogram_record(&s->histogram[TAUT_OVERRUN + split], late - use);
	count(TAUT_COUNT_timer_recorded);
}

/* Whether this very CPU is inside the handler that it noted: then it is what wakes the thread. */
static __always_inline struct expiring *running_timer(void)
{
	__u32 zero = 0;
	struct expiring *e = bpf_map_lookup_elem(&expiring, &zero);

	if (!e || !e->timer)
		return 0;
	struct hrtimer_clock_base *base = (void *)e->base;
	if ((__u64)BPF_CORE_READ(base, running) != e->timer)
		return 0;
	return e;
}

SEC("tp_btf/sched_waking")
int BPF_PROG(on_waking, struct task_struct *task)
{
	struct thread_state *t = thread_of(task);

	if (!t)
		return 0;
	count(TAUT_COUNT_wakeup_seen);
	if (t->waking_ns)
		count(TAUT_COUNT_discard_restamped);
	struct expiring *e = running_timer();
	t->from_timer = e != 0;
	if (e) {
		t->soft_ns = e->soft_ns;
		t->split = split_of(e->slack_ns, t->original_ns);
		record_timer(t, e);
		e->timer = 0;
	}
	t->wakeup_ns = 0;
	t->waking_ns = bpf_ktime_get_ns();
	return 0;
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(on_wakeup, struct task_struct *task)
{
	struct thread_state *t = thread_of(task);

	if (!t)
		return 0;
	if (!t->waking_ns) { /* attached in between */
		count(TAUT_COUNT_wakeup_seen);
		count(TAUT_COUNT_discard_no_waking);
		return 0;
	}
	if (task->on_cpu) { /* woken before it had gone to sleep: no wait, and no sched_switch will follow */
		count(TAUT_COUNT_discard_on_cpu);
		t->waking_ns = 0;
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
	t->from_timer = 0;
	t->waking_ns = t->wakeup_ns = bpf_ktime_get_ns();
	return 0;
}

static __always_inline void record_wakeup(struct thread_state *t, struct task_struct *task)
{
	__u64 now = bpf_ktime_get_ns();
	__s64 queue = now - t->wakeup_ns;
	__s64 latency = now - (t->from_timer ? t->soft_ns : t->waking_ns);
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
	if (!histogram_record(&s->histogram[TAUT_LATENCY + whole], latency)) {
		count(TAUT_COUNT_discard_out_of_range);
		return;
	}
	histogram_record(&s->histogram[TAUT_RUN_QUEUE + part], queue);
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
	record_wakeup(t, next);
	t->waking_ns = 0;
	return 0;
}

#endif
