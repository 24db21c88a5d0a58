/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The few kernel types that the programs read, with only the fields that they read. CO-RE relocates every access to the
 * field's offset in the running kernel, so no generated vmlinux.h (and no BTF on the build machine) is needed.
 */
#ifndef TAUT_KERNEL_H
#define TAUT_KERNEL_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	int counter;
} atomic_t;

struct signal_struct {
	atomic_t live; /* threads that have not begun to exit */
};

struct mm_struct {
	unsigned long arg_start; /* the command line */
	unsigned long arg_end;
};

typedef struct {
	__u32 val;
} kuid_t;

struct cred {
	kuid_t euid;
};

struct sched_entity {
	unsigned char custom_slice; /* 0: the kernel's default. Since 6.12 (857b158dc5e8) */
};

struct task_struct {
	struct sched_entity se;
	__u32 pid;
	__u32 tgid;
	int on_cpu;
	unsigned int __state; /* 0: running or runnable */
	__u64 timer_slack_ns;
	__u64 default_timer_slack_ns;
	__u64 start_boottime;
	unsigned long nvcsw; /* times it went to sleep */
	unsigned long nivcsw; /* times it was preempted */
	unsigned in_execve : 1;
	struct signal_struct *signal;
	struct task_struct *group_leader;
	struct mm_struct *mm;
	const struct cred *cred;
};

/* Before 5.14 (kernel commit 2f064a59a11f). */
struct task_struct___before_5_14 {
	volatile long state;
};

struct timerqueue_node {
	__s64 expires;
};

struct hrtimer_clock_base;

struct hrtimer {
	struct timerqueue_node node;
	__s64 _softexpires;
	struct hrtimer_clock_base *base;
};

struct hrtimer_cpu_base {
	unsigned int clock_was_set_seq; /* as of its last look at the clocks: grows when one is set, and is never 0 */
};

struct hrtimer_clock_base {
	struct hrtimer_cpu_base *cpu_base;
	unsigned int index;
	struct hrtimer *running; /* the timer whose handler runs now */
	__s64 offset;            /* this base's clock - CLOCK_MONOTONIC */
};

struct bpf_iter_meta {
	struct seq_file *seq; /* what a program writes there, the reader of the iterator reads */
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

#pragma clang attribute pop

#endif
