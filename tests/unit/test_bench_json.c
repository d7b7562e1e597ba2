// SPDX-License-Identifier: GPL-2.0-only
/* Bench runs as JSON: what is written is read back bit for bit, is as schema.json says, and damage is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <float.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench/json.h"
#include "bench_run.h"

#define SCHEMA_PATH "user/bench/schema.json" /* tests run in the root of the tree */
#define FILE_NAME   "/tmp/xdplife-bench-json-XXXXXX"
#define WHY_BYTES   256

static struct bench_run run, copy;
static char path[sizeof(FILE_NAME)];

/* --- there and back --- */

/* Both are zeroed first, so that the padding is the same as well. */
static void assert_round_trip(void)
{
	char why[WHY_BYTES] = "";
	json_t *json = bench_json(&run), *parsed;
	char *text;

	assert_non_null(json);
	text = json_dumps(json, 0);
	assert_non_null(text);
	parsed = json_loads(text, 0, NULL);
	assert_non_null(parsed);
	memset(&copy, 0xff, sizeof(copy));
	assert_int_equal(bench_from_json(parsed, &copy, why, sizeof(why)), 0);
	assert_memory_equal(&copy, &run, sizeof(run));
	json_decref(parsed);
	json_decref(json);
	free(text);
}

static void test_round_trip(void **state)
{
	(void)state;
	sample_run(&run);
	assert_round_trip();
	memset(&run, 0, sizeof(run));
	assert_round_trip();
}

static void fill(char *text, size_t bytes)
{
	memset(text, 'x', bytes - 1);
}

/* Every array full, every number at its end. */
static void fill_result(struct bench_result *result)
{
	result->ratio = (struct bench_spread){DBL_MAX, -DBL_MAX, DBL_MIN, 0.1, UINT_MAX};
	result->ns = (struct bench_spread){1 / 3.0, -0.0, DBL_EPSILON, NAN, 0};
	result->frame_bytes = UINT_MAX;
	result->latencies = BENCH_LOADS;
	result->latency[BENCH_LOADS - 1].packets = INT64_MAX;
	result->latency[BENCH_LOADS - 1].max_ns = 1e18;
	result->programs = BENCH_PROGRAMS;
	for (int i = 0; i < BENCH_PROGRAMS; i++) {
		result->program[i].role = i % BENCH_ROLES;
		result->program[i].helpers = BENCH_HELPERS;
		fill(result->program[i].helper[BENCH_HELPERS - 1].name, BENCH_NAME_MAX);
	}
	result->ledger.drops = BENCH_DROPS;
	fill(result->ledger.drop[BENCH_DROPS - 1].where, BENCH_NAME_MAX);
	result->ledger.sent = INT64_MAX;
	result->ledger.residue = INT64_MIN;
	result->ledger.reordered = 1;
	fill(result->summary, sizeof(result->summary));
}

static void test_extremes(void **state)
{
	(void)state;
	memset(&run, 0, sizeof(run));
	run.time_s = INT64_MIN;
	run.split = true;
	fill(run.cpu, sizeof(run.cpu));
	strcpy(run.version, "\"µ\\</");
	run.results = BENCH_SCENARIOS;
	for (int i = 0; i < BENCH_SCENARIOS; i++)
		fill_result(&run.result[i]);
	assert_round_trip();
}

static void test_counter_beyond_json(void **state)
{
	(void)state;
	sample_run(&run);
	run.result[0].ledger.duplicates = (__u64)INT64_MAX + 1;
	assert_null(bench_json(&run));
}

static void test_infinity(void **state)
{
	char why[WHY_BYTES];
	json_t *json;

	(void)state;
	sample_run(&run);
	run.result[0].loss_free_pps = INFINITY;
	json = bench_json(&run);
	assert_non_null(json);
	assert_int_equal(bench_from_json(json, &copy, why, sizeof(why)), 0);
	assert_true(isnan(copy.result[0].loss_free_pps));
	json_decref(json);
}

