// SPDX-License-Identifier: GPL-2.0-only
/* Verifies the checksums of the upper layers, and says what came of it. */
#include "proto/dissect.h"
#include "xdplife/checksum.h"

const char *field_check_key(enum field_check check)
{
	static const char *const keys[] = {
		[FIELD_CHECK_RIGHT] = "right",
		[FIELD_CHECK_WRONG] = "wrong",
		[FIELD_CHECK_PARTIAL] = "partial",
		[FIELD_CHECK_ABSENT] = "absent",
		[FIELD_CHECK_UNVERIFIABLE] = "unverifiable",
	};

	return (size_t)check < sizeof(keys) / sizeof(*keys) ? keys[check] : NULL;
}

static void say(struct dissector *ds, struct field *field, enum field_check check, const char *meaning)
{
	field->check = check;
	field_means(ds, field, "%s", meaning);
}

void check_result(struct dissector *ds, struct field *field, uint16_t is, uint16_t should)
{
	if (!field)
		return;
	/* 0xffff and 0 are the same number in one's complement: a sum over the header is right with either.
	 */
	if (is == should || (is == 0xffff && should == 0)) {
		say(ds, field, FIELD_CHECK_RIGHT, "right");
		return;
	}
	field->check = FIELD_CHECK_WRONG;
	field_means(ds, field, "wrong, should be 0x%04x", should);
}

/* Why the sum cannot be computed; NULL if it can. */
static const char *unverifiable(const struct dissector *ds, uint32_t at, uint32_t bytes, bool pseudo_header)
{
	if (ds->quoted)
		return "not verifiable (a packet quoted by an ICMP error is not whole)";
	if (ds->ip.fragment)
		return "not verifiable (fragment: it covers the whole datagram)";
	if (pseudo_header && !ds->ip.addresses_known)
		return "not verifiable (the final destination is not known)";
	if (captured(ds, at, at + bytes) == bytes)
		return NULL;
	if (at + bytes > ds->end)
		return "not verifiable (the length goes beyond the packet)";
	return "not verifiable (truncated capture: not all bytes that it covers are here)";
}

void check_upper_layer(struct dissector *ds, struct field *field, uint32_t at, uint32_t bytes,
		       uint8_t ip_proto, bool pseudo_header)
{
	const uint8_t *data = ds->d->data;
	const char *reason = unverifiable(ds, at, bytes, pseudo_header);
	uint64_t pseudo = 0, sum;
	uint32_t behind;
	uint16_t should;

	if (!field)
		return;
	if (reason) {
		say(ds, field, FIELD_CHECK_UNVERIFIABLE, reason);
		return;
	}
	if (pseudo_header)
		pseudo = checksum_pseudo_header(ds->ip.version, &ds->ip.src, &ds->ip.dst, ip_proto, bytes);
	behind = field->offset + 2;
	sum = checksum_bytes(data + at, field->offset - at, pseudo);
	sum = checksum_bytes(data + behind, at + bytes - behind, sum);
	should = FROM_BE16(~checksum_fold(sum));
	if (ip_proto == IPPROTO_UDP && !should)
		should = 0xffff; /* RFC 768: 0 means none */
	check_result(ds, field, field->raw, should);
	if (pseudo_header && field->check == FIELD_CHECK_WRONG &&
	    field->raw == FROM_BE16(checksum_fold(pseudo)))
		say(ds, field, FIELD_CHECK_PARTIAL,
		    "the pseudo-header sum only (the sender's checksum offload; RFC 9293 §3.1)");
}
