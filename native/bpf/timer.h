/* SPDX-License-Identifier: GPL-2.0-only */
/* The timer whose handler runs on this CPU: it caused the wakeups that the handler makes. */
#ifndef TAUT_TIMER_H
#define TAUT_TIMER_H

#include "kernel.h"
#include "settings.h"
#include "taut.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* Clock bases from this index on expire in softirq, where an interrupt may wake threads during the timer's handler. */
#define FIRST_SOFT_BASE 4 /* HRTIMER_BASE_MONOTONIC_SOFT */

struct expiring {
	__u64 timer; /* 0: no timer that may wake a thread */
	__u64 base;
	__u64 soft_ns;
	__u64 slack_ns;
	__u32 clock; /* its base's index: 0 is CLOCK_MONOTONIC, which nobody sets */
};

struct expiring_by_cpu {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct expiring);
};
extern struct expiring_by_cpu expiring SEC(".maps");

/*
 * Runs for every timer of the host, so it only takes notes. Whether the sleeper is an agent's thread is checked at
 * sched_waking, which the handler (of a timed wait, a timerfd or an interval timer) reaches next on this CPU. The time
 * is read there: reading the clock takes longer than all of this. The fields are read here, as they take two
 * nanoseconds each; at sched_waking, where the timer's type is not known to the verifier, they would take twenty.
 */
static __always_inline void timer_expires(struct hrtimer *timer)
{
	__u32 zero = 0;
	struct expiring *e = bpf_map_lookup_elem(&expiring, &zero);
	struct hrtimer_clock_base *base = timer->base;

	if (!e)
		return;
	e->clock = base->index;
	e->timer = base->index < FIRST_SOFT_BASE ? (__u64)timer : 0;
	e->base = (__u64)base;
	e->soft_ns = timer->_softexpires - base->offset;
	e->slack_ns = timer->node.expires - timer->_softexpires;
}

/*
 * The noted timer if its handler still runs on this CPU: then this timer wakes the thread. Forgets the timer when its
 * handler has ended, so that the check is made once and not at every wakeup until the next timer. A timer that
 * interrupted the handler has ended by then, too.
 */
static __always_inline struct expiring *running_timer(void)
{
	__u32 zero = 0;

	if (!features.timers)
		return 0;
	struct expiring *e = bpf_map_lookup_elem(&expiring, &zero);
	if (!e || !e->timer)
		return 0;
	struct hrtimer_clock_base *base = (void *)e->base;
	if ((__u64)BPF_CORE_READ(base, running) != e->timer) {
		e->timer = 0;
		return 0;
	}
	return e;
}

/* When a clock was set last, as the first timer of an agent after that showed. */
static volatile struct {
	__u64 at_ns; /* CLOCK_MONOTONIC; 0: not while the programs run */
	__u32 seq;   /* the kernel's count; 0: no timer has told */
} clock_set;

/* A processor that has not noticed yet has a lower count. */
static __always_inline void note_clocks(struct hrtimer_clock_base *base)
{
	__u32 seq = BPF_CORE_READ(base, cpu_base, clock_was_set_seq), known = clock_set.seq;

	if ((__s32)(seq - known) <= 0)
		return;
	if (known)
		clock_set.at_ns = bpf_ktime_get_ns();
	clock_set.seq = seq;
}

/*
 * Whether a clock was set past the timer's time, so that it was late the moment it expired: by as much as the clock was
 * set, which is no lateness of a wakeup. For this nobody has to know when the timer was started. The first timer of an
 * agent on a clock that was set counts as well if it was due by then: once for each time that a clock is set.
 */
static __always_inline bool is_overtaken(struct expiring *e)
{
	/* The clock that nobody sets only tells the kernel's first count. */
	if (!bpf_core_field_exists(struct hrtimer_cpu_base, clock_was_set_seq) || (!e->clock && clock_set.seq))
		return false;
	note_clocks((void *)e->base);
	/* Signed: the time may be before the machine's start. */
	return e->clock && (__s64)e->soft_ns < (__s64)clock_set.at_ns;
}

#endif
