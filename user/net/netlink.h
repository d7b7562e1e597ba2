/* SPDX-License-Identifier: GPL-2.0-only */
/* One rtnetlink question and its answers (RFC 3549), on libmnl. */
#ifndef XDPLIFE_NETLINK_H
#define XDPLIFE_NETLINK_H

#include <libmnl/libmnl.h>

#include "xdplife/wire.h"

#define NETLINK_BUFFER_BYTES 32768 /* the kernel's largest answer: one message of a dump */

/* Address family numbers and byte counts of the two IP versions, as netlink wants them. */
int netlink_family(int ip_version);
int netlink_address_bytes(int ip_version);

/**
 * netlink_question() - start a request in @buffer
 * @buffer:      NETLINK_BUFFER_BYTES
 * @type:        RTM_*
 * @extra_bytes: of the fixed header behind the netlink header (struct rtmsg, ...)
 *
 * Return: that fixed header, zeroed, to be filled in; attributes go behind it by mnl_attr_put().
 */
void *netlink_question(void *buffer, __u16 type, __u16 flags, size_t extra_bytes);

/**
 * netlink_ask() - send the request in @buffer and hand each answer to @each
 * @buffer: from netlink_question(); overwritten by the answers
 * @each:   may be NULL where only success matters
 *
 * Return: 0, or -errno: the kernel's answer or what went wrong on the way.
 */
int netlink_ask(void *buffer, mnl_cb_t each, void *data);

/* The IP address in @attr, or zero if its length is not that of the IP version. */
union ip_addr netlink_address(const struct nlattr *attr, int ip_version);

#endif
