/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who asks a resolver for what, and who connects to whom: programs on the root of the cgroup hierarchy see every socket of every network
 * namespace. They look, and let everything pass: always 1, never a packet dropped, delayed or changed.
 */
#include "hello.h"

#define PASS 1
#define DNS_HEADER 12

static __always_inline int connecting(struct bpf_sock_addr *ctx, const __u32 *address, __u32 words)
{
	__u32 port = bpf_ntohs(ctx->user_port);
	bool asks = is_resolver(port), is_tcp = ctx->protocol == IPPROTO_TCP;
	struct bpf_sock *sk = ctx->sk;
	struct flow flow = {.asks = asks};

	about_current(&flow);
	if (is_tcp && !asks && is_wanted(TAUT_WANT_NAMES))
		flow.wanted = TAUT_HELLO_BYTES;
	/* Of a UDP socket that is connected, the port that it has says all, where a packet tells who sends it. */
	if (sk) {
		bool keeps = is_tcp || (asks && !features.sender_of_packet);
		struct flow *kept = bpf_sk_storage_get(&flows, sk, &flow, keeps ? BPF_SK_STORAGE_GET_F_CREATE : 0);

		if (kept)
			*kept = flow;
		else if (keeps)
			count_lost();
	}
	if (asks || !is_wanted(TAUT_WANT_CONNECTIONS))
		return PASS;
	struct taut_contact *c = reserve(HEAD_BYTES, TAUT_CONNECT, ctx->protocol, &flow);
	if (!c)
		return PASS;
	for (__u32 i = 0; i < words; i++)
		((__u32 *)c->address)[i] = address[i];
	c->address_length = words * 4;
	c->port = port;
	c->cookie = bpf_get_socket_cookie(ctx);
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

/*
 * A datagram of a socket that is not connected. The port is what the program gave, as with sockets that are: a container's
 * resolver has another one by the time that the packet leaves (address translation).
 */
static __always_inline int sending(struct bpf_sock_addr *ctx)
{
	bool asks = is_resolver(bpf_ntohs(ctx->user_port));
	struct bpf_sock *sk = ctx->sk;
	struct flow *flow = sk ? bpf_sk_storage_get(&flows, sk, 0, asks ? BPF_SK_STORAGE_GET_F_CREATE : 0) : 0;

	if (flow) {
		flow->asks = asks;
		about_current(flow);
	} else if (asks) {
		count_lost();
	}
	return PASS;
}

SEC("cgroup/sendmsg4")
int on_sendmsg4(struct bpf_sock_addr *ctx)
{
	return sending(ctx);
}

SEC("cgroup/sendmsg6")
int on_sendmsg6(struct bpf_sock_addr *ctx)
{
	return sending(ctx);
}

static __always_inline void tell_message(struct __sk_buff *skb, __u32 at, __u32 kind, __u32 transport, const struct flow *who)
{
	__u32 length = skb->len - at;

	if (skb->len <= at + DNS_HEADER)
		return;
	struct taut_contact *c = reserve(sizeof(*c), kind, transport, who);

	if (!c)
		return;
	if (copy(skb, at, length < TAUT_PIECE_BYTES ? length : TAUT_PIECE_BYTES, c))
		bpf_ringbuf_submit(c, 0);
	else
		bpf_ringbuf_discard(c, 0);
}

static __always_inline void tcp_leaves(struct __sk_buff *skb, struct flow *flow)
{
	__u8 protocol = 0;
	__u32 at = transport_of(skb, &protocol);
	struct tcphdr tcp;

	if (!at || protocol != IPPROTO_TCP || bpf_skb_load_bytes(skb, at, &tcp, sizeof(tcp)))
		return;
	at += tcp.doff * 4;
	if (skb->len <= at)
		return;
	if (flow->asks)
		tell_message(skb, at, TAUT_QUESTION, TAUT_TCP, flow);
	else
		look_for_hello(skb, at, &tcp, flow);
}

/*
 * Where the payload of a datagram begins that may be DNS: its socket is connected to a resolver, or has asked one; 0 for all
 * others, of which no byte is looked at.
 */
static __always_inline __u32 dns_datagram(struct __sk_buff *skb, struct flow *flow, bool is_connected, struct udphdr *udp)
{
	__u8 protocol = 0;
	__u32 at;

	if (!flow && !is_connected)
		return 0;
	at = transport_of(skb, &protocol);
	if (!at || protocol != IPPROTO_UDP || bpf_skb_load_bytes(skb, at, udp, sizeof(*udp)))
		return 0;
	return at + sizeof(*udp);
}

static __always_inline void udp_leaves(struct __sk_buff *skb, struct bpf_sock *sk)
{
	struct flow *flow = bpf_sk_storage_get(&flows, sk, 0, 0), who = {};
	bool is_connected = is_resolver(bpf_ntohs(sk->dst_port));
	struct udphdr udp;
	__u32 at = dns_datagram(skb, flow, is_connected, &udp);

	if (!at || !(is_connected || (flow && flow->asks) || is_resolver(bpf_ntohs(udp.dest))))
		return;
	if (features.sender_of_packet)
		about_current(&who); /* a datagram leaves in its sender's context */
	else if (flow)
		who = *flow;
	else
		return;
	tell_message(skb, at, TAUT_QUESTION, TAUT_UDP, &who);
}

/* Every packet of the host passes here: unless its socket asks a resolver or begins a connection, that is all that is looked at. */
SEC("cgroup_skb/egress")
int on_egress(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;
	struct flow *flow;

	if (sk)
		sk = bpf_sk_fullsock(sk);
	if (!sk)
		return PASS;
	if (sk->protocol == IPPROTO_TCP) {
		flow = bpf_sk_storage_get(&flows, sk, 0, 0);
		if (flow && (flow->wanted || flow->asks))
			tcp_leaves(skb, flow);
	} else if (sk->protocol == IPPROTO_UDP && is_wanted(TAUT_WANT_NAMES)) {
		udp_leaves(skb, sk);
	}
	return PASS;
}

/* Answers: what addresses a name has. */
SEC("cgroup_skb/ingress")
int on_ingress(struct __sk_buff *skb)
{
	__u8 protocol = 0;
	struct bpf_sock *sk = skb->sk;
	struct flow *flow, nobody = {};

	if (sk)
		sk = bpf_sk_fullsock(sk);
	if (!sk || !is_wanted(TAUT_WANT_ANSWERS))
		return PASS;
	if (sk->protocol == IPPROTO_TCP) {
		struct tcphdr tcp;

		flow = bpf_sk_storage_get(&flows, sk, 0, 0);
		if (!flow || !flow->asks)
			return PASS;
		__u32 at = transport_of(skb, &protocol);
		if (at && !bpf_skb_load_bytes(skb, at, &tcp, sizeof(tcp)))
			tell_message(skb, at + tcp.doff * 4, TAUT_ANSWER, TAUT_TCP, &nobody);
	} else if (sk->protocol == IPPROTO_UDP) {
		struct udphdr udp;

		flow = bpf_sk_storage_get(&flows, sk, 0, 0);
		__u32 at = dns_datagram(skb, flow, is_resolver(bpf_ntohs(sk->dst_port)), &udp);
		if (at && is_resolver(bpf_ntohs(udp.source)))
			tell_message(skb, at, TAUT_ANSWER, TAUT_UDP, &nobody);
	}
	return PASS;
}

char LICENSE[] SEC("license") = "GPL";
