/* SPDX-License-Identifier: GPL-2.0-only */
/* Sends DNS questions and answers to user space, undecoded. */
#ifndef TAUT_DNS_H
#define TAUT_DNS_H

#include "contacts.h"
#include "packet.h"

#define DNS_HEADER 12

/* Room for most messages: so four times as many fit into the ring buffer. A power of two. */
#define SHORT_BYTES 256

/* `most`: a constant, as the verifier requires. */
static __always_inline void tell_bytes(struct __sk_buff *skb, __u32 at, __u32 length, __u32 most, __u32 kind, __u32 transport,
				       const struct flow *who, __u32 held)
{
	struct taut_contact *c = reserve(HEAD_BYTES + most, kind, transport, who);

	if (!c)
		return;
	c->held = held;
	if (copy(skb, at, length, most, c))
		bpf_ringbuf_submit(c, 0);
	else
		bpf_ringbuf_discard(c, 0);
}

static __always_inline void tell_message(struct __sk_buff *skb, __u32 at, __u32 kind, __u32 transport, const struct flow *who)
{
	__u32 length = skb->len - at, held = 0;

	if (skb->len <= at + DNS_HEADER ||
	    !may_tell(kind == TAUT_ANSWER ? bpf_get_socket_cookie(skb) : who->pid, kind, &held))
		return;
	if (length <= SHORT_BYTES)
		tell_bytes(skb, at, length, SHORT_BYTES, kind, transport, who, held);
	else
		tell_bytes(skb, at, length < TAUT_PIECE_BYTES ? length : TAUT_PIECE_BYTES, TAUT_PIECE_BYTES, kind, transport, who, held);
}

/*
 * The start of the payload if the datagram may be DNS: its socket is connected to a resolver, or has asked one. 0 for
 * all other datagrams; their bytes are not read.
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

/* An outgoing datagram: a question, if it goes to a resolver. */
static __always_inline void tell_datagram_question(struct __sk_buff *skb, struct bpf_sock *sk)
{
	struct flow *flow = bpf_sk_storage_get(&flows, sk, 0, 0), who = {};
	bool is_connected = is_resolver(bpf_ntohs(sk->dst_port));
	struct udphdr udp;
	__u32 at = dns_datagram(skb, flow, is_connected, &udp);

	if (!at || !(is_connected || (flow && flow->asks) || is_resolver(bpf_ntohs(udp.dest))))
		return;
	if (names_features.sender_of_packet)
		about_current(&who); /* a datagram leaves in its sender's context */
	else if (flow)
		who = *flow;
	else
		return;
	tell_message(skb, at, TAUT_QUESTION, TAUT_UDP, &who);
}

/* An incoming datagram: an answer, if it comes from a resolver. */
static __always_inline void tell_datagram_answer(struct __sk_buff *skb, struct bpf_sock *sk)
{
	struct flow *flow = bpf_sk_storage_get(&flows, sk, 0, 0), nobody = {};
	struct udphdr udp;
	__u32 at = dns_datagram(skb, flow, is_resolver(bpf_ntohs(sk->dst_port)), &udp);

	if (at && is_resolver(bpf_ntohs(udp.source)))
		tell_message(skb, at, TAUT_ANSWER, TAUT_UDP, &nobody);
}

/* An incoming segment on a connection to a resolver. */
static __always_inline void tell_segment_answer(struct __sk_buff *skb)
{
	struct flow nobody = {};
	__u8 protocol = 0;
	__u32 at = transport_of(skb, &protocol);
	struct tcphdr tcp;

	if (at && !bpf_skb_load_bytes(skb, at, &tcp, sizeof(tcp)))
		tell_message(skb, at + tcp.doff * 4, TAUT_ANSWER, TAUT_TCP, &nobody);
}

#endif