/* What a terminal would act on, and what is no UTF-8, never gets into a file. */
static void test_text_is_made_safe(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"a\033[1mb", "a\\x1b[1mb"}, {"a\nb", "a\\x0ab"}, {"a\x7f", "a\\x7f"},
		{"\xc2\x9b", "\\xc2\\x9b"},  {"\xff", "\\xff"},   {"µ", "µ"},
	};
	char why[WHY_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *json;

		sample_run(&run);
		strcpy(run.cpu, cases[i].in);
		json = bench_json(&run);
		assert_non_null(json);
		assert_int_equal(bench_from_json(json, &copy, why, sizeof(why)), 0);
		assert_string_equal(copy.cpu, cases[i].out);
		json_decref(json);
	}
	memset(run.cpu, 0xff, sizeof(run.cpu) - 1);
	json_decref(bench_json(&run));
}

/* --- damage --- */

/* The sample with one line of JSON text in it replaced, as a person would edit it. */
static json_t *edited(const char *from, const char *to)
{
	char *text, *at, *changed;
	json_t *json;

	sample_run(&run);
	json = bench_json(&run);
	text = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	at = strstr(text, from);
	assert_non_null(at);
	*at = 0;
	assert_true(asprintf(&changed, "%s%s%s", text, to, at + strlen(from)) > 0);
	json = json_loads(changed, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	free(changed);
	free(text);
	return json;
}

static void test_damage(void **state)
{
	static const struct {
		const char *from, *to, *why;
	} cases[] = {
		{"\"schema\":1,", "", "schema: missing"},
		{"\"schema\":1,", "\"schema\":\"1\",", "schema: not an integer"},
		{"\"schema\":1,", "\"schema\":2,", "schema: 2, but this version reads 1"},
		{"\"cpus\":2,", "", "cpus: missing"},
		{"\"cpus\":2,", "\"cpus\":-1,", "cpus: not an integer from 0 to 4294967295"},
		{"\"cpus\":2,", "\"cpus\":4294967296,", "cpus: not an integer from 0 to 4294967295"},
		{"\"cpus\":2,", "\"cpus\":2.0,", "cpus: not an integer from 0 to 4294967295"},
		{"\"cpus\":2,", "\"cpus\":null,", "cpus: not an integer from 0 to 4294967295"},
		{"\"split\":false", "\"split\":0", "split: neither true nor false"},
		{"\"cpu\":\"AMD EPYC\"", "\"cpu\":7", "cpu: not a string"},
		{"AMD EPYC", "0123456789012345678901234567890123456789012345678901234567890123",
		 "cpu: longer than 63 bytes"},
		{"AMD EPYC", "\\u001b[2J", "cpu: has a control character"},
		{"AMD EPYC", "\\u009b2J", "cpu: has a control character"},
		{"\"results\":[", "\"results\":7,\"x\":[", "results: not an array"},
		{"\"results\":[", "\"results\":[7,", "result 1: not an object"},
		{"\"ratio\":{", "\"ratio\":7,\"x\":{", "result 1: ratio: not an object"},
		{"\"noise\":0.0,", "\"noise\":\"0\",", "result 1: ratio: noise: neither a number nor null"},
		{"\"generator\":{", "\"x\":{", "result 1: stage: generator: missing"},
		{"\"name\":\"forward\",\"floor\"", "\"floor\"", "result 2: name: missing"},
		{"\"role\":\"sink\"", "\"role\":\"sinks\"",
		 "result 1: program 3: role: not generator, device or sink"},
		{"\"role\":\"sink\"", "\"role\":2",
		 "result 1: program 3: role: not generator, device or sink"},
		{"\"calls\":0.25", "\"calls\":true",
		 "result 2: program 2: helper 2: calls: neither a number nor null"},
		{"\"packets\":7}", "\"packets\":-7}",
		 "result 2: ledger: drop 2: packets: not an integer from 0 to 9223372036854775807"},
		{"\"helpers\":[{",
		 "\"helpers\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,{",
		 "result 1: program 1: helpers: 25 of them, at most 24 are known"},
		{"\"latencies\":[{", "\"latencies\":[1,{",
		 "result 1: latencies: 4 of them, at most 3 are known"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *json = edited(cases[i].from, cases[i].to);
		char why[WHY_BYTES] = "";

		assert_int_equal(bench_from_json(json, &copy, why, sizeof(why)), -EINVAL);
		assert_string_equal(why, cases[i].why);
		json_decref(json);
	}
}

static void test_no_object(void **state)
{
	char why[WHY_BYTES] = "";
	json_t *json = json_array();

	(void)state;
	assert_int_equal(bench_from_json(json, &copy, why, sizeof(why)), -EINVAL);
	assert_string_equal(why, "not an object");
	json_decref(json);
}

/* A message that does not fit is cut, not written beyond its end. */
static void test_small_why(void **state)
{
	json_t *json = edited("\"calls\":0.25", "\"calls\":true");
	char *why = malloc(10);

	(void)state;
	assert_int_equal(bench_from_json(json, &copy, why, 10), -EINVAL);
	assert_string_equal(why, "result 2:");
	assert_int_equal(bench_json_load("/nowhere/baseline.json", &copy, why, 10), -ENOENT);
	assert_string_equal(why, "/nowhere/");
	assert_int_equal(bench_json_load("/dev/null", &copy, why, 10), -EINVAL);
	assert_string_equal(why, "/dev/null");
	free(why);
	json_decref(json);
}

/* An integer is a number too, and a key of tomorrow is no damage. */
static void test_tolerated(void **state)
{
	json_t *json = edited("\"noise\":0.0,", "\"noise\":0,\"tomorrow\":[{}],");
	char why[WHY_BYTES] = "";

	(void)state;
	assert_int_equal(bench_from_json(json, &copy, why, sizeof(why)), 0);
	assert_memory_equal(&copy, &run, sizeof(run));
	json_decref(json);
}

/* Whatever is gone or of another type: an error with a place, and no access that a sanitizer would stop. */
static void mangle(json_t *parent, json_t *root);

static void mangle_member(json_t *object, const char *key, json_t *root)
{
	static const char *const others[] = {"null", "true", "[]", "{}", "\"\"", "-1", "[[]]", "1e300"};
	json_t *value = json_incref(json_object_get(object, key));
	char why[WHY_BYTES] = "";

	json_object_del(object, key);
	assert_int_equal(bench_from_json(root, &copy, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, ": missing"));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		int err;

		*why = 0;
		json_object_set_new(object, key, json_loads(others[i], JSON_DECODE_ANY, NULL));
		err = bench_from_json(root, &copy, why, sizeof(why));
		assert_int_equal(err, *why ? -EINVAL : 0);
	}
	json_object_set_new(object, key, value);
	mangle(value, root);
}

static void mangle(json_t *parent, json_t *root)
{
	json_t *keys = json_array(), *value;
	const char *key;
	size_t i;

	json_array_foreach(parent, i, value) mangle(value, root);
	json_object_foreach(parent, key, value) json_array_append_new(keys, json_string(key));
	json_array_foreach(keys, i, value) mangle_member(parent, json_string_value(value), root);
	json_decref(keys);
}

static void test_mangled(void **state)
{
	char why[WHY_BYTES] = "";
	json_t *root;

	(void)state;
	sample_run(&run);
	run.results = SAMPLE_FORWARD + 1;
	root = bench_json(&run);
	mangle(root, root);
	/* Everything is as it was, so it was all gone through. */
	assert_int_equal(bench_from_json(root, &copy, why, sizeof(why)), 0);
	json_decref(root);
}

/* --- files --- */

static int make_file(void **state)
{
	int fd;

	(void)state;
	strcpy(path, FILE_NAME);
	fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static void write_file(const char *text, size_t bytes)
{
	FILE *stream = fopen(path, "w");

	assert_non_null(stream);
	fwrite(text, 1, bytes, stream);
	assert_int_equal(fclose(stream), 0);
}

static void assert_load_fails(int err, const char *expected)
{
	char why[WHY_BYTES] = "";

	assert_int_equal(bench_json_load(path, &copy, why, sizeof(why)), err);
	assert_memory_equal(why, path, strlen(path));
	assert_string_equal(why + strlen(path), expected);
}

static void test_file(void **state)
{
	char why[WHY_BYTES] = "";

	(void)state;
	sample_run(&run);
	assert_int_equal(bench_json_save(&run, path), 0);
	assert_int_equal(bench_json_load(path, &copy, why, sizeof(why)), 0);
	assert_memory_equal(&copy, &run, sizeof(run));
	assert_int_equal(bench_json_save(&run, "/nowhere/file"), -ENOENT);
	assert_int_equal(bench_json_save(&run, "/dev/full"), -ENOSPC);
}

static void test_damaged_file(void **state)
{
	(void)state;
	write_file("", 0);
	assert_load_fails(-EINVAL, ": line 1: '[' or '{' expected near end of file");
	write_file("{\n\"schema\": 1, \033[2J", 20);
	assert_load_fails(-EINVAL, ": line 2: string or '}' expected near '\\x1b'");
	write_file("{\"a\": 1, \"a\": 2}", 16);
	assert_load_fails(-EINVAL, ": line 1: duplicate object key near '\"a\"'");
	write_file("{\"schema\": 1}", 13);
	assert_load_fails(-EINVAL, ": time_s: missing");
	write_file("{} {}", 5);
	assert_load_fails(-EINVAL, ": line 1: end of file expected near '{'");
}

/* Cut off anywhere. */
static void test_truncated_file(void **state)
{
	char why[WHY_BYTES];
	json_t *json;
	size_t bytes;
	char *text;

	(void)state;
	sample_run(&run);
	run.results = 1;
	json = bench_json(&run);
	text = json_dumps(json, JSON_COMPACT);
	bytes = strlen(text);
	for (size_t cut = 0; cut < bytes; cut += 7) {
		write_file(text, cut);
		assert_int_equal(bench_json_load(path, &copy, why, sizeof(why)), -EINVAL);
	}
	free(text);
	json_decref(json);
}

static void test_unreadable_file(void **state)
{
	char why[WHY_BYTES] = "";

	(void)state;
	assert_int_equal(bench_json_load("/nowhere/run.json", &copy, why, sizeof(why)), -ENOENT);
	assert_string_equal(why, "/nowhere/run.json: No such file or directory");
	assert_int_equal(bench_json_load("/tmp", &copy, why, sizeof(why)), -EISDIR);
	assert_string_equal(why, "/tmp: Is a directory");
}

/* --- the schema --- */

/* Enough of JSON Schema for schema.json; a keyword that is not known here is a failure, so nothing goes unchecked. */
static void validate(const json_t *schema, const json_t *json, const json_t *root, const char *at);

static bool is_type(const char *type, const json_t *json)
{
	static const struct {
		const char *name;
		json_type type;
	} types[] = {
		{"object", JSON_OBJECT}, {"array", JSON_ARRAY},     {"string", JSON_STRING},
		{"null", JSON_NULL},     {"integer", JSON_INTEGER}, {"number", JSON_INTEGER},
		{"number", JSON_REAL},   {"boolean", JSON_TRUE},    {"boolean", JSON_FALSE},
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(type, types[i].name) && json_typeof(json) == types[i].type)
			return true;
	return false;
}

static bool is_one_of(const json_t *types, const json_t *json)
{
	const json_t *type;
	size_t i;

	if (json_is_string(types))
		return is_type(json_string_value(types), json);
	json_array_foreach(types, i, type) if (is_type(json_string_value(type), json)) return true;
	return false;
}

static bool is_in(const json_t *values, const json_t *json)
{
	const json_t *value;
	size_t i;

	json_array_foreach(values, i, value) if (json_equal(value, json)) return true;
	return false;
}

/* Here stricter than JSON Schema: nothing is written that is not described. */
static void validate_properties(const json_t *properties, const json_t *json, const json_t *root)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)json, key, value)
	{
		if (!json_object_get(properties, key))
			fail_msg("%s: not in the schema", key);
		validate(json_object_get(properties, key), value, root, key);
	}
	assert_int_equal(json_object_size(properties), json_object_size(json));
}

