/* SPDX-License-Identifier: GPL-2.0-only */
/* Empty programs on the tracer's tracepoints: the benchmark measures with them what a call costs. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define NOTHING(tracepoint) SEC("tp_btf/" #tracepoint) int on_##tracepoint(void *ctx) { return 0; }

NOTHING(hrtimer_expire_entry)
NOTHING(sched_waking)
NOTHING(sched_wakeup)
NOTHING(sched_wakeup_new)
NOTHING(sched_switch)
NOTHING(sched_process_fork)
NOTHING(sched_process_exec)
NOTHING(task_rename)
NOTHING(sched_process_exit)

char LICENSE[] SEC("license") = "GPL";
