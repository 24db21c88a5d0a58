/* SPDX-License-Identifier: Apache-2.0 */
/* What a process says to the network about whom it talks to: what crosses the border of the names programs. */
#ifndef TAUT_NAMES_H
#define TAUT_NAMES_H

#include "taut.h"

/* A power of two. DNS over UDP is seldom longer than 512 bytes; of a longer message the questions come first. */
#define TAUT_QUESTION_BYTES 1024
#define TAUT_DNS_PORTS 8

enum taut_transport { TAUT_UDP = 17, TAUT_TCP = 6 };

enum taut_contact_kind {
	TAUT_QUESTION = 1, /* to a resolver: the payload is the message */
	TAUT_ANSWER,       /* of a resolver; whose it is is not said */
	TAUT_CONNECT,      /* the payload is the address, 4 or 16 bytes */
};

/* What user space has use for: bits of the `wanted` number. */
enum taut_contact_wanted { TAUT_WANT_NAMES = 1, TAUT_WANT_CONNECTIONS = 2 };

struct taut_contact {
	taut_u32 pid;
	taut_u32 tid;
	taut_u64 at_ns; /* CLOCK_MONOTONIC */
	taut_u32 length; /* of the payload, as much of it as is here */
	unsigned char transport; /* enum taut_transport */
	unsigned char kind; /* enum taut_contact_kind */
	unsigned short port; /* the other side's */
	unsigned char payload[TAUT_QUESTION_BYTES];
};
TAUT_ASSERT(sizeof(struct taut_contact) == 24 + TAUT_QUESTION_BYTES, "the same on both sides");

#endif
