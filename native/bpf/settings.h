/* SPDX-License-Identifier: GPL-2.0-only */
/* Settings that user space changes while the programs run, and features that it sets before loading them. */
#ifndef TAUT_SETTINGS_H
#define TAUT_SETTINGS_H

#include "state.h"
#include "taut.h"
#include <bpf/bpf_helpers.h>

/* In a data section of its own: reading it is one load, without a map look-up. All zero: everything is recorded. */
extern volatile struct taut_settings settings SEC(".data.settings");

/* What is 0 here the verifier drops, including reads of fields that this kernel lacks. */
extern const volatile struct taut_features features SEC(".rodata.features");

/* The canary must show that the whole chain works, and makes only a few wakeups a second: nothing of it is shed. */
static __always_inline bool is_canary(struct thread_state *t)
{
	return t->slot == settings.canary_slot;
}

/* Whether only lateness and run-queue delay are recorded for this thread. */
static __always_inline bool is_detail_shed(struct thread_state *t)
{
	return settings.shed_detail && !is_canary(t);
}

/*
 * Decides at random whether this wakeup is left out. Recording every n-th wakeup would be wrong: of a thread that
 * alternates between two kinds of waits, it could show only one kind.
 */
static __always_inline bool is_sampled_out(struct thread_state *t)
{
	__u32 mask = settings.sample_mask;

	t->sampled_out = mask && !is_canary(t) && (bpf_get_prandom_u32() & mask);
	return t->sampled_out;
}

#endif
