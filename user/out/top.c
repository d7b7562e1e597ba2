// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curses.h>

#include "command.h"
#include "out/screen.h"
#include "out/top.h"
#include "out/top_table.h"
#include "util/clock.h"
#include "util/terminal.h"

#define REFRESH_NS      (500 * NS_PER_MS)
#define HEADER_LINES    2 /* the title and the headings */
#define FOOTER_LINES    1
#define KEY_ESCAPE      27
#define ESCAPE_DELAY_MS 25
#define PAIR_BAD        1
#define PAIR_GOOD       2
#define PAIR_WARN       3

struct top {
	struct top_source source;
	const struct sink_session *shown;
	struct screen *screen;
	struct top_view view;
	bool typing; /* a filter */
	bool paused;
	size_t scroll;  /* rows above the first shown */
	__u64 drawn_ns; /* when the rows were read */
	__u64 last_ns;  /* of the sums before */
	__u64 last_started;
	__u64 total; /* connections in the tables */
	double rate; /* connections begun a second */
	struct summary sums;
	size_t count; /* rows */
	size_t kept;  /* by the filter */
	struct connection rows[TOP_MAX_ROWS];
};

static void set_up_screen(struct top *top)
{
	cbreak();
	noecho();
	curs_set(0);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(ESCAPE_DELAY_MS);
	top->view.unicode = !strcasecmp(nl_langinfo(CODESET), "UTF-8");
	if (has_colors() && !getenv("NO_COLOR") && start_color() == OK && use_default_colors() == OK) {
		init_pair(PAIR_BAD, COLOR_RED, -1);
		init_pair(PAIR_GOOD, COLOR_GREEN, -1);
		init_pair(PAIR_WARN, COLOR_YELLOW, -1);
	}
}

int top_open(struct top **result, const struct top_source *source, const struct sink_session *shown)
{
	struct top *top = calloc(1, sizeof(*top));
	int err = top ? screen_open(&top->screen, "--top", "--summary") : EXIT_FAILED;

	if (err) {
		free(top);
		return err;
	}
	top->source = *source;
	top->shown = shown;
	top->view.sort = TOP_IDLE;
	set_up_screen(top);
	*result = top;
	return 0;
}

void top_close(struct top *top)
{
	if (!top)
		return;
	screen_close(top->screen);
	free(top);
}

/* --- what is shown --- */

static void read_sums(struct top *top, __u64 now_ns)
{
	__u64 started;

	if (top->source.sums(top->source.context, &top->sums))
		return;
	started = top->sums.connections.started;
	if (top->last_ns && now_ns > top->last_ns)
		top->rate = (double)(started - top->last_started) * (double)NS_PER_S /
			    (double)(now_ns - top->last_ns);
	top->last_ns = now_ns;
	top->last_started = started;
}

static void read_rows(struct top *top, __u64 now_ns)
{
	long count = top->source.read(top->source.context, top->rows, TOP_MAX_ROWS, &top->total);

	read_sums(top, now_ns);
	top->count = count > 0 ? (size_t)count : 0;
	top->view.now_ns = top->drawn_ns = now_ns;
}

static attr_t attributes(int pair)
{
	return has_colors() ? (attr_t)COLOR_PAIR(pair) : A_BOLD;
}

/* The client and the server share what the others leave. */
static int width_of(enum top_column column)
{
	int rest = COLS;

	if (column > TOP_SERVER)
		return top_columns(column);
	for (int i = TOP_SERVER + 1; i < TOP_COLUMN_COUNT; i++)
		rest -= top_columns(i) + 1;
	rest = rest / 2 - 1;
	return rest > top_columns(column) ? rest : top_columns(column);
}

/* A cell that fits on the line. @right: numbers; what is too long is cut. Return: the column behind it. */
static int put_cell(int line, int at, int width, const char *text, bool right)
{
	int shown = 0;

	for (const char *c = text; *c; c++)
		shown += (*c & 0xc0) != 0x80; /* characters, not bytes */
	if (right && shown < width)
		mvaddstr(line, at + width - shown, text);
	else if (shown <= width)
		mvaddstr(line, at, text);
	else
		mvaddnstr(line, at, text, width);
	return at + width + 1;
}

static void draw_title(const struct top *top)
{
	__u64 failed = 0;
	char name[4 * IF_NAMESIZE];

	for (int i = 0; i < FAILURE_COUNT; i++)
		failed += summary_ending(&top->sums, i, 0);
	attron(A_BOLD);
	mvaddstr(0, 0, "xdplife");
	attroff(A_BOLD);
	for (int i = 0; i < top->shown->interface_count; i++) {
		terminal_safe(name, sizeof(name), top->shown->interface[i].name,
			      strlen(top->shown->interface[i].name));
		printw(" %s", name);
	}
	printw("  %" PRIu64 " s  started %" PRIu64 " (%.1f/s)  established %" PRIu64 "  failed %" PRIu64,
	       (uint64_t)((top->view.now_ns - top->shown->start_ns) / NS_PER_S),
	       (uint64_t)top->sums.connections.started, top->rate,
	       (uint64_t)top->sums.tcp_event[TCP_EVENT_INDEX_ESTABLISHED], (uint64_t)failed);
	printw("  shown %zu of %" PRIu64, top->kept, (uint64_t)top->total);
	if (top->total > top->count)
		printw(" (%zu looked at)", top->count);
	if (top->paused)
		addstr("  PAUSED");
}

