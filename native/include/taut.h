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

/*
 * How a quantity is split: one histogram for each line, in this order. The columns after its name: the source of the
 * wakeup, the slack class of its timer, whether it was tuned; `any`: not split by that.
 */
#define TAUT_BY_SLACK(X)                                                                                         \
	X(BY_SLACK_REACHABLE, any, reachable, no)        /* slack in force = the thread's original: not tuned */ \
	X(BY_SLACK_REACHABLE_TUNED, any, reachable, yes) /* 0 < slack < original */                              \
	X(BY_SLACK_BEYOND, any, beyond, no)              /* slack > original: scaled with a long timeout */      \
	X(BY_SLACK_NONE, any, none, no)                  /* slack = 0: timerfd, real-time threads */
#define TAUT_BY_SOURCE_AND_SLACK(X)                                   \
	X(BY_SOURCE_AND_SLACK_REACHABLE, timer, reachable, no)        \
	X(BY_SOURCE_AND_SLACK_REACHABLE_TUNED, timer, reachable, yes) \
	X(BY_SOURCE_AND_SLACK_BEYOND, timer, beyond, no)              \
	X(BY_SOURCE_AND_SLACK_NONE, timer, none, no)                  \
	X(BY_SOURCE_AND_SLACK_OTHER, other, any, no)                  \
	X(BY_SOURCE_AND_SLACK_OTHER_TUNED, other, any, yes)
#define TAUT_BY_SOURCE_AND_TUNED(X)                         \
	X(BY_SOURCE_AND_TUNED_TIMER, timer, any, no)        \
	X(BY_SOURCE_AND_TUNED_TIMER_TUNED, timer, any, yes) \
	X(BY_SOURCE_AND_TUNED_OTHER, other, any, no)        \
	X(BY_SOURCE_AND_TUNED_OTHER_TUNED, other, any, yes)
#define TAUT_BY_SOURCE(X)                   \
	X(BY_SOURCE_TIMER, timer, any, any) \
	X(BY_SOURCE_OTHER, other, any, any)

#define X(name, source, slack_class, tuned) TAUT_##name,
enum taut_by_slack { TAUT_BY_SLACK(X) };
enum taut_by_source_and_slack { TAUT_BY_SOURCE_AND_SLACK(X) };
enum taut_by_source_and_tuned { TAUT_BY_SOURCE_AND_TUNED(X) };
enum taut_by_source { TAUT_BY_SOURCE(X) };
#undef X
TAUT_ASSERT((int)TAUT_BY_SLACK_NONE == (int)TAUT_BY_SOURCE_AND_SLACK_NONE, "timers are split alike in both");

/* What is measured of a wakeup: its name here, the name of its metric without `taut.`, how it is split. */
#define TAUT_QUANTITIES(X)                                             \
	X(LATENESS, timer.lateness, TAUT_BY_SLACK)                     \
	X(SLACK_USE, timer.slack_use, TAUT_BY_SLACK)                   \
	X(OVERRUN, timer.overrun, TAUT_BY_SLACK)                       \
	X(LATENCY, wakeup.latency, TAUT_BY_SOURCE_AND_SLACK)           \
	X(RUN_QUEUE, wakeup.run_queue_delay, TAUT_BY_SOURCE_AND_TUNED) \
	X(HAND_OVER, wakeup.hand_over, TAUT_BY_SOURCE) /* also split by tuned, it would go beyond 64 KiB */

/*
 * Those that are split by the scheduler's slice, too: here of threads that have another one than the kernel's default.
 * These histograms follow all others, and exist only where taut may set slices: `taut_features.slices`.
 */
#define TAUT_SLICE_QUANTITIES(X)                                     \
	X(SLICE_LATENCY, wakeup.latency, TAUT_BY_SOURCE_AND_SLACK)   \
	X(SLICE_RUN_QUEUE, wakeup.run_queue_delay, TAUT_BY_SOURCE_AND_TUNED)

