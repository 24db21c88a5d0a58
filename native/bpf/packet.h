/* SPDX-License-Identifier: GPL-2.0-only */
/* Finds the parts of a packet, which for cgroup programs begins with the IP header. */
#ifndef TAUT_PACKET_H
#define TAUT_PACKET_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* In practice a socket's packet has fewer IPv6 extension headers. */
#define MAX_EXTENSIONS 4

/* The offset of the transport header; 0 if the packet is not IP or can't be read. */
static __always_inline __u32 transport_of(struct __sk_buff *skb, __u8 *protocol)
{
	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		struct iphdr ip;

		if (bpf_skb_load_bytes(skb, 0, &ip, sizeof(ip)))
			return 0;
		*protocol = ip.protocol;
		return ip.ihl * 4;
	}
	if (skb->protocol != bpf_htons(ETH_P_IPV6))
		return 0;
	struct ipv6hdr ip6;
	__u32 at = sizeof(ip6);

	if (bpf_skb_load_bytes(skb, 0, &ip6, sizeof(ip6)))
		return 0;
	*protocol = ip6.nexthdr;
	for (int i = 0; i < MAX_EXTENSIONS; i++) {
		struct ipv6_opt_hdr extension;

		if (*protocol != IPPROTO_HOPOPTS && *protocol != IPPROTO_ROUTING && *protocol != IPPROTO_DSTOPTS)
			return at;
		if (bpf_skb_load_bytes(skb, at, &extension, sizeof(extension)))
			return 0;
		*protocol = extension.nexthdr;
		at += (extension.hdrlen + 1) * 8;
	}
	return at;
}

/* Reads the destination address of a packet. @returns its length; 0 if it can't be read. */
static __always_inline __u32 destination_of(struct __sk_buff *skb, unsigned char *address)
{
	bool is_ipv4 = skb->protocol == bpf_htons(ETH_P_IP);

	if (is_ipv4)
		return bpf_skb_load_bytes(skb, offsetof(struct iphdr, daddr), address, 4) ? 0 : 4;
	return bpf_skb_load_bytes(skb, offsetof(struct ipv6hdr, daddr), address, 16) ? 0 : 16;
}

#endif
