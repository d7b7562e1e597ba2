/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every way in which a frame, a header or an event can end: once, as a list with its human text.
 *
 * How to add one: add a line. The enum, the per-interface counters, the ledger's text, its JSON and its sum follow.
 *
 *   seen   = forwarded + steered + passed{reason} + dropped{reason}     XL_VERDICTS: each frame in exactly one
 *   observed = tracked + Σ not tracked{reason}                          XL_OBSERVED: each frame at each hook in exactly one
 *   events = delivered + lost{reason}                                   XL_EVENT_OUTCOMES
 *   XL_MALFORMED tells in addition what was wrong with a frame that could not be read to its end.
 */
#ifndef XDPLIFE_COUNTERS_H
#define XDPLIFE_COUNTERS_H

#include <linux/types.h>

#include "fate.h"
#include "tcp_events.h"

/* How an outcome counts in the ledger's sum. */
enum verdict_class {
	CLASS_FORWARDED,
	CLASS_STEERED,
	CLASS_PASSED,
	CLASS_DROPPED,
	CLASS_COUNT,
};

/* X(name, class, key, text). The first is what a frame gets when no stage claims it. */
#define XL_VERDICTS(X)                                                                                       \
	X(PASS, PASSED, "pass", "no stage claimed it: to the stack")                                         \
	X(FORWARD, FORWARDED, "forward", "routed: TTL decremented, MACs rewritten, redirected")              \
	X(STEER, STEERED, "steer", "for our own connection: to the AF_XDP socket")                           \
	X(STEER_NO_SOCKET, PASSED, "steer-no-socket", "for our own connection, but no socket on this queue") \
	X(PASS_MALFORMED, PASSED, "malformed", "malformed at or below IP: the stack counts and drops it")    \
	X(PASS_NOT_IP, PASSED, "not-ip", "not IP: for the stack (ARP, LLDP, ...)")                           \
	X(PASS_NOT_OUR_MAC, PASSED, "not-our-mac", "destination MAC is not this interface's")                \
	X(PASS_VLAN, PASSED, "vlan", "VLAN tagged: routed by the stack")                                     \
	X(PASS_ADDRESS, PASSED, "address",                                                                   \
	  "source or destination must not be routed (martian, multicast, link-local)")                       \
	X(PASS_OPTIONS, PASSED, "ip-options",                                                                \
	  "IPv4 options or IPv6 hop-by-hop header: the stack handles them")                                  \
	X(PASS_TTL, PASSED, "ttl-expired", "TTL ran out: the stack sends the ICMP error")                    \
	X(PASS_LOCAL, PASSED, "local", "for the router itself, a broadcast, or no route (NOT_FWDED)")        \
	X(PASS_NO_NEIGH, PASSED, "no-neighbour", "next hop's MAC unknown: the stack resolves it")            \
	X(PASS_UNREACHABLE, PASSED, "unreachable",                                                           \
	  "no route or a forbidding one: the stack sends the ICMP error")                                    \
	X(PASS_FWD_DISABLED, PASSED, "forwarding-disabled",                                                  \
	  "forwarding is off on the interface (sysctl forwarding)")                                          \
	X(PASS_UNSUPPORTED, PASSED, "unsupported", "the route needs encapsulation: the stack does it")       \
	X(PASS_FRAG_NEEDED, PASSED, "too-big",                                                               \
	  "larger than the egress MTU: the stack fragments it or says so")                                   \
	X(PASS_REVERSE_PATH, PASSED, "reverse-path",                                                         \
	  "fails the reverse-path check: the stack decides (rp_filter)")                                     \
	X(PASS_NOT_A_PORT, PASSED, "egress-not-ours",                                                        \
	  "leaves by an interface that we are not attached to: the stack routes it")                         \
	X(PASS_LOOKUP_ERROR, PASSED, "lookup-error", "the FIB lookup failed: the stack decides")             \
	X(PASS_TRIM_FAILED, PASSED, "trim-failed", "Ethernet padding could not be cut: the stack does it")   \
	X(DROP_BLACKHOLE, DROPPED, "blackhole", "blackhole route")

/*
 * What the kernel tells of a frame only after the program has let go of it, by its tracepoints. X(name, of, key, text):
 * the ledger takes these from the verdict `of` and counts them as dropped.
 */
#define XL_AFTER_REDIRECT(X)                                                                                 \
	X(EGRESS, FORWARD, "redirect-failed",                                                                \
	  "the egress interface did not take it (xdp_devmap_xmit, xdp_redirect_err)")                        \
	X(SOCKET, STEER, "socket-full", "the AF_XDP socket's ring was full (xdp_redirect_err)")

