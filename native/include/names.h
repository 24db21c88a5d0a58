/* SPDX-License-Identifier: Apache-2.0 */
/* The data that the names programs and user space exchange: DNS questions, answers and connections of processes. */
#ifndef TAUT_NAMES_H
#define TAUT_NAMES_H

#include "taut.h"

/* A power of two. DNS over UDP seldom exceeds 512 bytes; a longer message begins with its questions. */
#define TAUT_PIECE_BYTES 1024
/* Captured bytes of a ClientHello: with post-quantum keys it has about 1,800; a session ticket may add thousands. */
#define TAUT_HELLO_BYTES 8192
/* Number of 32-bit words with a bit for each port number. */
#define TAUT_PORT_WORDS 2048

/* Features that user space sets to 0 before loading if the kernel lacks them. */
struct taut_names_features {
	taut_u32 sender_of_packet; /* a packet's program may ask for the running process */
};
TAUT_ASSERT(sizeof(struct taut_names_features) == 4, "the same on both sides");

enum taut_transport { TAUT_UDP = 17, TAUT_TCP = 6 };

/*
 * Contacts of one kind that a process (an answer: a socket) may cause at once, and how soon there may be one more. Who
 * causes more must not keep user space busy, nor take the room of others.
 */
#define TAUT_CONTACTS_AT_ONCE 256
#define TAUT_CONTACT_INTERVAL_NS 4000000
/* Processes and sockets whose contacts are counted; of more, those are forgotten that caused none for longest. */
#define TAUT_COUNTED 8192

#define TAUT_CONTACTS(X)                                                                        \
	X(TAUT_QUESTION, question) /* to a resolver: the payload is the message */               \
	X(TAUT_ANSWER, answer)     /* of a resolver; the asking process is not known */          \
	X(TAUT_CONNECT, connect)   /* no payload */                                              \
	X(TAUT_HELLO, hello)       /* the payload is a piece of what looks like a TLS ClientHello */

enum taut_contact_kind {
	TAUT_NO_CONTACT,
#define X(kind, name) kind,
	TAUT_CONTACTS(X)
#undef X
	TAUT_CONTACT_KINDS,
};

/* What user space wants to receive: bits of the number in the map `wanted`. */
enum taut_contact_wanted { TAUT_WANT_NAMES = 1, TAUT_WANT_CONNECTIONS = 2, TAUT_WANT_ANSWERS = 4 };

/* A contact without payload ends before `payload`. */
struct taut_contact {
	taut_u32 pid;
	taut_u32 held;     /* contacts of this kind and process that were held back since the one before */
	taut_u64 at_ns;    /* CLOCK_MONOTONIC */
	taut_u64 start_ns; /* start of the process, ns since boot: /proc/PID/stat field 22 in clock ticks */
	taut_u64 cookie;   /* the socket's cookie, as in sock_diag */
	taut_u32 length;   /* bytes of `payload` that are filled */
	unsigned char transport; /* enum taut_transport */
	unsigned char kind; /* enum taut_contact_kind */
	unsigned short port; /* the destination port, for CONNECT and HELLO */
	taut_u32 offset;    /* position of a HELLO's piece in the connection's bytes */
	taut_u32 address_length; /* 4 or 16, for CONNECT and HELLO */
	unsigned char address[16];
	unsigned char payload[TAUT_PIECE_BYTES];
};
TAUT_ASSERT(sizeof(struct taut_contact) == 64 + TAUT_PIECE_BYTES, "the same on both sides");

#endif
