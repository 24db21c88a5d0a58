/* SPDX-License-Identifier: GPL-2.0-only */
/* Forks, execs, renames, moves and exits: gives threads their tracer state, and has user space told. */
#ifndef TAUT_LIFE_H
#define TAUT_LIFE_H

#include "telling.h"
#include "wakeup.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

static __always_inline struct thread_state *begin_thread(struct task_struct *task, __u32 slot, __u64 original_ns)
{
	struct thread_state *t = bpf_task_storage_get(&threads, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!t) {
		count(TAUT_COUNT_lost_thread_state);
		return 0;
	}
	t->original_ns = original_ns;
	t->sleeps = task->nvcsw;
	__sync_lock_test_and_set(&t->slot, slot); /* whoever sees it sees the rest, also on arm64 */
	return t;
}

/* A real-time thread's slack reads 0; with normal scheduling it would have its default. */
static __always_inline __u64 slack_of(struct task_struct *task)
{
	return task->timer_slack_ns ?: task->default_timer_slack_ns;
}

/* What a thread had before taut: it may have been tuned before its process is attached to, or be born of one that was. */
static __always_inline __u64 original_of(struct task_struct *task)
{
	__u32 zero = 0;
	struct taut_control *c = bpf_map_lookup_elem(&control, &zero);
	__u64 slack = slack_of(task);

	return c && c->pid == task->tgid && c->set_ns && c->set_ns == slack ? c->original_ns : slack;
}

/* Marks and reports a non-agent descendant of an agent: a thread or a process. */
static __always_inline void tell_descendant(struct task_struct *child, __u32 agent, __u32 maker)
{
	__u32 *mark = bpf_task_storage_get(&descendants, child, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (mark)
		*mark = agent;
	else
		count(TAUT_COUNT_lost_thread_state);
	tell_birth(TAUT_NEW_CHILD, child, agent, maker);
}

/* Runs before the child runs, so no wakeup of a new thread is missed. */
static __always_inline void forked(struct task_struct *parent, struct task_struct *child)
{
	__u32 pid = parent->tgid, slot;
	__u64 original_ns;
	struct thread_state *maker = thread_of(parent);

	if (maker) {
		slot = maker->slot;
		/* A child inherits its maker's slack, which may be tuned already: so take the maker's original. */
		original_ns = maker->original_ns;
		barrier_var(original_ns); /* keeps the two loads separate: the verifier refuses a merged load */
	} else {
		__u32 *attaching = bpf_map_lookup_elem(&agents, &pid);

		if (!attaching) {
			__u32 *agent = bpf_task_storage_get(&descendants, parent, 0, 0);

			if (agent)
				tell_descendant(child, *agent, parent->pid);
			return;
		}
		slot = *attaching;
		original_ns = original_of(child);
	}
	if (child->tgid != pid) {
		tell_descendant(child, pid, parent->pid);
		return;
	}
	begin_thread(child, slot, original_ns);
	tell_birth(TAUT_NEW_THREAD, child, pid, parent->pid);
}

/* process.title and setproctitle end in prctl(PR_SET_NAME) of the main thread, after they have overwritten argv. */
static __always_inline void renamed(struct task_struct *task)
{
	if (task->pid == task->tgid && !BPF_CORE_READ_BITFIELD(task, in_execve))
		tell_change(TAUT_RENAME, task);
}

/* Of threads that are moved one by one, which only control groups of version 1 allow, the main thread's group counts. */
static __always_inline void moved(struct task_struct *task)
{
	if (task->pid == task->tgid)
		tell_change(TAUT_MOVED, task);
}

static __always_inline void exited(struct task_struct *task)
{
	struct thread_state *t = thread_of(task);

	if (!t)
		return;
	count_unseen(t, task, false);
	tell_end(task->signal->live.counter > 0 ? TAUT_THREAD_EXIT : TAUT_PROCESS_EXIT, task);
	let_go(t, task);
}

/* Where threads have slices of their own. sched_getattr(2) tells the length of a slice, but not whose it is. */
static __always_inline void tell_slice(struct task_struct *task, struct seq_file *told)
{
	struct taut_slice s = {.tid = task->pid, .is_own = has_own_slice(task)};

	if (knows_slices(task))
		bpf_seq_write(told, &s, sizeof(s));
}

/*
 * Attaches or detaches the threads of one process, tells of their slices, or tells what is owed of all: user space sets
 * `control`, then reads the iterator to its end.
 */
static __always_inline void visit(struct task_struct *task, struct seq_file *told)
{
	__u32 zero = 0;
	struct taut_control *c = bpf_map_lookup_elem(&control, &zero);

	if (!task || !c)
		return;
	if (c->visit == TAUT_VISIT_RETELL) {
		c->visited += retell(task);
		return;
	}
	if (task->tgid != c->pid || (c->tid && task->pid != c->tid))
		return;
	if (c->visit == TAUT_VISIT_SLICES) {
		tell_slice(task, told);
		return;
	}
	struct thread_state *t = thread_of(task);
	if (c->visit == TAUT_VISIT_ATTACH) {
		if (t && t->slot) /* already attached at its fork, because its maker was */
			return;
		c->visited++;
		begin_thread(task, c->slot, original_of(task));
	} else if (t) {
		c->visited++;
		count_unseen(t, task, is_asleep(task));
		let_go(t, task);
	}
}

#endif
