/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sends the first bytes of a connection to user space if they look like a TLS ClientHello, in one packet or in many.
 * For any other connection, only the first payload is examined.
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

/* Whether byte `i` of a connection fits a ClientHello in a handshake record of TLS 1.x. */
static __always_inline bool may_begin(__u32 i, __u8 byte)
{
	return i == 0 ? byte == HANDSHAKE : i == 1 ? byte == 3 : i == 2 ? byte <= 4 : i == 5 ? byte == CLIENT_HELLO : true;
}

/*
 * Whether the payload fits the prefix; the first `captured` bytes of the prefix came in earlier packets.
 * A global function, as `budget_for`.
 */
__attribute__((noinline)) int is_prefix(struct __sk_buff *skb, __u32 at, __u32 length, __u32 captured)
{
	for (__u32 i = 0; i < PREFIX; i++) {
		__u8 byte;

		if (i < captured)
			continue;
		if (i - captured >= length)
			return true; /* all bytes so far fit */
		if (bpf_skb_load_bytes(skb, at + i - captured, &byte, 1) || !may_begin(i, byte))
			return false;
	}
	return true;
}

/* The length of the ClientHello with its record header, if it lies in one record; else TAUT_HELLO_BYTES. */
static __always_inline __u32 hello_bytes(struct __sk_buff *skb, __u32 at)
{
	__u8 b[9]; /* at 3: the record's length, two bytes; at 6: the handshake's length, three bytes */
	__u32 record, hello;

	if (bpf_skb_load_bytes(skb, at, b, sizeof(b)))
		return TAUT_HELLO_BYTES;
	record = b[3] << 8 | b[4];
	hello = (b[6] << 16 | b[7] << 8 | b[8]) + 4;
	return hello > record || hello + RECORD_HEADER > TAUT_HELLO_BYTES ? TAUT_HELLO_BYTES : hello + RECORD_HEADER;
}

/*
 * Sends one piece to user space. @returns whether it was sent.
 * A global function, as `budget_for`: those take no pointers but the context, so it finds the socket again.
 */
__attribute__((noinline)) int tell_piece(struct __sk_buff *skb, __u32 at, __u32 length, __u32 port, __u32 held)
{
	struct bpf_sock *sk = socket_of(skb);

	if (!sk)
		return false;
	struct flow *flow = bpf_sk_storage_get(&flows, sk, 0, 0);
	if (!flow)
		return false;
	struct taut_contact *c = reserve(sizeof(*c), TAUT_HELLO, TAUT_TCP, flow);
	if (!c)
		return false;
	c->cookie = bpf_get_socket_cookie(skb);
	c->port = port;
	c->held = held;
	c->offset = flow->captured;
	c->address_length = destination_of(skb, c->address);
	if (!copy(skb, at, length, TAUT_PIECE_BYTES, c)) {
		bpf_ringbuf_discard(c, 0);
		return false;
	}
	bpf_ringbuf_submit(c, 0);
	return true;
}

/* Looks for a ClientHello in one payload. Runs under the socket's lock: one packet at a time. */
static __always_inline void look_for_hello(struct __sk_buff *skb, __u32 at, const struct tcphdr *tcp, struct flow *flow)
{
	__u32 length = skb->len - at, seq = bpf_ntohl(tcp->seq) + tcp->syn; /* a SYN with data: TCP fast open */
	__u32 port = bpf_ntohs(tcp->dest), held = 0;

	if (flow->captured) {
		__u32 again = flow->next - seq;

		if (again >= length) /* a retransmission without new bytes */
			return;
		at += again;
		length -= again;
		seq = flow->next;
	}
	if (!is_prefix(skb, at, length, flow->captured)) {
		flow->wanted = 0;
		return;
	}
	if (!flow->captured) {
		if (!may_tell(flow->pid, TAUT_HELLO, &held)) {
			flow->wanted = 0;
			return;
		}
		flow->wanted = hello_bytes(skb, at);
	}
	flow->next = seq + length;
	for (int i = 0; i < TAUT_HELLO_BYTES / TAUT_PIECE_BYTES && length; i++) {
		__u32 left = flow->wanted - flow->captured;
		__u32 piece = length < TAUT_PIECE_BYTES ? length : TAUT_PIECE_BYTES;

		if (piece > left)
			piece = left;
		if (!piece)
			break;
		if (!tell_piece(skb, at, piece, port, i ? 0 : held)) {
			flow->captured = flow->wanted; /* give up: a missing piece can't be captured later */
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