/* Indexes of the histograms: `TAUT_LATENESS` is the first one of its quantity, and its splits follow. */
enum taut_series {
#define TAUT_ONE(...) +1
#define X(name, metric, split) TAUT_##name, TAUT_LAST_##name = TAUT_##name - 1 split(TAUT_ONE),
	TAUT_QUANTITIES(X)
	TAUT_SERIES,
	TAUT_BEFORE_SLICES = TAUT_SERIES - 1,
	TAUT_SLICE_QUANTITIES(X)
	TAUT_SERIES_WITH_SLICES,
#undef X
#undef TAUT_ONE
};

struct taut_agent_series {
	struct taut_histogram histogram[TAUT_SERIES_WITH_SLICES];
};
#define TAUT_SERIES_BYTES (TAUT_SERIES * sizeof(struct taut_histogram)) /* without those of slices */
TAUT_ASSERT(sizeof(struct taut_histogram) == (4 + TAUT_BUCKETS) * 8, "the same on both sides");
TAUT_ASSERT(TAUT_SERIES_BYTES <= 64 * 1024, "no more than 64 KiB an agent");
TAUT_ASSERT(sizeof(struct taut_agent_series) <= 96 * 1024, "no more than 96 KiB an agent where taut may set slices");

/*
 * Every wakeup is counted as seen, and as recorded with all of its parts or as discarded for one of these reasons, which
 * `npm run docs` writes into docs/telemetry.md. It is counted when its outcome is known; a wakeup in progress is in no
 * counter. The order is `wakeup_seen`, the outcomes of wakeups, other losses.
 */
#define TAUT_COUNTERS(X)                                                                                                      \
	X(wakeup_seen)                                                                                                        \
	X(wakeup_recorded)                                                                                                    \
	X(discard_on_cpu)       /* the thread was woken before it had gone to sleep, so it did not wait */                    \
	X(discard_restamped)    /* no program was run for the end of the wakeup before it */                                  \
	X(discard_no_waking)    /* no program was run for its beginning */                                                    \
	X(discard_no_switch)    /* no program was run for its first moment on a CPU */                                        \
	X(discard_negative)     /* one of its steps has an earlier time than the step before */                               \
	X(discard_out_of_range) /* it took longer than 18 minutes */                                                          \
	X(discard_no_series)    /* there was no room to count for its agent */                                                \
	X(discard_detached)     /* it was on its way when its thread ended or was let go */                                   \
	X(discard_unseen)       /* no program was run for any of it: some kernels run none for processes that they protect */ \
	X(discard_clock_set)    /* a clock was set past the time of its timer, so how late it was is not known */             \
	X(discard_sampled)      /* `--max-overhead` had taut leave it out */                                                  \
	X(lost_thread_state)                                                                                                  \
	X(lost_exec)   /* there was no room for the event: these four by its kind */                                          \
	X(lost_birth)                                                                                                         \
	X(lost_end)                                                                                                           \
	X(lost_rename)

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
	taut_u64 unused[24 - TAUT_COUNTER_COUNT]; /* fills cache lines, so that processors don't share one */
};
TAUT_ASSERT(sizeof(struct taut_counters) == 192, "the same on both sides");

/* Life events for user space (never a wakeup). */
#define TAUT_EVENTS(X)                                                                          \
	X(TAUT_EXEC, exec)                /* any process on the host */                          \
	X(TAUT_NEW_THREAD, newThread)     /* of an agent */                                      \
	X(TAUT_NEW_CHILD, newChild)       /* a non-agent descendant of an agent: a thread or a process */ \
	X(TAUT_THREAD_EXIT, threadExit)   /* of an agent */                                      \
	X(TAUT_PROCESS_EXIT, processExit) /* the last thread of an agent */                      \
	X(TAUT_RENAME, rename)            /* any process on the host that gives itself another name */ \
	X(TAUT_MOVED, moved)              /* any process on the host that is put into another control group */          \
	X(TAUT_RENAMING, renaming)        /* a process that does one of these two all the time: no event follows for TAUT_HOLD_NS */

enum taut_event_kind {
#define X(kind, name) kind,
	TAUT_EVENTS(X)
#undef X
};

