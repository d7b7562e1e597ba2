// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <pcap/pcap.h>

#include "datapath/filter.h"
#include "util/log.h"
#include "util/terminal.h"

#define SNAPLEN     262144 /* as tcpdump's; with it a program says how much of a frame it wants */
#define SHOWN_BYTES 512    /* of a message, or of a word of the expression */

/* struct bpf_insn of libpcap by the name that does not clash with eBPF's. */
_Static_assert(sizeof(struct bpf_insn) == sizeof(struct sock_filter) &&
		       offsetof(struct bpf_insn, jt) == offsetof(struct sock_filter, jt) &&
		       offsetof(struct bpf_insn, jf) == offsetof(struct sock_filter, jf) &&
		       offsetof(struct bpf_insn, k) == offsetof(struct sock_filter, k),
	       "classic BPF is the same to libpcap and to the kernel");

struct filter_program {
	int linktype;
	struct bpf_program code;
};

struct filter {
	char *expression;
	struct sock_filter *classic;     /* for Ethernet, as is program[0] */
	struct filter_program *programs; /* one for each link type */
	size_t count;
};

/* Return: 0 with *code to be freed by pcap_freecode(); -EINVAL with @text; -ENOMEM. */
static int compile(struct bpf_program *code, int linktype, const char *expression, char *text, size_t bytes)
{
	pcap_t *pcap = pcap_open_dead(linktype, SNAPLEN);
	int err;

	if (!pcap)
		return -ENOMEM;
	err = pcap_compile(pcap, code, expression, 1, PCAP_NETMASK_UNKNOWN) ? -EINVAL : 0;
	if (err) {
		strncpy(text, pcap_geterr(pcap), bytes - 1);
		text[bytes - 1] = '\0';
	}
	pcap_close(pcap);
	return err;
}

/* --- the place of an error, which libpcap does not tell --- */

static bool is_word(char c)
{
	return c && !strchr(" \t\r\n()[]!<>=&|^+*%", c);
}

/* The end of the token at @at. What is one here may be several to libpcap: the place is less exact then. */
static size_t token_end(const char *expression, size_t at)
{
	size_t end = at;

	while (is_word(expression[end]))
		end++;
	if (end > at)
		return end;
	/* <= >= != == << >> && || */
	end++;
	if (strchr("<>!=&|", expression[at]) && expression[end] && strchr("<>=&|", expression[end]))
		end++;
	return end;
}

/* Where the next token at or behind @at begins, or the expression ends. */
static size_t token_start(const char *expression, size_t at)
{
	return at + strspn(expression + at, " \t\r\n");
}

static size_t count_tokens(const char *expression)
{
	size_t count = 0;

	for (size_t at = token_start(expression, 0); expression[at]; count++)
		at = token_start(expression, token_end(expression, at));
	return count;
}

/* Where token number @number begins, from 0 on. */
static size_t nth_token(const char *expression, size_t number)
{
	size_t at = token_start(expression, 0);

	while (number--)
		at = token_start(expression, token_end(expression, at));
	return at;
}

/*
 * libpcap reads tokens one by one and stops at the one that is wrong. This one has an error of its own, as
 * soon as it is read: put behind the beginning of an expression, it tells whether that is still right.
 */
#define TRIPWIRE " 1:1:"

struct suspect {
	int linktype;
	const char *expression;
	const char *text; /* libpcap's words for all of it */
};

/* Whether the error lies in the first so many bytes. */
static bool is_wrong(const struct suspect *suspect, size_t bytes)
{
	char text[sizeof(((struct filter_error *)0)->text)] = "";
	char *beginning = malloc(bytes + sizeof(TRIPWIRE));
	struct bpf_program code;
	int err;

	if (!beginning)
		return false;
	memcpy(beginning, suspect->expression, bytes);
	memcpy(beginning + bytes, TRIPWIRE, sizeof(TRIPWIRE));
	err = compile(&code, suspect->linktype, beginning, text, sizeof(text));
	free(beginning);
	if (!err)
		pcap_freecode(&code);
	return err == -EINVAL && !strcmp(text, suspect->text);
}

/* libpcap quotes a word of the expression: unknown host 'nowhere'. */
static long find_quoted(const struct suspect *suspect)
{
	const char *open = strchr(suspect->text, '\''), *close = open ? strchr(open + 1, '\'') : NULL, *found;
	char word[sizeof(((struct filter_error *)0)->text)];

	if (!close || close == open + 1)
		return -1;
	memcpy(word, open + 1, (size_t)(close - open - 1));
	word[close - open - 1] = '\0';
	found = strstr(suspect->expression, word);
	return found ? found - suspect->expression : -1;
}

static long find_place(const struct suspect *suspect)
{
	const char *expression = suspect->expression;
	size_t right = 0, tokens = count_tokens(expression), wrong = tokens + 1, at;
	long quoted = find_quoted(suspect);

	if (quoted >= 0)
		return quoted;
	if (is_wrong(suspect, 0)) /* the tripwire has no error of its own with this libpcap */
		return -1;
	/* Not one by one, for each time libpcap may look up the names of hosts. */
	while (wrong - right > 1) {
		size_t count = (right + wrong) / 2;

		if (is_wrong(suspect, token_end(expression, nth_token(expression, count - 1))))
			wrong = count;
		else
			right = count;
	}
	at = nth_token(expression, wrong - 1);
	/* At the end the grammar wants more; any other error is one of the whole. */
	return expression[at] || strstr(suspect->text, "syntax error") ? (long)at : -1;
}

