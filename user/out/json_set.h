/* SPDX-License-Identifier: GPL-2.0-only */
/* Shorter names for what JSON objects are made of. */
#ifndef XDPLIFE_JSON_SET_H
#define XDPLIFE_JSON_SET_H

#include <jansson.h>
#include <linux/types.h>

static inline void json_set_text(json_t *object, const char *key, const char *text)
{
	json_object_set_new(object, key, json_string(text));
}

static inline void json_set_number(json_t *object, const char *key, __u64 number)
{
	json_object_set_new(object, key, json_integer((json_int_t)number));
}

static inline void json_set_bool(json_t *object, const char *key, int value)
{
	json_object_set_new(object, key, json_boolean(value));
}

#endif
