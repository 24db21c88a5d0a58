/* SPDX-License-Identifier: GPL-2.0-only */
/* The state, settings and output of the names programs. The including file defines the maps. */
#ifndef TAUT_CONTACTS_H
#define TAUT_CONTACTS_H

#include "budget.h"
#include "kernel.h"
#include <stddef.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "names.h"

/* A socket's owner, kept because a TCP segment may leave in any process's context; and what to look for on it. */
struct flow {
	__u64 start_ns;
	__u32 pid;
	__u32 wanted;   /* first bytes of the connection to capture as a ClientHello; 0: none, or all are captured */
	__u32 captured; /* how many of these are captured */
	__u32 next;     /* TCP sequence number of the byte after them */
	__u32 asks;     /* the peer is a resolver, by the port that the program gave (before address translation) */
};

/* Freed with the socket: so nothing is evicted, and an idle connection keeps its owner. */
struct flows_by_socket {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct flow);
};
extern struct flows_by_socket flows SEC(".maps");

/* Ports that resolvers listen on. */
struct port_bits {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TAUT_PORT_WORDS);
	__type(key, __u32);
	__type(value, __u32);
};
extern struct port_bits ports SEC(".maps");

/* One ring buffer for each kind of contacts (connections and ClientHellos share one): many of one leave room for others. */
struct contact_records {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
};
extern struct contact_records lookups SEC(".maps");
extern struct contact_records answers SEC(".maps");
extern struct contact_records connections SEC(".maps");

/* What one process or socket has caused of one kind. */
struct causing {
	struct budget budget;
	__u32 held; /* since the last contact that was told */
};

struct causing_by_cause {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, TAUT_COUNTED);
	__type(key, __u64); /* a process's id or a socket's cookie, and the kind in the first byte */
	__type(value, struct causing);
};
extern struct causing_by_cause causes SEC(".maps");

/* What to report to user space: bits of enum taut_contact_wanted. */
struct wanted_bits {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
};
extern struct wanted_bits wanted SEC(".maps");

/* The number of contacts that were held back, or for which there was no room, by kind. */
struct lost_contacts {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TAUT_CONTACT_KINDS);
	__type(key, __u32);
	__type(value, __u64);
};
extern struct lost_contacts lost SEC(".maps");

/* For a feature that is 0, the verifier drops the code that needs it. */
extern const volatile struct taut_names_features names_features SEC(".rodata.features");

static __always_inline bool is_resolver(__u32 port)
{
	__u32 word = (port & 0xffff) / 32, *bits = bpf_map_lookup_elem(&ports, &word);

	return bits && (*bits & (1u << (port & 31)));
}

/* The socket of a packet; 0 where it has none, or one that is no full socket yet. */
static __always_inline struct bpf_sock *socket_of(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;

	return sk ? bpf_sk_fullsock(sk) : 0;
}

static __always_inline bool is_wanted(__u32 what)
{
	__u32 zero = 0, *bits = bpf_map_lookup_elem(&wanted, &zero);

	return bits && (*bits & what);
}

static __always_inline void count_lost(__u32 kind)
{
	__u64 *n = bpf_map_lookup_elem(&lost, &kind);

	if (n)
		__sync_fetch_and_add(n, 1);
}

/* A process's id may be reused before user space looks it up; the start time identifies the process. */
static __always_inline __u64 start_of_current(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	return BPF_CORE_READ(task, group_leader, start_boottime);
}

/*
 * Whether one more contact of this kind may be told; if not, it is counted as lost. `cause`: a process's id or a socket's
 * cookie. Returns 0 if not, else 1 and how many of it were held back since the last one.
 * A global function, which the verifier looks at once: its ways would multiply with those of each caller, and before Linux
 * 6.12 that is more than the verifier follows.
 */
__attribute__((noinline)) __u64 budget_for(__u64 cause, __u32 kind)
{
	__u64 key = cause | (__u64)kind << 56, now = bpf_ktime_get_ns();
	struct causing *c = bpf_map_lookup_elem(&causes, &key);
	__u32 held;

	if (!c) {
		struct causing first = {.budget = {.spent_ns = now + TAUT_CONTACT_INTERVAL_NS}};

		bpf_map_update_elem(&causes, &key, &first, BPF_ANY);
		return 1;
	}
	if (!take(&c->budget, now, TAUT_CONTACTS_AT_ONCE, TAUT_CONTACT_INTERVAL_NS)) {
		__sync_fetch_and_add(&c->held, 1);
		count_lost(kind);
		return 0;
	}
	held = c->held;
	c->held = 0;
	return 1 + (__u64)held;
}

/* As `budget_for`. `held`: set to how many were held back. */
static __always_inline bool may_tell(__u64 cause, __u32 kind, __u32 *held)
{
	__u64 budget = budget_for(cause, kind);

	*held = budget - 1;
	return budget != 0;
}

#define HEAD_BYTES offsetof(struct taut_contact, payload)

/* `size`: HEAD_BYTES or the size of the whole struct; a constant, as the verifier requires. */
static __always_inline struct taut_contact *reserve(__u64 size, __u32 kind, __u32 transport, const struct flow *who)
{
	struct taut_contact *c = kind == TAUT_QUESTION ? bpf_ringbuf_reserve(&lookups, size, 0)
				 : kind == TAUT_ANSWER ? bpf_ringbuf_reserve(&answers, size, 0)
						       : bpf_ringbuf_reserve(&connections, size, 0);

	if (!c) {
		count_lost(kind);
		return 0;
	}
	__builtin_memset(c, 0, HEAD_BYTES);
	c->pid = who->pid;
	c->start_ns = who->start_ns;
	c->at_ns = bpf_ktime_get_ns();
	c->kind = kind;
	c->transport = transport;
	return c;
}

/* Copies `length` bytes of a packet into a contact that has room for `most`, a power of two. @returns whether it could. */
static __always_inline bool copy(struct __sk_buff *skb, __u32 at, __u32 length, __u32 most, struct taut_contact *c)
{
	c->length = length;
	/* The mask and the + 1 show the verifier that the length is from 1 to `most`. */
	length = (length - 1) & (most - 1);
	return !bpf_skb_load_bytes(skb, at, c->payload, length + 1);
}

static __always_inline void about_current(struct flow *flow)
{
	__u64 who = bpf_get_current_pid_tgid();

	flow->pid = who >> 32;
	flow->start_ns = start_of_current();
}

#endif
