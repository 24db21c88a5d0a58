/* SPDX-License-Identifier: GPL-2.0-only */
/* Computes the bucket index of a duration, and counts the bucket. */
#ifndef TAUT_HISTOGRAM_H
#define TAUT_HISTOGRAM_H

#include "bounds.h"
#include "kernel.h"
#include "taut.h"
#include <bpf/bpf_helpers.h>

/*
 * 1 if a > b, else 0; both below 2^63. A comparison in C becomes a jump, as BPF has nothing else, and the processor
 * can't foresee jumps that depend on durations: they took a third of the time of recording.
 */
static __always_inline __u64 is_more(__u64 a, __u64 b)
{
	__u64 borrow = b - a;

	barrier_var(borrow);
	return borrow >> 63;
}

static __always_inline __u64 log2_u64(__u64 v)
{
	__u64 r = is_more(v, 0xffffffff) << 5, step;

	v >>= r;
	step = is_more(v, 0xffff) << 4, v >>= step, r += step;
	step = is_more(v, 0xff) << 3, v >>= step, r += step;
	step = is_more(v, 0xf) << 2, v >>= step, r += step;
	step = is_more(v, 0x3) << 1, v >>= step, r += step;
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
	if (ns > bound_ns[TAUT_BUCKETS])
		return TAUT_BUCKETS;
	__u64 e = log2_u64(ns);
	__u64 p = (ns << (63 - e) >> 32) * 2305843009ULL;
	__u64 carry = p >> 63;

	p <<= 1 - carry;
	p >>= 32;
	__u32 i = (e + carry) * 8 - 30 * 8 - TAUT_BUCKET_MIN;
	i += is_more(p, 0x8b95c1e3U);
	i += is_more(p, 0x9837f051U);
	i += is_more(p, 0xa5fed6a9U);
	i += is_more(p, 0xb504f333U);
	i += is_more(p, 0xc5672a11U);
	i += is_more(p, 0xd744fccaU);
	i += is_more(p, 0xeac0c6e7U);
	if (i >= TAUT_BUCKETS) /* for the verifier, and the last bucket's rounding */
		i = TAUT_BUCKETS - 1;
	i += is_more(ns, bound_ns[i + 1]) - is_more(bound_ns[i] + 1, ns);
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
