// SPDX-License-Identifier: GPL-2.0-only
#include <stddef.h>

#include "util/names.h"

struct name {
	const char *key;
	const char *text;
};

#define VERDICT_NAME(name, class, key, text)  [VERDICT_##name] = {key, text},
#define VERDICT_CLASS(name, class, key, text) [VERDICT_##name] = CLASS_##class,
#define MALFORMED_NAME(name, key, text)       [MALFORMED_##name] = {key, text},
#define AFTER_NAME(name, of, key, text)       [AFTER_##name] = {key, text},
#define OBSERVED_NAME(name, key, text)        [OBSERVED_##name] = {key, text},
#define EVENT_NAME(name, key, text)           [EVENT_##name] = {key, text},

static const struct name verdicts[VERDICT_COUNT] = {XL_VERDICTS(VERDICT_NAME)};
static const enum verdict_class classes[VERDICT_COUNT] = {XL_VERDICTS(VERDICT_CLASS)};
static const struct name malformeds[MALFORMED_COUNT] = {XL_MALFORMED(MALFORMED_NAME)};
static const struct name afters[AFTER_COUNT] = {XL_AFTER_REDIRECT(AFTER_NAME)};
static const struct name observeds[OBSERVED_COUNT] = {XL_OBSERVED(OBSERVED_NAME)};
static const struct name events[EVENT_OUTCOME_COUNT] = {XL_EVENT_OUTCOMES(EVENT_NAME)};

#define TCP_EVENT_NAME(name, key, text) [TCP_EVENT_INDEX_##name] = {key, text},
static const struct name tcp_events[TCP_EVENT_COUNT] = {XL_TCP_EVENTS(TCP_EVENT_NAME)};

#define FATE_NAME(name, ending, key, text) [FATE_##name] = {key, text},
#define ENDING_NAME(name, key, text)       [ENDING_##name] = {key, text},
static const struct name fates[FATE_COUNT] = {XL_FATES(FATE_NAME)};
static const struct name endings[ENDING_COUNT] = {XL_ENDINGS(ENDING_NAME)};

static const struct name unknown = {"unknown", "unknown"};

static const struct name *find(const struct name *names, size_t count, size_t index)
{
	return index < count ? &names[index] : &unknown;
}

const char *malformed_text(enum malformed malformed)
{
	return find(malformeds, MALFORMED_COUNT, malformed)->text;
}

const char *malformed_key(enum malformed malformed)
{
	return find(malformeds, MALFORMED_COUNT, malformed)->key;
}

const char *verdict_text(enum verdict verdict)
{
	return find(verdicts, VERDICT_COUNT, verdict)->text;
}

const char *verdict_key(enum verdict verdict)
{
	return find(verdicts, VERDICT_COUNT, verdict)->key;
}

enum verdict_class verdict_class(enum verdict verdict)
{
	return (size_t)verdict < VERDICT_COUNT ? classes[verdict] : CLASS_COUNT;
}

const char *verdict_class_key(enum verdict_class class)
{
	static const char *const keys[CLASS_COUNT] = {
		[CLASS_FORWARDED] = "forwarded",
		[CLASS_STEERED] = "steered",
		[CLASS_PASSED] = "passed",
		[CLASS_DROPPED] = "dropped",
	};

	return (size_t) class < CLASS_COUNT ? keys[class] : unknown.key;
}

const char *observed_text(enum observed observed)
{
	return find(observeds, OBSERVED_COUNT, observed)->text;
}

const char *observed_key(enum observed observed)
{
	return find(observeds, OBSERVED_COUNT, observed)->key;
}

const char *event_outcome_text(enum event_outcome outcome)
{
	return find(events, EVENT_OUTCOME_COUNT, outcome)->text;
}

const char *event_outcome_key(enum event_outcome outcome)
{
	return find(events, EVENT_OUTCOME_COUNT, outcome)->key;
}

const char *after_redirect_text(enum after_redirect after)
{
	return find(afters, AFTER_COUNT, after)->text;
}

const char *after_redirect_key(enum after_redirect after)
{
	return find(afters, AFTER_COUNT, after)->key;
}

const char *tcp_event_text(enum tcp_event_index event)
{
	return find(tcp_events, TCP_EVENT_COUNT, event)->text;
}

const char *tcp_event_key(enum tcp_event_index event)
{
	return find(tcp_events, TCP_EVENT_COUNT, event)->key;
}

const char *fate_key(enum fate fate)
{
	return find(fates, FATE_COUNT, fate)->key;
}

const char *fate_text(enum fate fate)
{
	return find(fates, FATE_COUNT, fate)->text;
}

const char *ending_key(enum ending ending)
{
	return find(endings, ENDING_COUNT, ending)->key;
}

const char *ending_text(enum ending ending)
{
	return find(endings, ENDING_COUNT, ending)->text;
}
