/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tells user space of programs, births, ends and names. What finds no room stays with the thread that it is about, so
 * that user space can ask for it later; of a thread that has ended by then nothing needs to be told.
 */
#ifndef TAUT_TELLING_H
#define TAUT_TELLING_H

#include "state.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

static __always_inline void describe(struct taut_event *e, __u32 kind, struct task_struct *task)
{
	e->kind = kind;
	e->pid = task->tgid;
	e->tid = task->pid;
	e->ppid = 0;
	e->maker = 0;
	e->size = 0;
	e->user = task->cred->euid.val;
	e->held = 0;
	e->start_ns = task->start_boottime;
	e->at_ns = bpf_ktime_get_ns();
}

/* @returns whether there was room. */
static __always_inline bool tell(void *ring, __u32 kind, struct task_struct *task, __u32 ppid, __u32 maker, __u32 held)
{
	struct taut_event *e = bpf_ringbuf_reserve(ring, sizeof(*e), 0);

	if (!e)
		return false;
	describe(e, kind, task);
	e->ppid = ppid;
	e->maker = maker;
	e->held = held;
	bpf_ringbuf_submit(e, 0);
	return true;
}

static __always_inline struct telling *telling_of(struct task_struct *task)
{
	struct telling *t = bpf_task_storage_get(&tellings, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!t)
		count(TAUT_COUNT_lost_thread_state);
	return t;
}

static __always_inline void tell_birth(__u32 kind, struct task_struct *child, __u32 agent, __u32 maker)
{
	struct telling *t;

	if (tell(&births, kind, child, agent, maker, 0))
		return;
	count(TAUT_COUNT_lost_birth);
	t = telling_of(child);
	if (!t)
		return;
	t->born = kind;
	t->agent = agent;
	t->maker = maker;
	__sync_fetch_and_or(&t->owed, OWED_BIRTH);
}

static __always_inline void tell_end(__u32 kind, struct task_struct *task)
{
	if (!tell(&births, kind, task, 0, 0, 0))
		count(TAUT_COUNT_lost_end);
}

/* Whether it is a command line of taut-turn, by which the hooks of agents tell of turns: by its first argument, which anybody can give. */
static __always_inline bool tells_of_turn(const char *cmdline, __u64 size)
{
	const char name[] = TAUT_TURN;
	bool is_same = size > sizeof(name);

	for (__u32 i = 0; i < sizeof(name); i++)
		is_same &= cmdline[i] == name[i];
	return is_same;
}

/* The agent that forked the task, or forked what did: it is known also when all between them have ended. */
static __always_inline __u32 agent_above(struct task_struct *task)
{
	__u32 *mark = bpf_task_storage_get(&descendants, task, 0, 0);

	return mark ? *mark : 0;
}

/* `was`: the id until now of the thread that called execve. */
static __always_inline void tell_exec(struct task_struct *task, __u32 was)
{
	__u32 zero = 0;
	struct taut_exec *e = bpf_map_lookup_elem(&exec_room, &zero);
	struct telling *t;

	if (!e)
		return;
	describe(&e->event, TAUT_EXEC, task);
	e->event.maker = was;
	/*
	 * The kernel has just written the command line, so it is in memory. It goes with the event, because most
	 * programs are no agents, and reading /proc for each would cost more. While much is unread it does not: without
	 * them the ring buffer holds forty times as many events.
	 */
	__u64 start = task->mm->arg_start, size = task->mm->arg_end - start;

	if (size > TAUT_CMDLINE || bpf_probe_read_user(e->cmdline, size, (void *)start))
		size = 0;
	if (tells_of_turn(e->cmdline, size))
		e->event.ppid = agent_above(task);
	if (bpf_ringbuf_query(&execs, BPF_RB_AVAIL_DATA) > EVENTS_BYTES / 2)
		size = 0;
	e->event.size = size;
	if (!bpf_ringbuf_output(&execs, e, sizeof(e->event) + size, 0))
		return;
	count(TAUT_COUNT_lost_exec);
	t = telling_of(task);
	if (!t)
		return;
	t->was = was;
	__sync_fetch_and_or(&t->owed, OWED_EXEC);
}

/* RENAME or MOVED: user space looks at the process again. */
static __always_inline void tell_change(__u32 kind, struct task_struct *task)
{
	struct telling *t = telling_of(task);
	__u64 now = bpf_ktime_get_ns();

	if (!t) {
		if (!tell(&renames, kind, task, 0, 0, 0))
			count(TAUT_COUNT_lost_rename);
		return;
	}
	if (!take(&t->renames, now, TAUT_RENAMES, TAUT_HOLD_NS)) {
		t->held++;
		if (now < t->promised_ns)
			return; /* user space looks later */
		t->promised_ns = now + TAUT_HOLD_NS;
		kind = TAUT_RENAMING;
	}
	if (tell(&renames, kind, task, 0, 0, t->held)) {
		t->held = 0;
		return;
	}
	count(TAUT_COUNT_lost_rename);
	t->promised_ns = 0;
	__sync_fetch_and_or(&t->owed, OWED_RENAME);
}

/* Tells one thing of a thread if it is owed. It is no longer owed before it is told, so that what happens now is. */
static __always_inline void tell_owed(struct telling *t, __u32 what, void *ring, __u32 kind, struct task_struct *task, __u32 agent,
				      __u32 maker)
{
	if (!(t->owed & what))
		return;
	__sync_fetch_and_and(&t->owed, ~what);
	if (!tell(ring, kind, task, agent, maker, 0))
		__sync_fetch_and_or(&t->owed, what);
}

/* @returns whether anything was owed. */
static __always_inline bool retell(struct task_struct *task)
{
	struct telling *t = bpf_task_storage_get(&tellings, task, 0, 0);

	if (!t || !t->owed)
		return false;
	tell_owed(t, OWED_BIRTH, &births, t->born, task, t->agent, t->maker);
	tell_owed(t, OWED_EXEC, &execs, TAUT_EXEC, task, 0, t->was);
	tell_owed(t, OWED_RENAME, &renames, TAUT_RENAME, task, 0, 0);
	return true;
}

#endif
