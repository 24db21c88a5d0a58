/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reports which process asks a resolver for which name, and which process connects to which address. Attached to the
 * root of the cgroup hierarchy, the programs see every socket of every network namespace. They only observe: they
 * always return 1 (pass), and never drop, delay or change a packet.
 */
#include "connect.h"
#include "traffic.h"

#define PASS 1

struct flows_by_socket flows SEC(".maps");
struct port_bits ports SEC(".maps");
struct wanted_bits wanted SEC(".maps");
struct contact_records lookups SEC(".maps");
struct contact_records answers SEC(".maps");
struct contact_records connections SEC(".maps");
struct causing_by_cause causes SEC(".maps");
struct lost_contacts lost SEC(".maps");

const volatile struct taut_names_features names_features SEC(".rodata.features") = {.sender_of_packet = 1};

SEC("cgroup/connect4")
int on_connect4(struct bpf_sock_addr *ctx) { connecting4(ctx); return PASS; }

SEC("cgroup/connect6")
int on_connect6(struct bpf_sock_addr *ctx) { connecting6(ctx); return PASS; }

SEC("cgroup/sendmsg4")
int on_sendmsg4(struct bpf_sock_addr *ctx) { sending(ctx); return PASS; }

SEC("cgroup/sendmsg6")
int on_sendmsg6(struct bpf_sock_addr *ctx) { sending(ctx); return PASS; }

SEC("cgroup_skb/egress")
int on_egress(struct __sk_buff *skb) { packet_leaves(skb); return PASS; }

SEC("cgroup_skb/ingress")
int on_ingress(struct __sk_buff *skb) { packet_arrives(skb); return PASS; }

char LICENSE[] SEC("license") = "GPL";
