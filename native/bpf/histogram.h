/* SPDX-License-Identifier: GPL-2.0-only */
/* Computes the bucket index of a duration, and counts the bucket. */
#ifndef TAUT_HISTOGRAM_H
#define TAUT_HISTOGRAM_H

#include "bounds.h"
#include "kernel.h"
#include "taut.h"
#include <bpf/bpf_helpers.h>

static __always_inline int log2_u64(__u64 v)
{
	int r = 0;

	if (v >> 32) { v >>= 32; r += 32; }
	if (v >> 16) { v >>= 16; r += 16; }
	if (v >> 8) { v >>= 8; r += 8; }
	if (v >> 4) { v >>= 4; r += 4; }
	if (v >> 2) { v >>= 2; r += 2; }
	return r + (v >> 1);
}

/*
 * The index in `buckets` of a duration of 1 ns or more; TAUT_BUCKETS when it is out of range.
 *
 * Converts the nanoseconds to seconds times 2^30 in a 64-bit mantissa (2305843009 is 2^61 / 10^9). Its leading bits and
 * seven comparisons with 2^(k/8) give the bucket, except for rounding; the exact bounds then correct it by one.
 * Not inlined, so that the verifier checks it once.
 */
__attribute__((noinline)) __u32 bucket_of(__u64 ns)
{
	int e = log2_u64(ns);
	__u64 m = ns << (63 - e);
	__u64 p = (m >> 32) * 2305843009ULL;
	__u32 i;

	if (p >> 63)
		e++;
	else
		p <<= 1;
	p >>= 32;
	i = (e - 30) * 8 - TAUT_BUCKET_MIN;
	i += p > 0x8b95c1e3U;
	i += p > 0x9837f051U;
	i += p > 0xa5fed6a9U;
	i += p > 0xb504f333U;
	i += p > 0xc5672a11U;
	i += p > 0xd744fccaU;
	i += p > 0xeac0c6e7U;
	if (i >= TAUT_BUCKETS)
		i = TAUT_BUCKETS - 1;
	if (ns > bound_ns[i + 1])
		i++;
	else if (ns <= bound_ns[i])
		i--;
	return i;
}

/* Counts one duration. False when it is out of range. May run on several CPUs at once for the same histogram. */
static __attribute__((noinline, unused)) bool histogram_record(struct taut_histogram *h, __u64 ns)
{
	if (ns == 0) {
		__sync_fetch_and_add(&h->zero, 1);
		h->min = 1;
		return true;
	}
	__u32 i = bucket_of(ns);
	if (i >= TAUT_BUCKETS)
		return false;
	__sync_fetch_and_add(&h->buckets[i], 1);
	__sync_fetch_and_add(&h->sum, ns);
	/* If every try loses the race, the extreme of a moment ago stays; that is very rare. */
	for (int try = 0; try < 4; try++) {
		__u64 max = h->max;
		if (ns <= max || __sync_val_compare_and_swap(&h->max, max, ns) == max)
			break;
	}
	for (int try = 0; try < 4; try++) {
		__u64 min = h->min;
		if ((min && ns + 1 >= min) || __sync_val_compare_and_swap(&h->min, min, ns + 1) == min)
			break;
	}
	return true;
}

#endif
