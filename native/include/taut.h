/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The data that the BPF programs and the addon share. Both include this file, so there is one layout.
 * The BPF object is GPL-licensed at load time (`char LICENSE[]`), because the helpers that it calls require that.
 */
#ifndef TAUT_H
#define TAUT_H

#ifdef __bpf__
#include <linux/types.h>
typedef __u64 taut_u64;
typedef __u32 taut_u32;
#define TAUT_ASSERT _Static_assert
#else
#include <cstdint>
typedef uint64_t taut_u64;
typedef uint32_t taut_u32;
#define TAUT_ASSERT static_assert
#endif

/* Exponential histogram of durations, in seconds: bucket i holds (base^i, base^(i+1)], base = 2^(1/8). */
#define TAUT_SCALE 3
#define TAUT_BUCKET_MIN (-240) /* holds 1 ns */
#define TAUT_BUCKETS 321       /* the last, 80, holds 2^40 ns (18 minutes); longer is discarded as out_of_range */

struct taut_histogram {
	taut_u64 zero; /* values of exactly 0 ns */
	taut_u64 sum;  /* ns */
	taut_u64 min;  /* ns + 1; 0: the histogram is empty */
	taut_u64 max;  /* ns */
	taut_u64 buckets[TAUT_BUCKETS];
};

/* The kind of a timer's slack: compares the slack in force, read from the timer, with the thread's original. */
enum taut_split {
	TAUT_REACHABLE,       /* slack = original: not tuned */
	TAUT_REACHABLE_TUNED, /* 0 < slack < original */
	TAUT_BEYOND,          /* slack > original: scaled with a long timeout */
	TAUT_NONE,            /* slack = 0: timerfd, real-time threads */
	TAUT_TIMER_SPLITS,
};

/* Indexes of the histograms: each name is the first of a group, and its splits follow. */
enum taut_series {
	TAUT_LATENESS = 0,                                  /* + taut_split */
	TAUT_SLACK_USE = TAUT_LATENESS + TAUT_TIMER_SPLITS, /* + taut_split */
	TAUT_OVERRUN = TAUT_SLACK_USE + TAUT_TIMER_SPLITS,  /* + taut_split */
	TAUT_LATENCY = TAUT_OVERRUN + TAUT_TIMER_SPLITS,    /* + taut_split, or + 4 other, + 5 other tuned */
	TAUT_RUN_QUEUE = TAUT_LATENCY + TAUT_TIMER_SPLITS + 2, /* timer, timer tuned, other, other tuned */
	TAUT_HAND_OVER = TAUT_RUN_QUEUE + 4,                /* timer, other: a split by tuned would go beyond 64 KiB */
	TAUT_SERIES = TAUT_HAND_OVER + 2,
};

struct taut_agent_series {
	struct taut_histogram histogram[TAUT_SERIES];
};
TAUT_ASSERT(sizeof(struct taut_agent_series) == 24 * (4 + 321) * 8, "62,400 bytes an agent, on both sides");
TAUT_ASSERT(sizeof(struct taut_agent_series) <= 64 * 1024, "no more than 64 KiB an agent");

/*
 * Every wakeup is counted as seen, and as recorded with all of its parts or as discarded for one of these reasons. It
 * is counted when its outcome is known; a wakeup in progress is in no counter. The order is `wakeup_seen`, the outcomes
 * of wakeups, other losses.
 */
#define TAUT_COUNTERS(X)      \
	X(wakeup_seen)        \
	X(wakeup_recorded)    \
	X(discard_on_cpu)     \
	X(discard_restamped)  \
	X(discard_no_waking)  \
	X(discard_no_switch)  \
	X(discard_negative)   \
	X(discard_out_of_range) \
	X(discard_no_series)  \
	X(discard_detached)   \
	X(discard_unseen)     \
	X(discard_sampled)    \
	X(lost_thread_state)  \
	X(lost_event)

