/* SPDX-License-Identifier: GPL-2.0-only */
/* Records or discards one wakeup with all of its parts, so that the sums of the parts add up. */
#ifndef TAUT_RECORD_H
#define TAUT_RECORD_H

#include "histogram.h"
#include "settings.h"
#include "state.h"

static __always_inline struct taut_agent_series *series_of(__u32 slot)
{
	__u32 block = (slot - 1) / TAUT_BLOCK_AGENTS, at = (slot - 1) % TAUT_BLOCK_AGENTS;
	void *inner = bpf_map_lookup_elem(&series, &block);

	return inner ? bpf_map_lookup_elem(inner, &at) : 0;
}

static __always_inline __u32 split_of(__u64 slack_ns, __u64 original_ns)
{
	if (slack_ns == 0)
		return TAUT_BY_SLACK_NONE;
	if (slack_ns > original_ns)
		return TAUT_BY_SLACK_BEYOND;
	return slack_ns < original_ns ? TAUT_BY_SLACK_REACHABLE_TUNED : TAUT_BY_SLACK_REACHABLE;
}

/* The timestamps of one wakeup, all of CLOCK_MONOTONIC. */
struct instants {
	__u64 soft_ns; /* the timer's soft expiry; without a timer the same as waking_ns */
	__u64 waking_ns;
	__u64 wakeup_ns;
	__u64 running_ns;
};

/*
 * The latency is the largest value: if it is in range, so are its parts. So all parts are counted, or none.
 * @return the outcome: enum taut_counter.
 */
static __always_inline __u32 record(struct taut_agent_series *s, struct thread_state *t, struct instants *i, bool tuned,
				    bool own_slice)
{
	__s64 late = i->waking_ns - i->soft_ns, hand_over = i->wakeup_ns - i->waking_ns;
	__s64 queue = i->running_ns - i->wakeup_ns;

	if (!s)
		return TAUT_COUNT_discard_no_series;
	if (late < 0 || hand_over < 0 || queue < 0)
		return TAUT_COUNT_discard_negative;
	__u64 latency = late + hand_over + queue;
	bool shed = is_detail_shed(t);
	__u32 latency_at = own_slice ? TAUT_SLICE_LATENCY : TAUT_LATENCY;
	__u32 queue_at = own_slice ? TAUT_SLICE_RUN_QUEUE : TAUT_RUN_QUEUE;
	if (shed && latency > bound_ns[TAUT_BUCKETS])
		return TAUT_COUNT_discard_out_of_range;
	if (!t->from_timer) {
		if (!shed && !histogram_record(&s->histogram[latency_at + TAUT_BY_SOURCE_AND_SLACK_OTHER + tuned], latency))
			return TAUT_COUNT_discard_out_of_range;
		if (!shed)
			histogram_record(&s->histogram[TAUT_HAND_OVER + TAUT_BY_SOURCE_OTHER], hand_over);
		histogram_record(&s->histogram[queue_at + TAUT_BY_SOURCE_AND_TUNED_OTHER + tuned], queue);
		return TAUT_COUNT_wakeup_recorded;
	}
	__u64 use = late < t->slack_ns ? late : t->slack_ns;
	__u32 split = split_of(t->slack_ns, t->original_ns);
	if (!shed && !histogram_record(&s->histogram[latency_at + split], latency))
		return TAUT_COUNT_discard_out_of_range;
	histogram_record(&s->histogram[TAUT_LATENESS + split], late);
	if (!shed) {
		histogram_record(&s->histogram[TAUT_SLACK_USE + split], use);
		histogram_record(&s->histogram[TAUT_OVERRUN + split], late - use);
		histogram_record(&s->histogram[TAUT_HAND_OVER + TAUT_BY_SOURCE_TIMER], hand_over);
	}
	histogram_record(&s->histogram[queue_at + (split == TAUT_BY_SLACK_REACHABLE_TUNED)], queue);
	return TAUT_COUNT_wakeup_recorded;
}

#endif