static void validate_required(const json_t *required, const json_t *json, const char *at)
{
	const json_t *key;
	size_t i;

	json_array_foreach(required, i, key) if (!json_object_get(json, json_string_value(key)))
		fail_msg("%s: has no %s", at, json_string_value(key));
	assert_int_equal(json_array_size(required), json_object_size(json));
}

static const json_t *referred(const json_t *reference, const json_t *root)
{
	static const char prefix[] = "#/$defs/";
	const char *name = json_string_value(reference);
	const json_t *schema;

	assert_memory_equal(name, prefix, strlen(prefix));
	schema = json_object_get(json_object_get(root, "$defs"), name + strlen(prefix));
	assert_non_null(schema);
	return schema;
}

static bool is_within(const char *keyword, const json_t *bound, const json_t *json)
{
	double limit = json_number_value(bound);

	if (!strcmp(keyword, "minimum"))
		return json_number_value(json) >= limit;
	if (!strcmp(keyword, "maximum"))
		return json_number_value(json) <= limit;
	if (!strcmp(keyword, "maxLength"))
		return json_string_length(json) <= limit;
	return json_array_size(json) <= limit; /* maxItems */
}

static void validate_keyword(const char *keyword, const json_t *value, const json_t *json, const json_t *root,
			     const char *at)
{
	static const char *const notes[] = {"$schema", "$defs", "title", "description"};
	static const char *const bounds[] = {"minimum", "maximum", "maxLength", "maxItems"};
	const json_t *item;
	size_t i;

	for (i = 0; i < sizeof(notes) / sizeof(notes[0]); i++)
		if (!strcmp(keyword, notes[i]))
			return;
	for (i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++)
		if (!strcmp(keyword, bounds[i]) && is_within(keyword, value, json))
			return;
	if (!strcmp(keyword, "properties"))
		return validate_properties(value, json, root);
	if (!strcmp(keyword, "required"))
		return validate_required(value, json, at);
	if (!strcmp(keyword, "$ref"))
		return validate(referred(value, root), json, root, at);
	if (!strcmp(keyword, "items")) {
		json_array_foreach(json, i, item) validate(value, item, root, at);
		return;
	}
	if ((!strcmp(keyword, "type") && is_one_of(value, json)) ||
	    (!strcmp(keyword, "enum") && is_in(value, json)) ||
	    (!strcmp(keyword, "const") && json_equal(value, json)))
		return;
	fail_msg("%s: not as %s says", at, keyword);
}

