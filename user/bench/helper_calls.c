// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "bench/call_stubs.h"
#include "bench/helper_calls.h"
#include "bench/program_cost.h"
#include "bench/program_image.h"
#include "datapath/loading.h"

#define COUNTERS_MAP      "helper_calls" /* by this name a program's counters are found */
#define MAX_MAPS          64             /* of a program: the verifier's MAX_USED_MAPS */
#define HELPER_NAME(name) "bpf_" #name

static const char *const helper_names[] = {__BPF_FUNC_MAPPER(HELPER_NAME)};

/* What one program is loaded with. libbpf does not tell when that is over: it is kept until the end. */
struct addition {
	struct addition *next;
	struct btf *btf;
	char *func_info;
	int map_fd;
};

struct helper_calls {
	struct addition *additions;
};

static bool is_open;

static struct addition *add_addition(struct helper_calls *calls)
{
	struct addition *addition = malloc(sizeof(*addition));

	if (!addition)
		return NULL;
	*addition = (struct addition){.next = calls->additions, .map_fd = -1};
	return calls->additions = addition;
}

static void free_addition(struct addition *addition)
{
	if (addition->map_fd >= 0)
		close(addition->map_fd);
	btf__free(addition->btf);
	free(addition->func_info);
	free(addition);
}

/* Return: the type of a static function in *btf, which is the program's with that added; -errno. */
static int load_btf_with_stub(int prog_btf_fd, struct btf **btf)
{
	struct bpf_btf_info info = {};
	__u32 bytes = sizeof(info);
	int err = bpf_obj_get_info_by_fd(prog_btf_fd, &info, &bytes), type;

	if (err)
		return err;
	*btf = btf__load_from_kernel_by_id(info.id);
	if (!*btf)
		return -errno;
	type = btf__add_func_proto(*btf, btf__add_int(*btf, "helper_result", 8, 0));
	type = btf__add_func(*btf, "call_stub", BTF_FUNC_STATIC, type);
	err = type < 0 ? type : btf__load_into_kernel(*btf);
	return err ? err : type;
}

/* With BTF every function has a type; lines are for reading, and the stubs have none. */
static int describe_stubs(struct addition *addition, struct bpf_prog_load_opts *opts, size_t insns,
			  unsigned int stubs)
{
	size_t record = opts->func_info_rec_size, old = opts->func_info_cnt * record;
	int type;

	opts->line_info_cnt = 0;
	if (!opts->func_info_cnt)
		return 0;
	type = load_btf_with_stub((int)opts->prog_btf_fd, &addition->btf);
	if (type < 0)
		return type;
	addition->func_info = calloc(opts->func_info_cnt + stubs, record);
	if (!addition->func_info)
		return -ENOMEM;
	memcpy(addition->func_info, opts->func_info, old);
	for (unsigned int i = 0; i < stubs; i++) {
		struct bpf_func_info info = {.insn_off = (__u32)(insns + i * CALL_STUB_INSNS),
					     .type_id = (__u32)type};

		memcpy(addition->func_info + old + i * record, &info, sizeof(info));
	}
	opts->func_info = addition->func_info;
	opts->func_info_cnt += stubs;
	opts->prog_btf_fd = (__u32)btf__fd(addition->btf);
	return 0;
}

/* Return: the fd of a map for so many counters, or -errno. */
static int create_counters(unsigned int counters)
{
	return bpf_map_create(BPF_MAP_TYPE_ARRAY, COUNTERS_MAP, sizeof(__u32),
			      counters * sizeof(struct call_counter), 1, NULL);
}

static int write_counters(int map_fd, const struct call_counter *counters)
{
	__u32 key = 0;

	return bpf_map_update_elem(map_fd, &key, counters, BPF_ANY);
}

