/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who asks a resolver for what, and who connects to whom: programs on the root of the cgroup hierarchy see every socket of every network
 * namespace. They look, and let everything pass: always 1, never a packet dropped, delayed or changed.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "names.h"

#define PASS 1
#define DNS_HEADER 12

/* Whose socket it is: a TCP segment may leave in anybody's context. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, __u64);
} owners SEC(".maps");

/* Ports that resolvers listen on, in host order; 0: none. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TAUT_DNS_PORTS);
	__type(key, __u32);
	__type(value, __u32);
} ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} contacts SEC(".maps");

/* What is worth telling: enum taut_contact_wanted. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} wanted SEC(".maps");

/* Contacts for which there was no room. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} lost SEC(".maps");

static __always_inline bool is_resolver(__u32 port)
{
	for (__u32 i = 0; i < TAUT_DNS_PORTS; i++) {
		__u32 key = i, *known = bpf_map_lookup_elem(&ports, &key);

		if (known && *known == port)
			return true;
	}
	return false;
}

static __always_inline bool is_wanted(__u32 what)
{
	__u32 zero = 0, *bits = bpf_map_lookup_elem(&wanted, &zero);

	return bits && (*bits & what);
}

static __always_inline struct taut_contact *reserve(__u32 kind, __u64 who, __u32 transport, __u32 port)
{
	__u32 zero = 0;
	struct taut_contact *c = bpf_ringbuf_reserve(&contacts, sizeof(*c), 0);

	if (!c) {
		__u64 *n = bpf_map_lookup_elem(&lost, &zero);

		if (n)
			__sync_fetch_and_add(n, 1);
		return 0;
	}
	c->pid = who >> 32;
	c->tid = (__u32)who;
	c->at_ns = bpf_ktime_get_ns();
	c->kind = kind;
	c->transport = transport;
	c->port = port;
	return c;
}

static __always_inline int connecting(struct bpf_sock_addr *ctx, const __u32 *address, __u32 words)
{
	__u64 who = bpf_get_current_pid_tgid();
	__u32 port = bpf_ntohs(ctx->user_port);

	if (is_resolver(port)) {
		__u64 cookie = bpf_get_socket_cookie(ctx);

		bpf_map_update_elem(&owners, &cookie, &who, BPF_ANY);
		return PASS;
	}
	if (!is_wanted(TAUT_WANT_CONNECTIONS))
		return PASS;
	struct taut_contact *c = reserve(TAUT_CONNECT, who, ctx->protocol, port);
	if (!c)
		return PASS;
	for (__u32 i = 0; i < words; i++)
		((__u32 *)c->payload)[i] = address[i];
	c->length = words * 4;
	bpf_ringbuf_submit(c, 0);
	return PASS;
}

SEC("cgroup/connect4")
int on_connect4(struct bpf_sock_addr *ctx)
{
	__u32 address = ctx->user_ip4;

	return connecting(ctx, &address, 1);
}

SEC("cgroup/connect6")
int on_connect6(struct bpf_sock_addr *ctx)
{
	__u32 address[4] = {ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3]};

	return connecting(ctx, address, 4);
}

/* Where the transport's header begins; 0 for what is neither UDP nor TCP. */
static __always_inline __u32 transport_of(struct __sk_buff *skb, __u8 *protocol)
{
	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		struct iphdr ip;

		if (bpf_skb_load_bytes(skb, 0, &ip, sizeof(ip)))
			return 0;
		*protocol = ip.protocol;
		return ip.ihl * 4;
	}
	if (skb->protocol == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr ip6;

		if (bpf_skb_load_bytes(skb, 0, &ip6, sizeof(ip6)))
			return 0;
		*protocol = ip6.nexthdr;
		return sizeof(ip6);
	}
	return 0;
}

static __always_inline void tell(struct __sk_buff *skb, __u32 payload, __u32 kind, __u32 transport, __u64 who)
{
	__u32 length = skb->len - payload;
	struct taut_contact *c = reserve(kind, who, transport, 0);

	if (!c)
		return;
	if (length > TAUT_QUESTION_BYTES)
		length = TAUT_QUESTION_BYTES;
	c->length = length;
	/* One less and one more, as the verifier wants to see that it is neither 0 nor too much. */
	length = (length - 1) & (TAUT_QUESTION_BYTES - 1);
	if (bpf_skb_load_bytes(skb, payload, c->payload, length + 1)) {
		bpf_ringbuf_discard(c, 0);
		return;
	}
	bpf_ringbuf_submit(c, 0);
}

SEC("cgroup_skb/egress")
int on_egress(struct __sk_buff *skb)
{
	__u8 protocol = 0;
	__u32 at = transport_of(skb, &protocol);
	__u64 who = bpf_get_current_pid_tgid();

	if (!at || !is_wanted(TAUT_WANT_NAMES))
		return PASS;
	if (protocol == IPPROTO_UDP) {
		struct udphdr udp;

		if (bpf_skb_load_bytes(skb, at, &udp, sizeof(udp)) || !is_resolver(bpf_ntohs(udp.dest)))
			return PASS;
		at += sizeof(udp);
	} else if (protocol == IPPROTO_TCP) {
		struct tcphdr tcp;
		__u64 cookie = bpf_get_socket_cookie(skb), *owner;

		if (bpf_skb_load_bytes(skb, at, &tcp, sizeof(tcp)) || !is_resolver(bpf_ntohs(tcp.dest)))
			return PASS;
		at += tcp.doff * 4;
		owner = bpf_map_lookup_elem(&owners, &cookie);
		if (owner)
			who = *owner;
	} else {
		return PASS;
	}
	if (skb->len > at + DNS_HEADER)
		tell(skb, at, TAUT_QUESTION, protocol, who);
	return PASS;
}

/* Answers over UDP, which is how nearly all come: what addresses a name has. */
SEC("cgroup_skb/ingress")
int on_ingress(struct __sk_buff *skb)
{
	__u8 protocol = 0;
	__u32 at = transport_of(skb, &protocol);
	struct udphdr udp;

	if (!at || protocol != IPPROTO_UDP || !is_wanted(TAUT_WANT_CONNECTIONS))
		return PASS;
	if (bpf_skb_load_bytes(skb, at, &udp, sizeof(udp)) || !is_resolver(bpf_ntohs(udp.source)))
		return PASS;
	at += sizeof(udp);
	if (skb->len > at + DNS_HEADER)
		tell(skb, at, TAUT_ANSWER, protocol, 0);
	return PASS;
}

char LICENSE[] SEC("license") = "GPL";
