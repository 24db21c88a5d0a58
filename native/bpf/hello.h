/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The first bytes of a connection, told when they look like a TLS ClientHello: in one packet or in many. Each other connection
 * costs one look at its first payload.
 */
#ifndef TAUT_HELLO_H
#define TAUT_HELLO_H

#include "contacts.h"
#include "packet.h"

#define RECORD_HEADER 5
#define HANDSHAKE 0x16
#define CLIENT_HELLO 1
/* Record type, version (two bytes), length (two bytes), handshake type. */
#define PREFIX 6

/* Whether byte `i` of a connection may be that of a ClientHello: a handshake record of TLS 1.x. */
static __always_inline bool may_begin(__u32 i, __u8 byte)
{
	return i == 0 ? byte == HANDSHAKE : i == 1 ? byte == 3 : i == 2 ? byte <= 4 : i == 5 ? byte == CLIENT_HELLO : true;
}

/* The prefix, of which some bytes may have come before. */
static __always_inline bool is_prefix(struct __sk_buff *skb, __u32 at, __u32 length, __u32 captured)
{
	for (__u32 i = 0; i < PREFIX; i++) {
		__u8 byte;

		if (i < captured)
			continue;
		if (i - captured >= length)
			return true; /* as far as it goes */
		if (bpf_skb_load_bytes(skb, at + i - captured, &byte, 1) || !may_begin(i, byte))
			return false;
	}
	return true;
}

/* How much of the connection the ClientHello takes, if it lies in one record; more is not looked at. */
static __always_inline __u32 hello_bytes(struct __sk_buff *skb, __u32 at)
{
	__u8 b[9]; /* of the record: length at 3; of the handshake: length at 6, three bytes */
	__u32 record, hello;

	if (bpf_skb_load_bytes(skb, at, b, sizeof(b)))
		return TAUT_HELLO_BYTES;
	record = b[3] << 8 | b[4];
	hello = (b[6] << 16 | b[7] << 8 | b[8]) + 4;
	return hello > record || hello + RECORD_HEADER > TAUT_HELLO_BYTES ? TAUT_HELLO_BYTES : hello + RECORD_HEADER;
}

/* Tells one piece. @returns whether there was room. */
static __always_inline bool tell_piece(struct __sk_buff *skb, __u32 at, __u32 length, __u32 port, struct flow *flow)
{
	struct taut_contact *c = reserve(sizeof(*c), TAUT_HELLO, TAUT_TCP, flow);

	if (!c)
		return false;
	c->cookie = bpf_get_socket_cookie(skb);
	c->port = port;
	c->offset = flow->captured;
	c->address_length = destination_of(skb, c->address);
	if (!copy(skb, at, length, c)) {
		bpf_ringbuf_discard(c, 0);
		return false;
	}
	bpf_ringbuf_submit(c, 0);
	return true;
}

/* A payload of a connection whose beginning is looked for. Under the socket's lock: one at a time. */
static __always_inline void look_for_hello(struct __sk_buff *skb, __u32 at, const struct tcphdr *tcp, struct flow *flow)
{
	__u32 length = skb->len - at, seq = bpf_ntohl(tcp->seq) + tcp->syn; /* with data: TCP fast open */
	__u32 port = bpf_ntohs(tcp->dest);

	if (flow->captured) {
		__u32 again = flow->next - seq;

		if (again >= length) /* sent again, nothing new */
			return;
		at += again;
		length -= again;
		seq = flow->next;
	}
	if (!is_prefix(skb, at, length, flow->captured)) {
		flow->wanted = 0;
		return;
	}
	if (!flow->captured)
		flow->wanted = hello_bytes(skb, at);
	flow->next = seq + length;
	for (int i = 0; i < TAUT_HELLO_BYTES / TAUT_PIECE_BYTES && length; i++) {
		__u32 left = flow->wanted - flow->captured;
		__u32 piece = length < TAUT_PIECE_BYTES ? length : TAUT_PIECE_BYTES;

		if (piece > left)
			piece = left;
		if (!piece)
			break;
		if (!tell_piece(skb, at, piece, port, flow)) {
			flow->captured = flow->wanted; /* a gap can't be mended */
			break;
		}
		flow->captured += piece;
		at += piece;
		length -= piece;
	}
	if (flow->captured >= flow->wanted)
		flow->wanted = 0;
}

#endif