static int add_stubs(struct addition *addition, struct bpf_program *program, unsigned int stubs)
{
	size_t insns = bpf_program__insn_cnt(program), all = insns + (size_t)stubs * CALL_STUB_INSNS;
	struct call_counter *counters = calloc(stubs, sizeof(*counters));
	struct bpf_insn *insn = calloc(all, sizeof(*insn));
	int err = insn && counters ? 0 : -ENOMEM;

	if (!err) {
		memcpy(insn, bpf_program__insns(program), insns * sizeof(*insn));
		call_stubs_add(insn, insns, addition->map_fd, counters);
		err = write_counters(addition->map_fd, counters);
	}
	if (!err)
		err = bpf_program__set_insns(program, insn, all);
	free(insn);
	free(counters);
	return err;
}

static int let_count(struct helper_calls *calls, struct bpf_program *program, struct bpf_prog_load_opts *opts)
{
	size_t insns = bpf_program__insn_cnt(program);
	unsigned int stubs = call_stubs_count(bpf_program__insns(program), insns);
	struct addition *addition = stubs ? add_addition(calls) : NULL;
	int err;

	if (!stubs)
		return 0;
	if (!addition)
		return -ENOMEM;
	addition->map_fd = create_counters(stubs);
	if (addition->map_fd < 0)
		return addition->map_fd;
	err = describe_stubs(addition, opts, insns, stubs);
	return err ? err : add_stubs(addition, program, stubs);
}

static int before_load(void *context, struct bpf_program *program, struct bpf_prog_load_opts *opts)
{
	return bpf_program__type(program) == BPF_PROG_TYPE_XDP ? let_count(context, program, opts) : 0;
}

int helper_calls_open(struct helper_calls **calls)
{
	struct helper_calls *new;
	int err;

	if (is_open)
		return -EBUSY;
	new = calloc(1, sizeof(*new));
	if (!new)
		return -ENOMEM;
	err = loading_edit_set(LOADING_CALLS, before_load, new);
	if (err) {
		free(new);
		return err;
	}
	is_open = true;
	*calls = new;
	return 0;
}

void helper_calls_close(struct helper_calls *calls)
{
	if (!calls)
		return;
	loading_edit_set(LOADING_CALLS, NULL, NULL);
	is_open = false;
	while (calls->additions) {
		struct addition *addition = calls->additions;

		calls->additions = addition->next;
		free_addition(addition);
	}
	free(calls);
}

/* Return: the fd of the map if it has counters, how many in *count; -errno. */
static int open_if_counters(__u32 map_id, unsigned int *count)
{
	int map_fd = bpf_map_get_fd_by_id(map_id), err;
	struct bpf_map_info info = {};
	__u32 bytes = sizeof(info);

	if (map_fd < 0)
		return map_fd;
	err = bpf_obj_get_info_by_fd(map_fd, &info, &bytes);
	if (!err && !strcmp(info.name, COUNTERS_MAP)) {
		*count = info.value_size / sizeof(struct call_counter);
		return map_fd;
	}
	close(map_fd);
	return err ? err : -ENOENT;
}

static int open_counters(int prog_fd, unsigned int *count)
{
	__u32 map_ids[MAX_MAPS];
	struct bpf_prog_info info = {.nr_map_ids = MAX_MAPS, .map_ids = (__u64)(unsigned long)map_ids};
	__u32 bytes = sizeof(info);
	int fd = bpf_obj_get_info_by_fd(prog_fd, &info, &bytes);

	if (fd)
		return fd;
	fd = -ENOENT;
	for (__u32 i = 0; fd == -ENOENT && i < info.nr_map_ids && i < MAX_MAPS; i++)
		fd = open_if_counters(map_ids[i], count);
	return fd;
}

static int run_all(int prog_fd, const struct bpf_test_run_opts *once, unsigned int runs)
{
	int err = 0;

	for (unsigned int i = 0; !err && i < runs; i++) {
		struct bpf_test_run_opts options = *once;

		options.repeat = 1;
		err = bpf_prog_test_run_opts(prog_fd, &options);
	}
	return err;
}

