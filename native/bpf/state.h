/* SPDX-License-Identifier: GPL-2.0-only */
/* All state of the tracer: per thread, per agent, per CPU. The including file defines the maps. */
#ifndef TAUT_STATE_H
#define TAUT_STATE_H

#include "budget.h"
#include "kernel.h"
#include "taut.h"
#include <bpf/bpf_helpers.h>

/* OVERTAKEN: a timer whose clock was set past its time. */
enum cause { CAUSE_OTHER, CAUSE_TIMER, CAUSE_OVERTAKEN };

/* One wakeup in progress, from its cause to running. Freed with the thread. */
struct thread_state {
	__u32 slot;        /* its agent's; 0 while it is being attached, and once it is let go */
	__u32 from_timer;  /* the wakeup in progress was caused by a timer: enum cause */
	__u32 sampled_out; /* the wakeup in progress is not recorded */
	__u64 original_ns; /* its slack before taut */
	__u64 soft_ns;     /* that timer's soft expiry, CLOCK_MONOTONIC */
	__u64 slack_ns;    /* that timer's slack: hard - soft expiry */
	__u64 waking_ns;   /* start of hand-over: sched_waking. 0: no wakeup in progress */
	__u64 wakeup_ns;   /* 0: not yet runnable */
	__u64 sleeps;      /* nvcsw at the last seen wakeup */
	__u64 preempted;   /* nivcsw when it became runnable */
};

struct thread_states {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct thread_state);
};
extern struct thread_states threads SEC(".maps");

/* The agent that a non-agent process descends from: the process may have inherited the agent's value. */
struct descendant_marks {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u32);
};
extern struct descendant_marks descendants SEC(".maps");

/* The agents' slots by process id, for threads whose maker has no tracer state yet. */
struct agent_slots {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, TAUT_MAX_PROCESSES);
	__type(key, __u32);
	__type(value, __u32);
};
extern struct agent_slots agents SEC(".maps");

struct series_block {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, TAUT_BLOCK_AGENTS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct taut_agent_series));
};

/* Slot -> the agent's histograms: in blocks, which are there while one of their slots is in use. */
struct series_blocks {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, TAUT_BLOCKS);
	__type(key, __u32);
	__array(values, struct series_block);
};
extern struct series_blocks series SEC(".maps");

/* One entry for each processor. */
struct counters_by_cpu {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* user space sets the number of possible processors before it loads the map */
	__type(key, __u32);
	__type(value, struct taut_counters);
};
extern struct counters_by_cpu counters SEC(".maps");

struct visit_control {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct taut_control);
};
extern struct visit_control control SEC(".maps");

#define EVENTS_BYTES (1 << 20)

/* One ring buffer for each kind of events, so that many of one kind leave room for the others. */
struct life_events {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, EVENTS_BYTES);
};
extern struct life_events execs SEC(".maps");
extern struct life_events births SEC(".maps"); /* and ends: of agents' threads and descendants */
extern struct life_events renames SEC(".maps");

enum owed { OWED_EXEC = 1, OWED_BIRTH = 2, OWED_RENAME = 4 };

/* What user space is still to be told of a thread, and how often it may be told. */
struct telling {
	__u32 owed;  /* bits of enum owed: there was no room */
	__u32 was;   /* for an exec: the thread's id before it */
	__u32 born;  /* the kind of the event of its birth */
	__u32 agent; /* and the agent and the maker that the event names */
	__u32 maker;
	__u32 held;        /* renames since the last event that had none of their own */
	__u64 promised_ns; /* user space looks at its name after this time */
	struct budget renames;
};

/* Created when there is something to remember, freed with the thread. */
struct tellings_by_thread {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct telling);
};
extern struct tellings_by_thread tellings SEC(".maps");

/* Buffer for an exec event, whose size is not constant. */
struct exec_room_by_cpu {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct taut_exec);
};
extern struct exec_room_by_cpu exec_room SEC(".maps");

/* Atomic although per CPU: programs in an interrupt count, too, and may interrupt this one. */
static __always_inline void count(__u32 counter)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct taut_counters *own = bpf_map_lookup_elem(&counters, &cpu);

	if (own)
		__sync_fetch_and_add(&own->counter[counter], 1);
}

/*
 * Counts the outcome of n wakeups: first as seen, then by outcome, on one processor. This order lets a reader that
 * reads the outcomes first detect an incomplete count (native/addon/counters.cc).
 */
static __always_inline void decide(__u32 outcome, __u64 n)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct taut_counters *own = bpf_map_lookup_elem(&counters, &cpu);

	if (!own)
		return;
	/* An addition whose result nobody uses fetches nothing, and arm64 does not order that with the next one. */
	__u64 seen = __sync_fetch_and_add(&own->counter[TAUT_COUNT_wakeup_seen], n);
	asm volatile("" : : "r"(seen));
	__sync_fetch_and_add(&own->counter[outcome], n);
}

static __always_inline struct thread_state *thread_of(struct task_struct *task)
{
	return bpf_task_storage_get(&threads, task, 0, 0);
}

#endif