bool filter_begins_with(const char *word)
{
	struct filter_error tripped = {.text = ""};
	const struct suspect suspect = {DLT_EN10MB, word, tripped.text};
	struct bpf_program code;

	if (!compile(&code, DLT_EN10MB, TRIPWIRE, tripped.text, sizeof(tripped.text)))
		pcap_freecode(&code);
	return is_wrong(&suspect, strlen(word));
}

/*
 * inbound, outbound and ifindex ask what is not in the frame, by loads from offsets that are no offsets, and
 * only a packet socket answers them. Anywhere else no frame would ever match, without a word.
 */
static bool asks_socket(const struct bpf_program *code)
{
	for (u_int i = 0; i < code->bf_len; i++) {
		const struct bpf_insn *insn = &code->bf_insns[i];

		if (BPF_CLASS(insn->code) == BPF_LD && BPF_MODE(insn->code) == BPF_ABS &&
		    insn->k >= (bpf_u_int32)SKF_AD_OFF)
			return true;
	}
	return false;
}

/* --- */

/* Return: 0 with program->code to be freed by pcap_freecode(); -EINVAL with *error; -ENOMEM. */
static int compile_program(struct filter_program *program, const char *expression, struct filter_error *error)
{
	const struct suspect suspect = {program->linktype, expression, error->text};
	int err = compile(&program->code, program->linktype, expression, error->text, sizeof(error->text));

	if (err == -EINVAL)
		error->at = find_place(&suspect);
	if (err || !asks_socket(&program->code))
		return err;
	pcap_freecode(&program->code);
	*error = (struct filter_error){.text = "inbound, outbound and ifindex are not supported here",
				       .at = -1};
	return -EINVAL;
}

static const struct filter_program *find_program(const struct filter *filter, int linktype)
{
	for (size_t i = 0; i < filter->count; i++)
		if (filter->programs[i].linktype == linktype)
			return &filter->programs[i];
	return NULL;
}

int filter_prepare(struct filter *filter, int linktype, struct filter_error *error)
{
	struct filter_program *programs;
	int err;

	if (find_program(filter, linktype))
		return 0;
	programs = realloc(filter->programs, (filter->count + 1) * sizeof(*filter->programs));
	if (!programs)
		return -ENOMEM;
	filter->programs = programs;
	programs[filter->count].linktype = linktype;
	err = compile_program(&programs[filter->count], filter->expression, error);
	if (!err)
		filter->count++;
	return err;
}

static int copy_classic(struct filter *filter)
{
	const struct bpf_program *code = &filter->programs[0].code;

	filter->classic = calloc(code->bf_len, sizeof(*filter->classic));
	if (!filter->classic)
		return -ENOMEM;
	memcpy(filter->classic, code->bf_insns, code->bf_len * sizeof(*filter->classic));
	return 0;
}

int filter_compile(struct filter **result, const char *expression, struct filter_error *error)
{
	struct filter *filter = calloc(1, sizeof(*filter));
	int err;

	if (!filter)
		return -ENOMEM;
	filter->expression = strdup(expression);
	err = filter->expression ? filter_prepare(filter, DLT_EN10MB, error) : -ENOMEM;
	if (!err)
		err = copy_classic(filter);
	if (err)
		filter_free(filter);
	else
		*result = filter;
	return err;
}

void filter_free(struct filter *filter)
{
	if (!filter)
		return;
	for (size_t i = 0; i < filter->count; i++)
		pcap_freecode(&filter->programs[i].code);
	free(filter->programs);
	free(filter->classic);
	free(filter->expression);
	free(filter);
}

const char *filter_expression(const struct filter *filter)
{
	return filter->expression;
}

const struct sock_filter *filter_classic(const struct filter *filter, size_t *count)
{
	*count = filter->programs[0].code.bf_len;
	return filter->classic;
}

bool filter_matches(const struct filter *filter, int linktype, const uint8_t *frame, uint32_t captured_bytes,
		    uint32_t wire_bytes)
{
	const struct pcap_pkthdr header = {.caplen = captured_bytes, .len = wire_bytes};

	const struct filter_program *program = find_program(filter, linktype);

	return program && pcap_offline_filter(&program->code, &header, frame);
}

void filter_say_error(const char *expression, const struct filter_error *error)
{
	char text[SHOWN_BYTES], token[SHOWN_BYTES];
	size_t at = (size_t)error->at;

	terminal_safe(text, sizeof(text), error->text, strlen(error->text));
	if (error->at < 0) {
		log_error("man 7 pcap-filter", "FILTER: %s", text);
	} else if (at >= strlen(expression)) {
		log_error("man 7 pcap-filter", "FILTER: %s, at its end", text);
	} else {
		terminal_safe(token, sizeof(token), expression + at, token_end(expression, at) - at);
		log_error("man 7 pcap-filter", "FILTER: %s, at character %zu, \"%s\"", text, at + 1, token);
	}
}