static int run_alone(int prog_fd, const struct bpf_test_run_opts *once, unsigned int runs)
{
	struct program_clock *clock;
	struct program_time time;
	int err = program_clock_open(&clock, &prog_fd, 1);

	if (err)
		return err;
	err = run_all(prog_fd, once, runs);
	if (!err)
		err = program_clock_read(clock, &time);
	program_clock_close(clock);
	if (err)
		return err;
	return time.runs == runs ? 0 : -EBUSY;
}

static int read_counters(int map_fd, struct call_counter *counters)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(map_fd, &key, counters);
}

/* The counters as they are, without the calls so far. */
static int reset_counters(int map_fd, struct call_counter *counters, unsigned int count)
{
	int err = read_counters(map_fd, counters);

	for (unsigned int i = 0; i < count; i++)
		counters[i].calls = 0;
	return err ? err : write_counters(map_fd, counters);
}

/* A helper may be younger than the header that names them. */
static void name_helper(char *name, size_t bytes, __u32 id)
{
	if (id < sizeof(helper_names) / sizeof(helper_names[0]))
		snprintf(name, bytes, "%s", helper_names[id]);
	else
		snprintf(name, bytes, "bpf_helper_%u", id);
}

/* Return: where the calls of this helper are added up; NULL if there are too many helpers. */
static struct bench_helper *find_helper(struct bench_program *program, __u32 id)
{
	struct bench_helper new = {};

	name_helper(new.name, sizeof(new.name), id);
	for (unsigned int i = 0; i < program->helpers; i++)
		if (!strcmp(program->helper[i].name, new.name))
			return &program->helper[i];
	if (program->helpers == BENCH_HELPERS)
		return NULL;
	program->helper[program->helpers] = new;
	return &program->helper[program->helpers++];
}

static int add_up(struct bench_program *program, const struct call_counter *counters, unsigned int count,
		  unsigned int runs)
{
	for (unsigned int i = 0; i < count; i++) {
		struct bench_helper *helper;

		if (!counters[i].calls)
			continue;
		helper = find_helper(program, counters[i].helper);
		if (!helper) {
			program->helpers = 0;
			return -E2BIG;
		}
		helper->calls += (double)counters[i].calls;
	}
	for (unsigned int i = 0; i < program->helpers; i++)
		program->helper[i].calls /= runs;
	return 0;
}

static int count_with(struct bench_program *program, int prog_fd, const struct bpf_test_run_opts *once,
		      unsigned int runs, int map_fd, unsigned int count)
{
	struct call_counter *counters = calloc(count, sizeof(*counters));
	int err = counters ? reset_counters(map_fd, counters, count) : -ENOMEM;

	if (!err)
		err = run_alone(prog_fd, once, runs);
	if (!err)
		err = read_counters(map_fd, counters);
	if (!err)
		err = add_up(program, counters, count, runs);
	free(counters);
	return err;
}

/* Return: 0 if the program has no calls, and so was given no counters; -ENOENT; -errno. */
static int has_no_calls(int prog_fd)
{
	struct program_image image;
	int err = program_image_read(&image, prog_fd);

	if (!err && call_stubs_count(image.insn, image.insns))
		err = -ENOENT;
	program_image_free(&image);
	return err;
}

int helper_calls_count(struct bench_program *program, int prog_fd, const struct bpf_test_run_opts *once,
		       unsigned int runs)
{
	unsigned int count;
	int map_fd = open_counters(prog_fd, &count), err;

	program->helpers = 0;
	if (map_fd == -ENOENT) {
		err = has_no_calls(prog_fd);
		return err ? err : run_alone(prog_fd, once, runs);
	}
	if (map_fd < 0)
		return map_fd;
	err = count_with(program, prog_fd, once, runs, map_fd, count);
	close(map_fd);
	return err;
}
