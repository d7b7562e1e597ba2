// SPDX-License-Identifier: GPL-2.0-only
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>

#include <curses.h>
#include <term.h>

#include "command.h"
#include "out/screen.h"
#include "util/keeper.h"
#include "util/log.h"

#define RESTORE_BYTES 128
#define MESSAGE_BYTES 1024

struct screen {
	SCREEN *curses;
	int stderr_fd, message_fd; /* -1: stderr is no terminal and goes where it went */
	struct termios before;
	char restore[RESTORE_BYTES]; /* what makes the terminal show the shell again */
	struct keeper keeper;
};

/* In the keeper, if we were killed. */
static void restore_terminal(void *context)
{
	const struct screen *screen = context;

	tcsetattr(STDIN_FILENO, TCSANOW, &screen->before);
	if (write(STDOUT_FILENO, screen->restore, strlen(screen->restore)) < 0)
		return; /* the terminal is gone: nobody is left to see it */
}

static const char *capability(const char *name)
{
	const char *text = tigetstr((char *)name);

	return text && text != (char *)-1 ? text : "";
}

/* ncurses ends the program when it does not like the terminal: look first. */
static int check_terminal(struct screen *screen, const char *option, const char *instead)
{
	const char *term = getenv("TERM");
	char cure[64];
	int err;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		log_error(instead, "%s: standard input and output must be a terminal", option);
		return EXIT_FAILED;
	}
	if (setupterm(NULL, STDOUT_FILENO, &err) || !*capability("cup")) {
		snprintf(cure, sizeof(cure), "TERM=xterm, or %s", instead);
		log_error(cure, "%s: the terminal (TERM=%s) is not known or cannot place its cursor", option,
			  term ? term : "");
		return EXIT_FAILED;
	}
	snprintf(screen->restore, sizeof(screen->restore), "%s%s%s\r\n", capability("sgr0"),
		 capability("cnorm"), capability("rmcup"));
	return 0;
}

/* Messages would be lost on the screen: they wait in a file. */
static void hold_messages(struct screen *screen)
{
	screen->stderr_fd = screen->message_fd = -1;
	if (!isatty(STDERR_FILENO))
		return;
	screen->message_fd = memfd_create("xdplife-messages", MFD_CLOEXEC);
	screen->stderr_fd = dup(STDERR_FILENO);
	if (screen->message_fd >= 0 && screen->stderr_fd >= 0)
		dup2(screen->message_fd, STDERR_FILENO);
}

static void release_messages(struct screen *screen)
{
	char text[MESSAGE_BYTES];
	ssize_t bytes;
	off_t at = 0;

	if (screen->stderr_fd >= 0)
		dup2(screen->stderr_fd, STDERR_FILENO);
	while (screen->message_fd >= 0 && (bytes = pread(screen->message_fd, text, sizeof(text), at)) > 0) {
		fwrite(text, 1, bytes, stderr);
		at += bytes;
	}
	if (screen->stderr_fd >= 0)
		close(screen->stderr_fd);
	if (screen->message_fd >= 0)
		close(screen->message_fd);
}

int screen_open(struct screen **result, const char *option, const char *instead)
{
	struct screen *screen = calloc(1, sizeof(*screen));
	int err = screen ? check_terminal(screen, option, instead) : EXIT_FAILED;

	if (err) {
		free(screen);
		return err;
	}
	tcgetattr(STDIN_FILENO, &screen->before);
	keeper_start(&screen->keeper, restore_terminal,
		     screen); /* without it, being killed leaves it as it is */
	setlocale(LC_CTYPE, "");
	screen->curses = newterm(NULL, stdout, stdin);
	if (!screen->curses) {
		keeper_dismiss(&screen->keeper);
		free(screen);
		log_error(instead, "%s: the terminal cannot be used", option);
		return EXIT_FAILED;
	}
	hold_messages(screen);
	*result = screen;
	return 0;
}

void screen_close(struct screen *screen)
{
	if (!screen)
		return;
	endwin();
	delscreen(screen->curses);
	keeper_dismiss(&screen->keeper);
	release_messages(screen);
	free(screen);
}
