// SPDX-License-Identifier: GPL-2.0-only
/* xdplife decode: explains packets, from a capture file or from bytes on the command line. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "capture/capture.h"
#include "command.h"
#include "proto/explain.h"
#include "proto/proto.h"
#include "util/clock.h"
#include "util/hex.h"
#include "util/log.h"

#define TEXT_MAX_BYTES    (8 * CAPTURE_MAX_FRAME_BYTES) /* of --hex: "0x45, " a byte and some */
#define WIDTH_WITHOUT_TTY 120
#define WIDTH_LEAST       80
#define LINE_MAX_BYTES    1024
#define TIME_TEXT_BYTES   32

enum beginning { BEGIN_GUESS, BEGIN_ETHERNET, BEGIN_IP };

struct decode {
	const char *file;
	const char *hex;
	enum beginning link;
	uint64_t packet; /* 0: all */
	bool json;
	bool verbose;
	int width;
	bool begun; /* a packet that has a time has come, first at */
	uint64_t first_ns;
};

struct frame {
	uint64_t number; /* from 1; 0: not from a file */
	bool timed;      /* the file says when */
	uint64_t time_ns;
	const char *interface; /* "" where the file does not say */
	enum link_direction direction;
	const uint8_t *data;
	size_t captured_bytes, wire_bytes;
	enum link_kind link;
};

enum { OPTION_HEX = 256, OPTION_JSON, OPTION_LINK, OPTION_PACKET };

static const struct argp_option argp_options[] = {
	{"hex", OPTION_HEX, "BYTES", 0,
	 "explain these bytes: hexadecimal, white space, colons and 0x allowed; - reads them from stdin", 0},
	{"link", OPTION_LINK, "ethernet|ip", 0,
	 "what the bytes of --hex begin with (default: guessed, and said)", 0},
	{"packet", OPTION_PACKET, "N", 0, "explain packet N of the file in full", 0},
	{"verbose", 'v', NULL, 0, "explain each packet of the file in full", 0},
	{"json", OPTION_JSON, NULL, 0, "one JSON object a packet and a line, with every field", 0},
	{0},
};

static error_t parse_beginning(const char *arg, struct argp_state *state)
{
	struct decode *decode = state->input;

	if (!strcmp(arg, "ethernet"))
		decode->link = BEGIN_ETHERNET;
	else if (!strcmp(arg, "ip"))
		decode->link = BEGIN_IP;
	else
		argp_error(state, "--link %s: must be ethernet or ip", arg);
	return 0;
}

static error_t parse_packet_number(const char *arg, struct argp_state *state)
{
	struct decode *decode = state->input;
	char *end;

	errno = 0;
	decode->packet = strtoull(arg, &end, 10);
	if (errno || *end || *arg == '-' || !decode->packet)
		argp_error(state, "--packet %s: must be a number from 1", arg);
	return 0;
}