static void validate(const json_t *schema, const json_t *json, const json_t *root, const char *at)
{
	const char *keyword;
	json_t *value;

	json_object_foreach((json_t *)schema, keyword, value)
		validate_keyword(keyword, value, json, root, at);
}

static void test_schema(void **state)
{
	json_t *schema = json_load_file(SCHEMA_PATH, 0, NULL), *json;

	(void)state;
	assert_non_null(schema);
	sample_run(&run);
	json = bench_json(&run);
	validate(schema, json, schema, "run");
	json_decref(json);

	memset(&run, 0, sizeof(run));
	run.results = BENCH_SCENARIOS;
	for (int i = 0; i < BENCH_SCENARIOS; i++)
		fill_result(&run.result[i]);
	json = bench_json(&run);
	validate(schema, json, schema, "run");
	json_decref(json);
	json_decref(schema);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_extremes),
		cmocka_unit_test(test_counter_beyond_json),
		cmocka_unit_test(test_infinity),
		cmocka_unit_test(test_text_is_made_safe),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_no_object),
		cmocka_unit_test(test_small_why),
		cmocka_unit_test(test_tolerated),
		cmocka_unit_test(test_mangled),
		cmocka_unit_test_setup_teardown(test_file, make_file, remove_file),
		cmocka_unit_test_setup_teardown(test_damaged_file, make_file, remove_file),
		cmocka_unit_test_setup_teardown(test_truncated_file, make_file, remove_file),
		cmocka_unit_test(test_unreadable_file),
		cmocka_unit_test(test_schema),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
