// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/figure.h"
#include "bench/json.h"
#include "util/new_file.h"
#include "util/terminal.h"

#define PLACE_BYTES    128 /* "result 32: program 8: helper 24: " */
#define SAFE_EXPANSION 4   /* \xNN */

struct reader {
	char place[PLACE_BYTES]; /* where in the file we are */
	char *why;
	size_t why_bytes;
};

struct field;

/* How a member is written and read. @in is the struct that it is a member of. */
struct kind {
	json_t *(*write)(const struct field *field, const void *in);
	int (*read)(struct reader *reader, const struct field *field, const json_t *json, void *in);
};

/* One member of a struct; a table of them ends with one that has no key. */
struct field {
	const char *key;
	const struct kind *kind;
	size_t offset;
	size_t bytes;               /* of the member; of an array's element */
	const struct field *fields; /* what a struct or an array's element consists of */
	const char *one;            /* an array's element in messages: "result" */
	size_t count_offset;        /* where the struct says how many there are in the array */
	unsigned int room;          /* how many it can take */
};

static int fail(struct reader *reader, const struct field *field, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(struct reader *reader, const struct field *field, const char *format, ...)
{
	char what[128];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	snprintf(reader->why, reader->why_bytes, "%s%s: %s", reader->place, field->key, what);
	return -EINVAL;
}

static void *member(const struct field *field, void *in)
{
	return (char *)in + field->offset;
}

static const void *const_member(const struct field *field, const void *in)
{
	return (const char *)in + field->offset;
}

/* --- text --- */

/* Whether nothing in the UTF-8 is for a terminal to act on: C0, DEL and C1 (C2 80 to C2 9F). */
static bool is_plain(const char *text)
{
	for (const unsigned char *at = (const unsigned char *)text; *at; at++)
		if (*at < 0x20 || *at == 0x7f || (*at == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0))
			return false;
	return true;
}

/* What a kernel or a CPU calls itself need be neither plain nor UTF-8. */
static json_t *write_text(const struct field *field, const void *in)
{
	const char *text = const_member(field, in);
	json_t *json = is_plain(text) ? json_string(text) : NULL;
	char safe[BENCH_SUMMARY_MAX];

	if (json)
		return json;
	terminal_safe(safe, field->bytes < sizeof(safe) ? field->bytes : sizeof(safe), text, strlen(text));
	return json_string(safe);
}

static int read_text(struct reader *reader, const struct field *field, const json_t *json, void *in)
{
	if (!json_is_string(json))
		return fail(reader, field, "not a string");
	if (json_string_length(json) >= field->bytes)
		return fail(reader, field, "longer than %zu bytes", field->bytes - 1);
	if (!is_plain(json_string_value(json)))
		return fail(reader, field, "has a control character");
	strcpy(member(field, in), json_string_value(json));
	return 0;
}

static json_t *write_role(const struct field *field, const void *in)
{
	return json_string(figure_role(*(const enum bench_role *)const_member(field, in)));
}

static int read_role(struct reader *reader, const struct field *field, const json_t *json, void *in)
{
	enum bench_role *role = member(field, in);

	for (*role = 0; json_is_string(json) && *role < BENCH_ROLES; ++*role)
		if (!strcmp(json_string_value(json), figure_role(*role)))
			return 0;
	return fail(reader, field, "not generator, device or sink");
}

/* --- numbers --- */

static json_t *write_real(const struct field *field, const void *in)
{
	double value = *(const double *)const_member(field, in);

	return isfinite(value) ? json_real(value) : json_null();
}

static int read_real(struct reader *reader, const struct field *field, const json_t *json, void *in)
{
	if (!json_is_number(json) && !json_is_null(json))
		return fail(reader, field, "neither a number nor null");
	*(double *)member(field, in) = json_is_null(json) ? NAN : json_number_value(json);
	return 0;
}

static int read_integer(struct reader *reader, const struct field *field, const json_t *json, json_int_t from,
			json_int_t to)
{
	json_int_t value = json_integer_value(json);

	if (json_is_integer(json) && value >= from && value <= to)
		return 0;
	return fail(reader, field, "not an integer from %lld to %lld", (long long)from, (long long)to);
}

static json_t *write_uint(const struct field *field, const void *in)
{
	return json_integer(*(const unsigned int *)const_member(field, in));
}

static int read_uint(struct reader *reader, const struct field *field, const json_t *json, void *in)
{
	*(unsigned int *)member(field, in) = (unsigned int)json_integer_value(json);
	return read_integer(reader, field, json, 0, UINT_MAX);
}

static json_t *write_u64(const struct field *field, const void *in)
{
	__u64 value = *(const __u64 *)const_member(field, in);

	return value <= INT64_MAX ? json_integer((json_int_t)value) : NULL;
}

static int read_u64(struct reader *reader, const struct field *field, const json_t *json, void *in)
{
	*(__u64 *)member(field, in) = (__u64)json_integer_value(json);
	return read_integer(reader, field, json, 0, INT64_MAX);
}

static json_t *write_s64(const struct field *field, const void *in)
{
	return json_integer(*(const __s64 *)const_member(field, in));
}

static int read_s64(struct reader *reader, const struct field *field, const json_t *json, void *in)
{
	*(__s64 *)member(field, in) = json_integer_value(json);
	return read_integer(reader, field, json, INT64_MIN, INT64_MAX);
}

static json_t *write_bool(const struct field *field, const void *in)
{
	return json_boolean(*(const bool *)const_member(field, in));
}

static int read_bool(struct reader *reader, const struct field *field, const json_t *json, void *in)
{
	if (!json_is_boolean(json))
		return fail(reader, field, "neither true nor false");
	*(bool *)member(field, in) = json_is_true(json);
	return 0;
}

/* Not a member: which layout this is. */
static json_t *write_schema(const struct field *field, const void *in)
{
	(void)field;
	(void)in;
	return json_integer(BENCH_SCHEMA);
}

static int read_schema(struct reader *reader, const struct field *field, const json_t *json, void *in)
{
	(void)in;
	if (!json_is_integer(json))
		return fail(reader, field, "not an integer");
	if (json_integer_value(json) != BENCH_SCHEMA)
		return fail(reader, field, "%lld, but this version reads %d",
			    (long long)json_integer_value(json), BENCH_SCHEMA);
	return 0;
}

/* --- structs and arrays of them --- */

static json_t *write_fields(const struct field *fields, const void *in)
{
	json_t *json = json_object();

	for (const struct field *field = fields; json && field->key; field++) {
		if (!json_object_set_new(json, field->key, field->kind->write(field, in)))
			continue;
		json_decref(json);
		return NULL;
	}
	return json;
}

static int read_fields(struct reader *reader, const struct field *fields, const json_t *json, void *in)
{
	for (const struct field *field = fields; field->key; field++) {
		const json_t *value = json_object_get(json, field->key);
		int err =
			value ? field->kind->read(reader, field, value, in) : fail(reader, field, "missing");

		if (err)
			return err;
	}
	return 0;
}

static json_t *write_struct(const struct field *field, const void *in)
{
	return write_fields(field->fields, const_member(field, in));
}

static int read_struct(struct reader *reader, const struct field *field, const json_t *json, void *in)
{
	size_t place = strlen(reader->place);
	int err;

	if (!json_is_object(json))
		return fail(reader, field, "not an object");
	snprintf(reader->place + place, sizeof(reader->place) - place, "%s: ", field->key);
	err = read_fields(reader, field->fields, json, member(field, in));
	reader->place[place] = 0;
	return err;
}

static unsigned int *count_of(const struct field *field, const void *in)
{
	return (unsigned int *)((char *)in + field->count_offset);
}

static json_t *write_array(const struct field *field, const void *in)
{
	const char *element = const_member(field, in);
	json_t *json = json_array();

	for (unsigned int i = 0; json && i < *count_of(field, in); i++, element += field->bytes) {
		if (!json_array_append_new(json, write_fields(field->fields, element)))
			continue;
		json_decref(json);
		return NULL;
	}
	return json;
}

static int read_element(struct reader *reader, const struct field *field, const json_t *json, unsigned int i,
			void *element)
{
	size_t place = strlen(reader->place);
	int err;

	snprintf(reader->place + place, sizeof(reader->place) - place, "%s %u: ", field->one, i + 1);
	if (!json_is_object(json)) {
		snprintf(reader->why, reader->why_bytes, "%snot an object", reader->place);
		return -EINVAL;
	}
	err = read_fields(reader, field->fields, json, element);
	reader->place[place] = 0;
	return err;
}

static int read_array(struct reader *reader, const struct field *field, const json_t *json, void *in)
{
	char *element = member(field, in);
	size_t count = json_array_size(json);
	int err = 0;

	if (!json_is_array(json))
		return fail(reader, field, "not an array");
	if (count > field->room)
		return fail(reader, field, "%zu of them, at most %u are known", count, field->room);
	for (unsigned int i = 0; !err && i < count; i++, element += field->bytes)
		err = read_element(reader, field, json_array_get(json, i), i, element);
	*count_of(field, in) = count;
	return err;
}

/* --- what bench.h says, member by member --- */

static const struct kind text = {write_text, read_text};
static const struct kind role = {write_role, read_role};
static const struct kind real = {write_real, read_real};
static const struct kind integer = {write_uint, read_uint};
static const struct kind count = {write_u64, read_u64};
static const struct kind signed_count = {write_s64, read_s64};
static const struct kind boolean = {write_bool, read_bool};
static const struct kind schema = {write_schema, read_schema};
static const struct kind object = {write_struct, read_struct};
static const struct kind array = {write_array, read_array};

#define SIZE_OF(type, member) sizeof(((struct type *)NULL)->member)
#define ROOM_OF(type, member) (SIZE_OF(type, member) / SIZE_OF(type, member[0]))

#define MEMBER(type, member)      .key = #member, .offset = offsetof(struct type, member)
#define PLAIN(type, what, member) MEMBER(type, member), .kind = &(what), .bytes = SIZE_OF(type, member)
#define OBJECT(type, member, of)  MEMBER(type, member), .kind = &object, .fields = (of)

/* The key is the name of the member that counts. */
#define ARRAY(type, member, counter, of)                                                                     \
	.key = #counter, .one = #member, .kind = &array, .offset = offsetof(struct type, member),            \
	.bytes = SIZE_OF(type, member[0]), .room = ROOM_OF(type, member),                                    \
	.count_offset = offsetof(struct type, counter), .fields = (of)

static const struct field spread_fields[] = {
	{PLAIN(bench_spread, real, median)},    {PLAIN(bench_spread, real, low)},
	{PLAIN(bench_spread, real, high)},      {PLAIN(bench_spread, real, noise)},
	{PLAIN(bench_spread, integer, rounds)}, {.key = NULL},
};

static const struct field latency_fields[] = {
	{PLAIN(bench_latency, real, load)},     {PLAIN(bench_latency, real, offered_pps)},
	{PLAIN(bench_latency, count, packets)}, {PLAIN(bench_latency, real, p50_ns)},
	{PLAIN(bench_latency, real, p99_ns)},   {PLAIN(bench_latency, real, p999_ns)},
	{PLAIN(bench_latency, real, max_ns)},   {.key = NULL},
};

static const struct field helper_fields[] = {
	{PLAIN(bench_helper, text, name)},
	{PLAIN(bench_helper, real, calls)},
	{.key = NULL},
};

static const struct field program_fields[] = {
	{PLAIN(bench_program, text, name)},
	{PLAIN(bench_program, role, role)},
	{PLAIN(bench_program, integer, verified_insns)},
	{PLAIN(bench_program, integer, insns)},
	{PLAIN(bench_program, integer, jited_bytes)},
	{PLAIN(bench_program, integer, stack_bytes)},
	{ARRAY(bench_program, helper, helpers, helper_fields)},
	{OBJECT(bench_program, ns, spread_fields)},
	{.key = NULL},
};

static const struct field drop_fields[] = {
	{PLAIN(bench_drop, text, where)},
	{PLAIN(bench_drop, count, packets)},
	{.key = NULL},
};

static const struct field ledger_fields[] = {
	{PLAIN(bench_ledger, count, sent)},
	{PLAIN(bench_ledger, count, received)},
	{ARRAY(bench_ledger, drop, drops, drop_fields)},
	{PLAIN(bench_ledger, signed_count, residue)},
	{PLAIN(bench_ledger, count, duplicates)},
	{PLAIN(bench_ledger, count, reordered)},
	{.key = NULL},
};

#define STAGE(name, role)                                                                                    \
	.key = (name), .kind = &object, .offset = (role) * sizeof(struct bench_spread),                      \
	.fields = spread_fields

static const struct field stage_fields[] = {
	{STAGE("generator", BENCH_GENERATOR)},
	{STAGE("device", BENCH_DEVICE)},
	{STAGE("sink", BENCH_SINK)},
	{.key = NULL},
};

static const struct field result_fields[] = {
	{PLAIN(bench_result, text, name)},
	{PLAIN(bench_result, text, floor)},
	{PLAIN(bench_result, text, summary)},
	{PLAIN(bench_result, integer, frame_bytes)},
	{OBJECT(bench_result, ratio, spread_fields)},
	{OBJECT(bench_result, pps, spread_fields)},
	{OBJECT(bench_result, ns, spread_fields)},
	{OBJECT(bench_result, stage, stage_fields)},
	{OBJECT(bench_result, device, spread_fields)},
	{PLAIN(bench_result, real, loss_free_pps)},
	{ARRAY(bench_result, latency, latencies, latency_fields)},
	{ARRAY(bench_result, program, programs, program_fields)},
	{OBJECT(bench_result, ledger, ledger_fields)},
	{.key = NULL},
};

static const struct field run_fields[] = {
	{.key = "schema", .kind = &schema},
	{PLAIN(bench_run, signed_count, time_s)},
	{PLAIN(bench_run, text, version)},
	{PLAIN(bench_run, text, kernel)},
	{PLAIN(bench_run, text, compiler)},
	{PLAIN(bench_run, text, cpu)},
	{PLAIN(bench_run, integer, cpus)},
	{PLAIN(bench_run, boolean, split)},
	{ARRAY(bench_run, result, results, result_fields)},
	{.key = NULL},
};

/* --- whole runs --- */

json_t *bench_json(const struct bench_run *run)
{
	return write_fields(run_fields, run);
}

int bench_from_json(const json_t *json, struct bench_run *run, char *why, size_t why_bytes)
{
	struct reader reader = {.why = why, .why_bytes = why_bytes};

	memset(run, 0, sizeof(*run));
	if (json_is_object(json))
		return read_fields(&reader, run_fields, json, run);
	snprintf(why, why_bytes, "not an object");
	return -EINVAL;
}

static int save_text(const char *text, const char *path)
{
	struct new_file *file = new_file_open(path);
	int err;

	if (!file)
		return -errno;
	if (fprintf(new_file_stream(file), "%s\n", text) >= 0)
		return new_file_commit(file);
	err = -errno;
	new_file_discard(file);
	return err;
}

int bench_json_save(const struct bench_run *run, const char *path)
{
	json_t *json = bench_json(run);
	char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;
	int err = text ? save_text(text, path) : -ENOMEM;

	free(text);
	json_decref(json);
	return err;
}

/* Return: 0 with *@json NULL and @error filled if the file holds no JSON; -errno: it cannot be read. */
static int parse(const char *path, json_t **json, json_error_t *error)
{
	FILE *stream = fopen(path, "re");
	int err = 0;

	*json = NULL;
	if (!stream)
		return -errno;
	errno = 0;
	*json = json_loadf(stream, JSON_REJECT_DUPLICATES, error);
	if (ferror(stream))
		err = errno ? -errno : -EIO;
	fclose(stream);
	return err;
}

/* The parser quotes the file, which may hold anything. */
static int say_bad_json(const json_error_t *error, char *why, size_t why_bytes)
{
	char safe[SAFE_EXPANSION * JSON_ERROR_TEXT_LENGTH];

	terminal_safe(safe, sizeof(safe), error->text, strlen(error->text));
	snprintf(why, why_bytes, "line %d: %s", error->line, safe);
	return -EINVAL;
}

int bench_json_load(const char *path, struct bench_run *run, char *why, size_t why_bytes)
{
	json_error_t error;
	json_t *json;
	int err = parse(path, &json, &error);
	size_t used = snprintf(why, why_bytes, "%s: %s", path, err ? strerror(-err) : "");

	if (used > why_bytes)
		used = why_bytes;
	if (!err)
		err = json ? bench_from_json(json, run, why + used, why_bytes - used)
			   : say_bad_json(&error, why + used, why_bytes - used);
	json_decref(json);
	return err;
}
