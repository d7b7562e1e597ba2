/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The whole terminal for one program: ncurses on it, and all as before at the end, however that comes. If the process is
 * killed, a child process gives the terminal back. What is written to stderr meanwhile appears at the end.
 */
#ifndef XDPLIFE_SCREEN_H
#define XDPLIFE_SCREEN_H

struct screen;

/**
 * screen_open() - from here on curses' functions draw
 * @option: that wants it, for messages
 * @instead: what does without a terminal, as the cure
 *
 * Return: 0; an exit_code with the error and its cure said.
 */
int screen_open(struct screen **screen, const char *option, const char *instead);

/* NULL is allowed. */
void screen_close(struct screen *screen);

#endif
