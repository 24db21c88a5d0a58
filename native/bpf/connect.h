/* SPDX-License-Identifier: GPL-2.0-only */
/* Notes the owner and the destination of a socket when a program connects it, or sends on it without connecting. */
#ifndef TAUT_CONNECT_H
#define TAUT_CONNECT_H

#include "contacts.h"
#include <linux/in.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

static __always_inline void connecting(struct bpf_sock_addr *ctx, const __u32 *address, __u32 words)
{
	__u32 port = bpf_ntohs(ctx->user_port);
	bool asks = is_resolver(port), is_tcp = ctx->protocol == IPPROTO_TCP;
	__u32 held = 0;
	struct bpf_sock *sk = ctx->sk;
	struct flow flow = {.asks = asks};

	about_current(&flow);
	if (is_tcp && !asks && is_wanted(TAUT_WANT_NAMES))
		flow.wanted = TAUT_HELLO_BYTES;
	/* A connected UDP socket needs no flow if a packet's program can ask for the sender: its port is enough. */
	if (sk) {
		bool keeps = is_tcp || (asks && !names_features.sender_of_packet);
		struct flow *kept = bpf_sk_storage_get(&flows, sk, &flow, keeps ? BPF_SK_STORAGE_GET_F_CREATE : 0);

		if (kept)
			*kept = flow;
		else if (keeps)
			count_lost(asks ? TAUT_QUESTION : TAUT_HELLO);
	}
	if (asks || !is_wanted(TAUT_WANT_CONNECTIONS) || !may_tell(flow.pid, TAUT_CONNECT, &held))
		return;
	struct taut_contact *c = reserve(HEAD_BYTES, TAUT_CONNECT, ctx->protocol, &flow);
	if (!c)
		return;
	c->held = held;
	for (__u32 i = 0; i < words; i++)
		((__u32 *)c->address)[i] = address[i];
	c->address_length = words * 4;
	c->port = port;
	c->cookie = bpf_get_socket_cookie(ctx);
	bpf_ringbuf_submit(c, 0);
}

static __always_inline void connecting4(struct bpf_sock_addr *ctx)
{
	__u32 address = ctx->user_ip4;

	connecting(ctx, &address, 1);
}

static __always_inline void connecting6(struct bpf_sock_addr *ctx)
{
	__u32 address[4] = {ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3]};

	connecting(ctx, address, 4);
}

/*
 * A datagram of an unconnected socket. The port is the one that the program gave, as for connected sockets: address
 * translation may change the port of a container's resolver before the packet leaves.
 */
static __always_inline void sending(struct bpf_sock_addr *ctx)
{
	bool asks = is_resolver(bpf_ntohs(ctx->user_port));
	struct bpf_sock *sk = ctx->sk;
	struct flow *flow = sk ? bpf_sk_storage_get(&flows, sk, 0, asks ? BPF_SK_STORAGE_GET_F_CREATE : 0) : 0;

	if (flow) {
		flow->asks = asks;
		about_current(flow);
	} else if (asks) {
		count_lost(TAUT_QUESTION);
	}
}

#endif
