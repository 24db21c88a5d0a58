/* SPDX-License-Identifier: Apache-2.0 */
/* What a process says to the network about whom it talks to: what crosses the border of the names programs. */
#ifndef TAUT_NAMES_H
#define TAUT_NAMES_H

#include "taut.h"

/* A power of two. DNS over UDP is seldom longer than 512 bytes; of a longer message the questions come first. */
#define TAUT_PIECE_BYTES 1024
/* Of a ClientHello: with post-quantum keys they are some 1,800 bytes; a session ticket can add a few thousand. */
#define TAUT_HELLO_BYTES 8192
/* A bit for each port number, in 32-bit words. */
#define TAUT_PORT_WORDS 2048

/* What the programs are loaded without, where the kernel does not have it. */
struct taut_names_features {
	taut_u32 sender_of_packet; /* a packet's program may ask who runs */
};
TAUT_ASSERT(sizeof(struct taut_names_features) == 4, "the same on both sides");

enum taut_transport { TAUT_UDP = 17, TAUT_TCP = 6 };

#define TAUT_CONTACTS(X)                                                                        \
	X(TAUT_QUESTION, question) /* to a resolver: the payload is the message */               \
	X(TAUT_ANSWER, answer)     /* of a resolver; its process is not known */                 \
	X(TAUT_CONNECT, connect)   /* no payload */                                              \
	X(TAUT_HELLO, hello)       /* the payload is a piece of what looks like a TLS ClientHello */

enum taut_contact_kind {
	TAUT_NO_CONTACT,
#define X(kind, name) kind,
	TAUT_CONTACTS(X)
#undef X
};

/* What user space has use for: bits of the `wanted` number. */
enum taut_contact_wanted { TAUT_WANT_NAMES = 1, TAUT_WANT_CONNECTIONS = 2, TAUT_WANT_ANSWERS = 4 };

/* Without a payload it ends before it. */
struct taut_contact {
	taut_u32 pid;
	taut_u32 tid;
	taut_u64 at_ns;    /* CLOCK_MONOTONIC */
	taut_u64 start_ns; /* start of the process, ns since boot: /proc/PID/stat field 22 in clock ticks */
	taut_u64 cookie;   /* of the socket: the same in sock_diag */
	taut_u32 length;   /* of the payload, as much of it as is here */
	unsigned char transport; /* enum taut_transport */
	unsigned char kind; /* enum taut_contact_kind */
	unsigned short port; /* the other side's, for CONNECT and HELLO */
	taut_u32 offset;    /* of a HELLO's piece in its connection's bytes */
	taut_u32 address_length; /* 4 or 16, for CONNECT and HELLO */
	unsigned char address[16];
	unsigned char payload[TAUT_PIECE_BYTES];
};
TAUT_ASSERT(sizeof(struct taut_contact) == 64 + TAUT_PIECE_BYTES, "the same on both sides");

#endif
