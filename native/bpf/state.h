/* SPDX-License-Identifier: GPL-2.0-only */
/* Everything that the programs remember: per thread, per agent, per CPU. */
#ifndef TAUT_STATE_H
#define TAUT_STATE_H

#include "kernel.h"
#include "taut.h"
#include <bpf/bpf_helpers.h>

/* One wakeup on its way, from sched_waking to running. Dies with the thread. */
struct thread_state {
	__u32 slot;       /* its agent's; 0 while it is being attached */
	__u32 from_timer; /* the wakeup on its way was caused by a timer */
	__u32 split;      /* of that timer: enum taut_split */
	__u64 original_ns;
	__u64 soft_ns;    /* of that timer, CLOCK_MONOTONIC */
	__u64 waking_ns;  /* 0: no wakeup on its way */
	__u64 wakeup_ns;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct thread_state);
} threads SEC(".maps");

/* Agents by process, for threads that are born before their maker was attached. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, TAUT_MAX_AGENTS);
	__type(key, __u32);
	__type(value, __u32);
} agents SEC(".maps");

struct agent_series_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct taut_agent_series));
};

/* Slot -> the agent's histograms: allocated at attach, freed at detach. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, TAUT_MAX_AGENTS + 1);
	__type(key, __u32);
	__array(values, struct agent_series_map);
} series SEC(".maps");

/* The timer whose handler this CPU runs, if it wakes a thread. */
struct expiring {
	__u64 timer;
	__u64 base;
	__u64 soft_ns;
	__u64 slack_ns;
	__u64 handler_ns;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct expiring);
} expiring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TAUT_COUNTER_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct taut_control);
} control SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} events SEC(".maps");

static __always_inline void count(__u32 counter)
{
	__u64 *n = bpf_map_lookup_elem(&counters, &counter);

	if (n)
		(*n)++;
}

static __always_inline struct thread_state *thread_of(struct task_struct *task)
{
	return bpf_task_storage_get(&threads, task, 0, 0);
}

static __always_inline struct taut_agent_series *series_of(struct thread_state *t)
{
	__u32 slot = t->slot, zero = 0;
	void *inner = bpf_map_lookup_elem(&series, &slot);

	return inner ? bpf_map_lookup_elem(inner, &zero) : 0;
}

#endif
