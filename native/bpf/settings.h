/* SPDX-License-Identifier: GPL-2.0-only */
/* What user space may change while the programs run, and what it settled before it loaded them. */
#ifndef TAUT_SETTINGS_H
#define TAUT_SETTINGS_H

#include "state.h"
#include "taut.h"
#include <bpf/bpf_helpers.h>

/* Globals of their own sections: one load to read, no look-up. All zero: everything is recorded. */
extern volatile struct taut_settings settings SEC(".data.settings");

/* Without them the verifier drops what reads a timer, with whatever this kernel's timers lack. */
extern const volatile struct taut_features features SEC(".rodata.features");

/* The canary is a few wakeups a second, and has to show that all of the chain works: nothing of it is shed. */
static __always_inline bool is_canary(struct thread_state *t)
{
	return t->slot == settings.canary_slot;
}

/* Whether just lateness and run-queue delay are recorded of this thread. */
static __always_inline bool is_detail_shed(struct thread_state *t)
{
	return settings.shed_detail && !is_canary(t);
}

/*
 * Whether this wakeup is one of those that are left out, which is decided anew for each, at random: with every n-th, a
 * thread that takes turns between two kinds of waits would show just one of them.
 */
static __always_inline bool is_sampled_out(struct thread_state *t)
{
	__u32 mask = settings.sample_mask;

	t->sampled_out = mask && !is_canary(t) && (bpf_get_prandom_u32() & mask);
	return t->sampled_out;
}

#endif
