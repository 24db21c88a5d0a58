/* SPDX-License-Identifier: GPL-2.0-only */
/* The tracer: its maps, and its program for each kernel event. */
#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "life.h"
#include "timer.h"
#include "wakeup.h"

struct thread_states threads SEC(".maps");
struct descendant_marks descendants SEC(".maps");
struct agent_slots agents SEC(".maps");
struct series_blocks series SEC(".maps");
struct counters_by_cpu counters SEC(".maps");
struct expiring_by_cpu expiring SEC(".maps");
struct visit_control control SEC(".maps");
struct life_events execs SEC(".maps");
struct life_events births SEC(".maps");
struct life_events renames SEC(".maps");
struct tellings_by_thread tellings SEC(".maps");
struct exec_room_by_cpu exec_room SEC(".maps");

volatile struct taut_settings settings SEC(".data.settings");
const volatile struct taut_features features SEC(".rodata.features") = {.timers = 1, .slices = 1};

/* The steps of one wakeup. These programs are attached only while something is measured. */

SEC("tp_btf/hrtimer_expire_entry")
int BPF_PROG(on_timer_expire, struct hrtimer *timer) { timer_expires(timer); return 0; }

SEC("tp_btf/sched_waking")
int BPF_PROG(on_waking, struct task_struct *task) { waking(task); return 0; }

SEC("tp_btf/sched_wakeup")
int BPF_PROG(on_wakeup, struct task_struct *task) { wakeup(task); return 0; }

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(on_wakeup_new, struct task_struct *task) { first_wakeup(task); return 0; }

SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempt, struct task_struct *prev, struct task_struct *next) { running(next); return 0; }

/* Forks, execs, renames, moves and exits. */

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child) { forked(parent, child); return 0; }

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int was) { tell_exec(task, was); return 0; }

SEC("tp_btf/task_rename")
int BPF_PROG(on_rename, struct task_struct *task) { renamed(task); return 0; }

SEC("tp_btf/cgroup_attach_task")
int BPF_PROG(on_move, struct cgroup *group, const char *path, struct task_struct *task) { moved(task); return 0; }

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task) { exited(task); return 0; }

SEC("iter/task")
int visit_thread(struct bpf_iter__task *ctx) { visit(ctx->task, ctx->meta->seq); return 0; }

char LICENSE[] SEC("license") = "GPL";