enum taut_counter {
#define X(name) TAUT_COUNT_##name,
	TAUT_COUNTERS(X)
#undef X
	TAUT_COUNTER_COUNT,
	TAUT_FIRST_OUTCOME = TAUT_COUNT_wakeup_seen + 1,
	TAUT_OUTCOMES_END = TAUT_COUNT_lost_thread_state,
};

/* One processor's counters. User space reads them while the kernel counts: see native/addon/counters.cc. */
struct taut_counters {
	taut_u64 counter[TAUT_COUNTER_COUNT];
	taut_u64 unused[16 - TAUT_COUNTER_COUNT]; /* fills cache lines, so that processors don't share one */
};
TAUT_ASSERT(sizeof(struct taut_counters) == 128, "the same on both sides");

/* Life events for user space (never a wakeup). */
#define TAUT_EVENTS(X)                                                                          \
	X(TAUT_EXEC, exec)                /* any process on the host */                          \
	X(TAUT_NEW_THREAD, newThread)     /* of an agent */                                      \
	X(TAUT_NEW_CHILD, newChild)       /* a non-agent descendant of an agent: a thread or a process */ \
	X(TAUT_THREAD_EXIT, threadExit)   /* of an agent */                                      \
	X(TAUT_PROCESS_EXIT, processExit) /* the last thread of an agent */                      \
	X(TAUT_RENAME, rename)            /* any process on the host that gives itself another name */

enum taut_event_kind {
#define X(kind, name) kind,
	TAUT_EVENTS(X)
#undef X
};

struct taut_event {
	taut_u32 kind;
	taut_u32 pid;  /* thread group */
	taut_u32 tid;
	taut_u32 ppid;  /* the agent; for NEW_CHILD and NEW_THREAD */
	taut_u32 maker; /* for NEW_CHILD and NEW_THREAD: the forking thread; for EXEC: the id until now of the thread that execs */
	taut_u32 size;  /* bytes of the command line, which follows; for EXEC */
	taut_u64 start_ns; /* start time of the thread, ns since boot: /proc/TID/stat field 22 in clock ticks */
	taut_u64 at_ns;    /* CLOCK_MONOTONIC */
};
TAUT_ASSERT(sizeof(struct taut_event) == 40, "the same on both sides");

/* A longer command line is not sent; user space reads it from /proc. */
#define TAUT_CMDLINE 2048

struct taut_exec {
	struct taut_event event;
	char cmdline[TAUT_CMDLINE];
};

/* The task of the thread iterator's next run. */
enum taut_visit { TAUT_VISIT_ATTACH = 1, TAUT_VISIT_DETACH = 2 };

struct taut_control {
	taut_u32 visit;
	taut_u32 pid;
	taut_u32 slot;    /* 1.. */
	taut_u32 tid;     /* only this thread; 0: all threads of the process */
	taut_u32 visited; /* number of changed threads, written by the iterator */
};

/* Settings that user space changes while the programs run. All zero: everything is recorded. */
struct taut_settings {
	taut_u32 sample_mask; /* records one wakeup in sample_mask + 1, a power of two */
	taut_u32 shed_detail; /* records only lateness and run-queue delay */
	taut_u32 canary_slot; /* threads of this slot are always measured in full */
};
TAUT_ASSERT(sizeof(struct taut_settings) == 12, "the same on both sides");

/* Features that user space sets to 0 before loading if the kernel lacks them. */
struct taut_features {
	taut_u32 timers;
};
TAUT_ASSERT(sizeof(struct taut_features) == 4, "the same on both sides");

/* Agents with series of their own; further agents share one more slot. */
#define TAUT_MAX_AGENTS 4096
#define TAUT_MAX_SLOTS (TAUT_MAX_AGENTS + 1)
/* Agents at the same time, with own or shared series. */
#define TAUT_MAX_PROCESSES 32768

/* Agents whose series are in one map: adding a map to the array of maps costs the host an RCU grace period. */
#define TAUT_BLOCK_AGENTS 64

#endif
