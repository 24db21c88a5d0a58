/* SPDX-License-Identifier: GPL-2.0-only */
/* How often something may be told: some times at once, and then once in a while. */
#ifndef TAUT_BUDGET_H
#define TAUT_BUDGET_H

#include <linux/types.h>
#include <stdbool.h>

struct budget {
	__u64 spent_ns; /* until this time the future is spent; CLOCK_MONOTONIC */
};

/* Takes one of `burst`, of which one comes back each `interval_ns`. A race of two processors may take one for both. */
static __always_inline bool take(struct budget *b, __u64 now_ns, __u64 burst, __u64 interval_ns)
{
	__u64 spent = b->spent_ns > now_ns ? b->spent_ns : now_ns;

	if (spent - now_ns > (burst - 1) * interval_ns)
		return false;
	b->spent_ns = spent + interval_ns;
	return true;
}

#endif
