/* SPDX-License-Identifier: GPL-2.0-only */
/* The tracer's bucket function alone, for a test that runs it in the kernel with chosen values. */
#include "histogram.h"

struct question {
	__u64 ns;
	__u64 bucket;
};

SEC("syscall")
int ask_bucket(struct question *q)
{
	q->bucket = bucket_of(q->ns);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
