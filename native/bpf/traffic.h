/* SPDX-License-Identifier: GPL-2.0-only */
/* Finds DNS questions, DNS answers and TLS ClientHellos among the packets of this host's sockets. */
#ifndef TAUT_TRAFFIC_H
#define TAUT_TRAFFIC_H

#include "dns.h"
#include "hello.h"

static __always_inline void segment_leaves(struct __sk_buff *skb, struct flow *flow)
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
 * Runs for every outgoing packet of the host. Looks only at the packet's socket, unless the socket asks a resolver or
 * begins a connection.
 */
static __always_inline void packet_leaves(struct __sk_buff *skb)
{
	struct bpf_sock *sk = socket_of(skb);
	struct flow *flow;

	if (!sk)
		return;
	if (sk->protocol == IPPROTO_TCP) {
		flow = bpf_sk_storage_get(&flows, sk, 0, 0);
		if (flow && (flow->wanted || flow->asks))
			segment_leaves(skb, flow);
	} else if (sk->protocol == IPPROTO_UDP && is_wanted(TAUT_WANT_NAMES)) {
		tell_datagram_question(skb, sk);
	}
}

/* Runs for every incoming packet: looks for DNS answers, which tell the addresses of a name. */
static __always_inline void packet_arrives(struct __sk_buff *skb)
{
	struct bpf_sock *sk = socket_of(skb);
	struct flow *flow;

	if (!sk || !is_wanted(TAUT_WANT_ANSWERS))
		return;
	if (sk->protocol == IPPROTO_TCP) {
		flow = bpf_sk_storage_get(&flows, sk, 0, 0);
		if (flow && flow->asks)
			tell_segment_answer(skb);
	} else if (sk->protocol == IPPROTO_UDP) {
		tell_datagram_answer(skb, sk);
	}
}

#endif