static void draw_headings(const struct top *top)
{
	char text[TOP_CELL_BYTES];
	int at = 0;

	attron(A_REVERSE);
	mvhline(1, 0, ' ', COLS);
	for (int i = 0; i < TOP_COLUMN_COUNT && at + width_of(i) <= COLS; i++) {
		snprintf(text, sizeof(text), "%s%s", top_heading(i),
			 i != (int)top->view.sort ? ""
			 : top->view.reversed     ? "^"
						  : "*");
		at = put_cell(1, at, width_of(i), text, i > TOP_STATE);
	}
	attroff(A_REVERSE);
}

static void draw_row(const struct top *top, const struct connection *row, int line)
{
	attr_t style = top_is_failure(row)                         ? attributes(PAIR_BAD)
		       : row->track.phase == TCP_PHASE_ESTABLISHED ? attributes(PAIR_GOOD)
		       : row->track.phase < TCP_PHASE_ESTABLISHED  ? attributes(PAIR_WARN)
								   : A_NORMAL;
	char text[TOP_CELL_BYTES];
	int at = 0;

	for (int i = 0; i < TOP_COLUMN_COUNT && at + width_of(i) <= COLS; i++) {
		top_cell(text, row, i, &top->view);
		if (i == TOP_STATE)
			attron(style);
		at = put_cell(line, at, width_of(i), text, i > TOP_STATE);
		if (i == TOP_STATE)
			attroff(style);
	}
}

static void draw_footer(const struct top *top)
{
	if (top->typing || *top->view.filter) {
		mvprintw(LINES - 1, 0, "filter: %s%s", top->view.filter,
			 top->typing ? "_  (Enter: done, Esc: none)" : "  (/ changes it)");
		return;
	}
	mvaddstr(LINES - 1, 0, "q quit  p pause  / filter  R reverse  sort:");
	for (int i = 0; i < TOP_COLUMN_COUNT; i++)
		printw(" %c %s", top_letter(i), top_heading(i));
}

static void draw(struct top *top)
{
	int lines = LINES - HEADER_LINES - FOOTER_LINES;

	top->kept = top_arrange(top->rows, top->count, &top->view);
	if (top->scroll >= top->kept)
		top->scroll = top->kept ? top->kept - 1 : 0;
	erase();
	draw_title(top);
	draw_headings(top);
	for (int i = 0; i < lines && top->scroll + i < top->kept; i++)
		draw_row(top, &top->rows[top->scroll + i], HEADER_LINES + i);
	draw_footer(top);
	refresh();
}

/* --- keys --- */

static void type_filter(struct top *top, int key)
{
	size_t used = strlen(top->view.filter);

	if (key == KEY_ESCAPE)
		*top->view.filter = 0;
	if (key == KEY_ESCAPE || key == '\n' || key == '\r' || key == KEY_ENTER)
		top->typing = false;
	else if ((key == KEY_BACKSPACE || key == '\b' || key == 0x7f) && used)
		top->view.filter[used - 1] = 0;
	else if (key > ' ' && key < 0x7f && used + 1 < sizeof(top->view.filter))
		snprintf(top->view.filter + used, 2, "%c", key);
}

static void sort_by(struct top *top, int key)
{
	for (int i = 0; i < TOP_COLUMN_COUNT; i++)
		if (key == top_letter(i)) {
			top->view.sort = i;
			top->view.reversed = false;
			top->scroll = 0;
		}
}

static void scroll_by(struct top *top, long rows)
{
	if (rows < 0 && top->scroll < (size_t)-rows)
		top->scroll = 0;
	else
		top->scroll += rows;
}

/* Return: false: quit. */
static bool take_key(struct top *top, int key)
{
	if (top->typing && key != KEY_RESIZE) {
		type_filter(top, key);
		return true;
	}
	switch (key) {
	case 'q':
		return false;
	case 'p':
		top->paused = !top->paused;
		return true;
	case '/':
		top->typing = true;
		return true;
	case 'R':
		top->view.reversed = !top->view.reversed;
		return true;
	case KEY_ESCAPE:
		*top->view.filter = 0;
		return true;
	case KEY_DOWN:
	case KEY_UP:
		scroll_by(top, key == KEY_DOWN ? 1 : -1);
		return true;
	case KEY_NPAGE:
	case KEY_PPAGE:
		scroll_by(top, key == KEY_NPAGE ? LINES / 2 : -LINES / 2);
		return true;
	default:
		sort_by(top, key);
		return true;
	}
}

bool top_tick(struct top *top, __u64 now_ns)
{
	bool changed = false;
	int key;

	while ((key = getch()) != ERR) {
		changed = true;
		if (!take_key(top, key))
			return false;
	}
	if (!top->paused && now_ns - top->drawn_ns >= REFRESH_NS) {
		read_rows(top, now_ns);
		changed = true;
	}
	if (changed)
		draw(top);
	return true;
}