/* X(name, key, text): why the rest of a frame could not be read. The first means that nothing is wrong. */
#define XL_MALFORMED(X)                                                                                      \
	X(NONE, "none", "well formed as far as it is known")                                                 \
	X(ETH_TRUNCATED, "eth-truncated", "shorter than its link header (Ethernet: 14 bytes)")               \
	X(VLAN_TRUNCATED, "vlan-truncated", "ends inside a VLAN tag")                                        \
	X(VLAN_DEPTH, "vlan-depth", "more than three VLAN tags")                                             \
	X(ARP_TRUNCATED, "arp-truncated", "ends inside the ARP body (28 bytes)")                             \
	X(ARP_FORMAT, "arp-format", "ARP that is not for Ethernet and IPv4")                                 \
	X(IP4_TRUNCATED, "ip4-truncated", "ends inside the IPv4 header")                                     \
	X(IP4_VERSION, "ip4-version", "IPv4 EtherType, but the version is not 4")                            \
	X(IP4_IHL, "ip4-ihl", "IPv4 header length below 5 words")                                            \
	X(IP4_LENGTH_SHORT, "ip4-length-short", "IPv4 total length shorter than its header")                 \
	X(IP4_LENGTH_LONG, "ip4-length-long", "IPv4 total length beyond the end of the frame")               \
	X(IP4_CHECKSUM, "ip4-checksum", "IPv4 header checksum wrong")                                        \
	X(IP6_TRUNCATED, "ip6-truncated", "ends inside the IPv6 header (40 bytes)")                          \
	X(IP6_VERSION, "ip6-version", "IPv6 EtherType, but the version is not 6")                            \
	X(IP6_LENGTH_LONG, "ip6-length-long", "IPv6 payload length beyond the end of the frame")             \
	X(IP6_EXT_TRUNCATED, "ip6-ext-truncated", "ends inside an IPv6 extension header")                    \
	X(IP6_EXT_DEPTH, "ip6-ext-depth", "more than eight IPv6 extension headers")                          \
	X(IP6_HOP_BY_HOP, "ip6-hop-by-hop", "hop-by-hop header that is not the first")                       \
	X(FRAGMENT_TINY, "fragment-tiny", "first fragment too short for the upper-layer header (RFC 1858)")  \
	X(TCP_TRUNCATED, "tcp-truncated", "ends inside the TCP header")                                      \
	X(TCP_DATA_OFFSET, "tcp-data-offset", "TCP data offset below 5 words")                               \
	X(TCP_OPTIONS, "tcp-options", "TCP option with a length below 2 or past the header")                 \
	X(UDP_TRUNCATED, "udp-truncated", "ends inside the UDP header")                                      \
	X(UDP_LENGTH, "udp-length", "UDP length below 8 or beyond the IP payload")                           \
	X(ICMP_TRUNCATED, "icmp-truncated", "ends inside the ICMP header")                                   \
	X(ICMP6_TRUNCATED, "icmp6-truncated", "ends inside the ICMPv6 header")

/* X(name, key, text): what the observer made of a frame. The first is what feeds the state machines. */
#define XL_OBSERVED(X)                                                                                       \
	X(TRACKED, "tracked", "a TCP segment of a connection")                                               \
	X(FILTERED, "filtered", "the filter does not match")                                                 \
	X(NOT_TCP, "not-tcp", "no TCP in it")                                                                \
	X(ICMP_ERROR, "icmp-error", "an ICMP error about a TCP segment")                                     \
	X(LATER_FRAGMENT, "later-fragment", "a later fragment: its TCP header was in the first")             \
	X(UNPARSED, "unparsed", "malformed: the causes are counted by name")                                 \
	X(SECOND_HOOK, "second-hook", "routed: it was followed where it came in")                            \
	X(UNKNOWN_RST, "unknown-rst", "RST of a connection that is not known")                               \
	X(NO_ROOM, "no-room", "no room for another connection, or another CPU was too long about it")

/* X(name, key, text): what became of something worth telling userspace. */
#define XL_EVENT_OUTCOMES(X)                                                                                 \
	X(EMITTED, "emitted", "written to the ring buffer")                                                  \
	X(LOST_RING_FULL, "ring-full", "the ring buffer was full: the reader is too slow")                   \
	X(LOST_FLOOD, "flood", "half-open connections that were not told, to keep room for those that open") \
	X(LOST_COPY, "copy-failed", "the frame's bytes could not be copied")

#define XL_VERDICT_ENUM(name, class, key, text) VERDICT_##name,
#define XL_MALFORMED_ENUM(name, key, text)      MALFORMED_##name,
#define XL_EVENT_ENUM(name, key, text)          EVENT_##name,
#define XL_OBSERVED_ENUM(name, key, text)       OBSERVED_##name,
#define XL_AFTER_ENUM(name, of, key, text)      AFTER_##name,

enum verdict { XL_VERDICTS(XL_VERDICT_ENUM) VERDICT_COUNT };
enum malformed { XL_MALFORMED(XL_MALFORMED_ENUM) MALFORMED_COUNT };
enum after_redirect { XL_AFTER_REDIRECT(XL_AFTER_ENUM) AFTER_COUNT };
enum observed { XL_OBSERVED(XL_OBSERVED_ENUM) OBSERVED_COUNT };
enum event_outcome { XL_EVENT_OUTCOMES(XL_EVENT_ENUM) EVENT_OUTCOME_COUNT };

/* What one port counts, per CPU; userspace adds the CPUs up. Frames, except where bytes are said. */
struct port_counters {
	__u64 seen;
	__u64 seen_bytes;
	__u64 egress; /* frames seen at the tc egress hook; all of them pass */
	__u64 egress_bytes;
	__u64 xmit_sent; /* redirected frames that the egress driver took */
	__u64 verdict[VERDICT_COUNT];
	__u64 after[AFTER_COUNT];
	__u64 malformed[MALFORMED_COUNT];
	__u64 observed[OBSERVED_COUNT];
	__u64 opened;  /* connections put into the table */
	__u64 evicted; /* and those that newer ones pushed out while only one end had been heard */
	__u64 tcp_event[TCP_EVENT_COUNT];
	struct fate_counts connections;
	__u64 event[EVENT_OUTCOME_COUNT];
};

static inline void port_counters_add(struct port_counters *sum, const struct port_counters *more)
{
	for (unsigned int i = 0; i < sizeof(*sum) / sizeof(__u64); i++)
		((__u64 *)sum)[i] += ((const __u64 *)more)[i];
}

_Static_assert(sizeof(struct port_counters) ==
		       sizeof(struct fate_counts) +
			       8 * (7 + VERDICT_COUNT + AFTER_COUNT + MALFORMED_COUNT + OBSERVED_COUNT +
				    TCP_EVENT_COUNT + EVENT_OUTCOME_COUNT),
	       "no padding: both sides read it as an array of counters");

#endif
