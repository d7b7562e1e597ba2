/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages to the person, always on stderr: the thing, the cause and the cure. */
#ifndef XDPLIFE_LOG_H
#define XDPLIFE_LOG_H

#include <stdio.h>

/**
 * log_error() - "xdplife: MESSAGE; try: CURE"
 * @cure: what to try, as a command or in words; NULL where there is none
 */
void log_error(const char *cure, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* As log_error(), for what does not stop the work: "xdplife: warning: MESSAGE; try: CURE". */
void log_warn(const char *cure, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A line of progress or fact: "xdplife: MESSAGE". */
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
