/* SPDX-License-Identifier: GPL-2.0-only */
/* Everything that the programs remember: per thread, per agent, per CPU. */
#ifndef TAUT_STATE_H
#define TAUT_STATE_H

#include "kernel.h"
#include "taut.h"
#include <bpf/bpf_helpers.h>

/* One wakeup on its way, from sched_waking to running. Dies with the thread. */
struct thread_state {
	__u32 slot;       /* its agent's; 0 while it is being attached, and once it is let go */
	__u32 from_timer; /* the wakeup on its way was caused by a timer */
	__u32 split;      /* of that timer: enum taut_split */
	__u32 sampled_out; /* the wakeup on its way is not recorded */
	__u64 original_ns;
	__u64 soft_ns;    /* of that timer, CLOCK_MONOTONIC */
	__u64 waking_ns;  /* 0: no wakeup on its way */
	__u64 wakeup_ns;
	__u64 sleeps;     /* nvcsw at the last wakeup that was seen */
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct thread_state);
} threads SEC(".maps");

/* Which agent a process descends from, that is none itself: who may have inherited what an agent was given. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u32);
} descendants SEC(".maps");

/* Agents by process, for threads that are born before their maker was attached. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, TAUT_MAX_AGENTS);
	__type(key, __u32);
	__type(value, __u32);
} agents SEC(".maps");

struct series_block {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, TAUT_BLOCK_AGENTS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct taut_agent_series));
};

/* Slot -> the agent's histograms: in blocks, made as they are needed and kept. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, TAUT_MAX_AGENTS / TAUT_BLOCK_AGENTS);
	__type(key, __u32);
	__array(values, struct series_block);
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

/* Atomic although per CPU: an interrupt's programs count, too, and may come in between. */
static __always_inline void count_n(__u32 counter, __u64 n)
{
	__u64 *value = bpf_map_lookup_elem(&counters, &counter);

	if (value)
		__sync_fetch_and_add(value, n);
}

static __always_inline void count(__u32 counter)
{
	count_n(counter, 1);
}

static __always_inline struct thread_state *thread_of(struct task_struct *task)
{
	return bpf_task_storage_get(&threads, task, 0, 0);
}

static __always_inline struct taut_agent_series *series_of(struct thread_state *t)
{
	__u32 slot = t->slot - 1;
	__u32 block = slot / TAUT_BLOCK_AGENTS, at = slot % TAUT_BLOCK_AGENTS;
	void *inner = bpf_map_lookup_elem(&series, &block);

	return inner ? bpf_map_lookup_elem(inner, &at) : 0;
}

#endif