struct taut_event {
	taut_u32 kind;
	taut_u32 pid;  /* thread group */
	taut_u32 tid;
	taut_u32 ppid;  /* the agent; for NEW_CHILD and NEW_THREAD, and for EXEC of TAUT_TURN below one */
	taut_u32 maker; /* for NEW_CHILD and NEW_THREAD: the forking thread; for EXEC: the id until now of the thread that execs */
	taut_u32 size;  /* bytes of the command line, which follows; for EXEC */
	taut_u32 user;  /* the effective user's id */
	taut_u32 held;  /* for RENAME, MOVED and RENAMING: renames and moves of the process since its event before that had none */
	taut_u64 start_ns; /* start time of the thread, ns since boot: /proc/TID/stat field 22 in clock ticks */
	taut_u64 at_ns;    /* CLOCK_MONOTONIC */
};
TAUT_ASSERT(sizeof(struct taut_event) == 48, "the same on both sides");

/* A longer command line is not sent; user space reads it from /proc. */
#define TAUT_CMDLINE 2048

/* The first argument of what tells of an agent's turn. */
#define TAUT_TURN "taut-turn"

struct taut_exec {
	struct taut_event event;
	char cmdline[TAUT_CMDLINE];
};

/*
 * A process that gives itself names in a loop must not keep user space busy, nor one that is moved in a loop. It has
 * TAUT_RENAMES of both told at once, and one more each TAUT_HOLD_NS; user space looks at it when that time is over, so that
 * its last name and place count.
 */
#define TAUT_RENAMES 8
#define TAUT_HOLD_NS 100000000

/*
 * The task of the thread iterator's next run. RETELL: tells what found no room, of all threads of the host. SLICES: writes
 * a taut_slice for each thread, where threads have slices of their own.
 */
enum taut_visit { TAUT_VISIT_ATTACH = 1, TAUT_VISIT_DETACH = 2, TAUT_VISIT_RETELL = 3, TAUT_VISIT_SLICES = 4 };

struct taut_slice {
	taut_u32 tid;
	taut_u32 is_own; /* somebody has set it; 0: it is the kernel's default */
};
TAUT_ASSERT(sizeof(struct taut_slice) == 8, "the same on both sides");

struct taut_control {
	taut_u32 visit;
	taut_u32 pid;
	taut_u32 slot;    /* 1.. */
	taut_u32 tid;     /* only this thread; 0: all threads of the process */
	taut_u32 set_ns;  /* ATTACH: threads with this timer slack have it from taut, and had original_ns before; 0: none has */
	taut_u32 original_ns;
	taut_u32 visited; /* number of changed threads (RETELL: of those of which something was to tell), written by the iterator */
};

/* Settings that user space changes while the programs run. All zero: everything is recorded. */
struct taut_settings {
	taut_u32 sample_mask; /* records one wakeup in sample_mask + 1, a power of two */
	taut_u32 shed_detail; /* records only lateness and run-queue delay */
	taut_u32 canary_slot; /* threads of this slot are always measured in full */
};
TAUT_ASSERT(sizeof(struct taut_settings) == 12, "the same on both sides");

/* What user space sets before loading. */
struct taut_features {
	taut_u32 timers; /* 0 if the kernel lacks what it needs */
	taut_u32 slices; /* the series have the histograms of TAUT_SLICE_QUANTITIES */
};
TAUT_ASSERT(sizeof(struct taut_features) == 8, "the same on both sides");

/* Agents with series of their own; further agents share one more slot. */
#define TAUT_MAX_AGENTS 1024
#define TAUT_MAX_SLOTS (TAUT_MAX_AGENTS + 1)
/* Agents at the same time, with own or shared series. */
#define TAUT_MAX_PROCESSES 32768

/* Agents whose series are in one map: adding a map to the array of maps costs the host an RCU grace period. */
#define TAUT_BLOCK_AGENTS 64
#define TAUT_BLOCKS (TAUT_MAX_AGENTS / TAUT_BLOCK_AGENTS + 1)

#endif