static void check_arguments(struct argp_state *state)
{
	const struct decode *decode = state->input;

	if (decode->file && decode->hex)
		argp_error(state, "both --hex and %s: put the bytes of --hex in quotes", decode->file);
	if (!decode->file && !decode->hex)
		argp_error(state, "nothing to decode: name a capture file or give --hex 'BYTES'");
	if (decode->hex && (decode->packet || decode->verbose))
		argp_error(state, "--packet and --verbose are for files: --hex always explains in full");
	if (decode->file && decode->link != BEGIN_GUESS)
		argp_error(state, "--link is for --hex: a file says what its packets begin with");
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct decode *decode = state->input;

	switch (key) {
	case OPTION_HEX:
		decode->hex = arg;
		return 0;
	case OPTION_LINK:
		return parse_beginning(arg, state);
	case OPTION_PACKET:
		return parse_packet_number(arg, state);
	case OPTION_JSON:
		decode->json = true;
		return 0;
	case 'v':
		decode->verbose = true;
		return 0;
	case ARGP_KEY_ARG:
		if (decode->file)
			argp_error(state, "one file at a time: %s, then %s", decode->file, arg);
		decode->file = arg;
		return 0;
	case ARGP_KEY_END:
		check_arguments(state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = argp_options,
	.parser = parse_option,
	.args_doc = "F.pcap\n--hex 'BYTES'",
	.doc = "Explain packets: of a pcap or pcapng file one line each (- reads it from stdin), of --hex "
	       "every byte."
	       "\vexamples:\n"
	       "  xdplife decode capture.pcapng\n"
	       "  xdplife decode capture.pcapng --packet 3\n"
	       "  xdplife decode capture.pcapng --json | jq .line\n"
	       "  xdplife decode --hex '45 10 00 2C 24 B2 00 00 40 06 FD DF AC 10 00 09\n"
	       "    AC 10 00 01 04 47 00 17 60 C6 DF 90 00 00 00 00 60 02 02 00 F9 46 00 00 02 04 05 B4'",
};

static int terminal_width(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_col)
		return WIDTH_WITHOUT_TTY;
	return size.ws_col < WIDTH_LEAST ? WIDTH_LEAST : size.ws_col;
}

static const char *direction_key(enum link_direction direction)
{
	return direction == LINK_INBOUND ? "in" : direction == LINK_OUTBOUND ? "out" : NULL;
}

/* What the file says of the frame, a new reference. */
static json_t *frame_json(const struct frame *frame)
{
	json_t *json = json_object();

	if (!frame->number)
		return json;
	json_object_set_new(json, "packet", json_integer((json_int_t)frame->number));
	if (frame->timed)
		json_object_set_new(json, "time_ns", json_integer((json_int_t)frame->time_ns));
	if (*frame->interface)
		json_object_set_new(json, "interface", json_string(frame->interface));
	if (frame->direction != LINK_DIRECTION_UNKNOWN)
		json_object_set_new(json, "direction", json_string(direction_key(frame->direction)));
	return json;
}

static int print_json(const struct dissection *d, const struct frame *frame)
{
	json_t *json = frame_json(frame), *packet = dissection_json(d);
	int bad = !json || !packet || json_object_update(json, packet) ||
		  json_dumpf(json, stdout, JSON_COMPACT);

	json_decref(packet);
	json_decref(json);
	putchar('\n');
	return bad ? -ENOMEM : 0;
}

static void print_heading(const struct frame *frame)
{
	time_t seconds = frame->time_ns / NS_PER_S;
	struct tm utc;
	char date[32];

	printf("%sPacket %" PRIu64 "%s, ", terminal_style(stdout, STYLE_BOLD), frame->number,
	       terminal_style(stdout, STYLE_RESET));
	strftime(date, sizeof(date), "%F %T", gmtime_r(&seconds, &utc));
	if (frame->timed)
		printf("%s.%09llu UTC, ", date, frame->time_ns % NS_PER_S);
	if (*frame->interface)
		printf("%s, ", frame->interface);
	if (frame->direction != LINK_DIRECTION_UNKNOWN)
		printf("%s, ", direction_key(frame->direction));
	if (frame->captured_bytes < frame->wire_bytes)
		printf("%zu of ", frame->captured_bytes);
	printf("%zu bytes\n", frame->wire_bytes);
}

/* Since the first packet; a clock may step back between two. */
static void since_first(char text[TIME_TEXT_BYTES], const struct decode *decode, const struct frame *frame)
{
	bool before = frame->time_ns < decode->first_ns;
	uint64_t since_ns = before ? decode->first_ns - frame->time_ns : frame->time_ns - decode->first_ns;

	if (frame->timed)
		snprintf(text, TIME_TEXT_BYTES, "%s%llu.%09llu", before ? "-" : "", since_ns / NS_PER_S,
			 since_ns % NS_PER_S);
	else
		strcpy(text, "no time");
}

static void print_line(const struct decode *decode, const struct dissection *d, const struct frame *frame)
{
	char line[LINE_MAX_BYTES], time[TIME_TEXT_BYTES];

	since_first(time, decode, frame);
	dissection_line(d, NULL, line, sizeof(line));
	printf("%s%5" PRIu64 "  %s%s  %s\n", terminal_style(stdout, STYLE_DIM), frame->number, time,
	       terminal_style(stdout, STYLE_RESET), line);
}

static void print_explained(const struct decode *decode, const struct dissection *d,
			    const struct frame *frame)
{
	char line[LINE_MAX_BYTES];

	dissection_line(d, NULL, line, sizeof(line));
	if (frame->number)
		print_heading(frame);
	printf("%s\n\n", line);
	explain_packet(stdout, d, decode->width);
}

static int decode_frame(const struct decode *decode, const struct frame *frame)
{
	struct dissection d;
	int err = dissect(&d, frame->data, frame->captured_bytes, frame->wire_bytes, frame->link);

	if (!err && decode->json)
		err = print_json(&d, frame);
	else if (!err && (!frame->number || decode->verbose || decode->packet))
		print_explained(decode, &d, frame);
	else if (!err)
		print_line(decode, &d, frame);
	if (!err && decode->verbose && !decode->json)
		putchar('\n');
	dissection_free(&d);
	if (err)
		log_error("free some memory", "packet %" PRIu64 ": %s", frame->number, strerror(-err));
	return err ? EXIT_FAILED : EXIT_DONE;
}

/* --- bytes --- */

/* Return: what stdin has, to be freed, not terminated; NULL with the error said. */
static char *read_stdin(size_t *length)
{
	char *text = malloc(TEXT_MAX_BYTES);

	*length = text ? fread(text, 1, TEXT_MAX_BYTES, stdin) : 0;
	if (text && !ferror(stdin))
		return text;
	log_error(NULL, "--hex -: cannot read stdin: %s", strerror(errno));
	free(text);
	return NULL;
}

/* Return: how many bytes; negative with the error said. */
static long parse_bytes(const char *text, size_t length, uint8_t *bytes)
{
	struct hex_error error;
	long count = hex_parse(text, length, bytes, CAPTURE_MAX_FRAME_BYTES, &error);

	if (count == -E2BIG)
		log_error("a capture file, for more", "--hex: more than %d bytes", CAPTURE_MAX_FRAME_BYTES);
	else if (count < 0)
		log_error("two hexadecimal digits a byte, like '45 00 00 2c', '4500002c' or '0x45 0x00'",
			  "--hex: '%s' at position %zu: %s", error.character, error.position, error.reason);
	else if (!count)
		log_error("--hex '45 00 ...'", "--hex: no bytes");
	return count ? count : -EINVAL;
}

static int decode_bytes(const struct decode *decode, const uint8_t *bytes, size_t count)
{
	struct frame frame = {.data = bytes, .captured_bytes = count, .wire_bytes = count};
	const char *why = "as --link says";

	if (decode->link == BEGIN_GUESS)
		frame.link = dissect_guess(bytes, count, &why);
	else
		frame.link = decode->link == BEGIN_IP ? LINK_RAW_IP : LINK_ETHERNET;
	if (!decode->json)
		printf("%zu byte%s, read as %s: %s\n", count, count == 1 ? "" : "s",
		       frame.link == LINK_RAW_IP ? "an IP packet without a link layer" : "an Ethernet frame",
		       why);
	return decode_frame(decode, &frame);
}

static int decode_hex(const struct decode *decode)
{
	bool from_stdin = !strcmp(decode->hex, "-");
	uint8_t *bytes = malloc(CAPTURE_MAX_FRAME_BYTES);
	size_t length = strlen(decode->hex);
	char *text = from_stdin ? read_stdin(&length) : NULL;
	int exit_code = EXIT_FAILED;
	long count;

	if (bytes && (text || !from_stdin)) {
		count = parse_bytes(from_stdin ? text : decode->hex, length, bytes);
		exit_code = count < 0 ? EXIT_USAGE : decode_bytes(decode, bytes, count);
	}
	free(text);
	free(bytes);
	return exit_code;
}

/* --- files --- */

/* Return: an exit_code. */
static int decode_captured(struct decode *decode, struct capture *capture,
			   const struct capture_frame *captured)
{
	const struct capture_interface *interface = capture_interface(capture, captured->interface);
	struct frame frame = {
		.number = captured->number,
		.timed = captured->timed,
		.time_ns = captured->time_ns,
		.interface = interface->name,
		.direction = captured->direction,
		.data = captured->data,
		.captured_bytes = captured->captured_bytes,
		.wire_bytes = captured->wire_bytes,
		.link = captured->link,
	};

	if (captured->timed && !decode->begun)
		decode->first_ns = captured->time_ns;
	decode->begun |= captured->timed;
	return decode->packet && captured->number != decode->packet ? EXIT_DONE
								    : decode_frame(decode, &frame);
}

static int decode_packets(struct decode *decode, struct capture *capture)
{
	struct capture_frame frame = {};
	struct capture_error error;
	int exit_code = EXIT_DONE, got = 1;

	while (exit_code == EXIT_DONE && (!decode->packet || frame.number < decode->packet) &&
	       (got = capture_next(capture, &frame, &error)) == 1)
		exit_code = decode_captured(decode, capture, &frame);
	fflush(stdout);
	if (exit_code == EXIT_DONE && got < 0)
		return capture_say_error(decode->file, &error);
	if (exit_code == EXIT_DONE && frame.number < decode->packet) {
		log_error("--packet with a smaller number", "%s: has only %" PRIu64 " packets", decode->file,
			  frame.number);
		return EXIT_FAILED;
	}
	return exit_code;
}

static int decode_file(struct decode *decode)
{
	const struct capture_options options = {.file = decode->file};
	struct capture_error error;
	struct capture *capture;
	int exit_code;

	if (capture_open(&capture, &options, &error))
		return capture_say_error(decode->file, &error);
	exit_code = decode_packets(decode, capture);
	capture_close(capture);
	return exit_code;
}

static int run(int argc, char **argv)
{
	struct decode decode = {.width = terminal_width()};
	int exit_code;

	if (argp_parse(&argp, argc, argv, 0, NULL, &decode))
		return EXIT_USAGE;
	exit_code = decode.hex ? decode_hex(&decode) : decode_file(&decode);
	if (fflush(stdout) || ferror(stdout)) {
		log_error("more room, or another place", "cannot write the output: %s", strerror(errno));
		return EXIT_FAILED;
	}
	return exit_code;
}

const struct command cmd_decode = {
	.name = "decode",
	.summary = "explain packets, from a capture file or from bytes",
	.run = run,
};
