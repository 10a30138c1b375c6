/* SPDX-License-Identifier: Apache-2.0 */
/*
 * retry.c: see retry.h. Used by the worker thread; pure, so that its schedule is tested with times of
 * the test's own.
 */
#include "export/retry.h"

#include <curl/curl.h>
#include <errno.h>

#include "base/pb.h"

#define DATE_MAX 64
#define DAY_NS	 86400000000000ll /* nobody means more */

enum answer retry_answer(long status)
{
	switch (status) {
	case 0:
	case 429:
	case 502:
	case 503:
	case 504:
		return ANSWER_RETRY;
	}
	return status >= 200 && status < 300 ? ANSWER_TAKEN : ANSWER_REFUSED;
}

bool retry_next(struct retry *r, uint64_t now_ns, int64_t asked_ns, uint32_t chance,
		uint64_t *ret_next_ns)
{
	uint64_t delay = RETRY_FIRST_NS;

	if (!r->attempts++)
		r->first_ns = now_ns;
	for (uint32_t i = 1; i < r->attempts && delay < RETRY_MOST_NS; i++)
		delay *= 2;
	if (delay > RETRY_MOST_NS)
		delay = RETRY_MOST_NS;
	delay = delay / 2 + (uint64_t)((double)delay * chance / 4294967296.0);
	if (asked_ns > 0) /* asked for "now", it would be asked without end: our own pause */
		delay = (uint64_t)asked_ns;
	*ret_next_ns = now_ns + delay;
	return now_ns + delay - r->first_ns <= RETRY_GIVE_UP;
}

int64_t retry_after_ns(struct slice value, int64_t wall_seconds)
{
	char text[DATE_MAX];
	uint64_t seconds;
	int64_t ns;
	time_t date;
	int err;

	value = slice_trim(value);
	err = slice_u64(value, &seconds);
	if (err == 0 || err == -ERANGE)
		return !err && seconds < DAY_NS / 1000000000 ? (int64_t)seconds * 1000000000
							     : DAY_NS;
	if (value.len == 0 || value.len >= sizeof(text) || memchr(value.at, 0, value.len))
		return -1;
	memcpy(text, value.at, value.len);
	text[value.len] = 0;
	date = curl_getdate(text, NULL); /* all three forms of an HTTP-date */
	if (date < 0)
		return -1;
	if (date - wall_seconds >= DAY_NS / 1000000000)
		return DAY_NS;
	ns = (date - wall_seconds) * 1000000000;
	return ns > 0 ? ns : 0;
}

bool retry_partial_success(struct slice body, struct partial_success *ret)
{
	struct pb_field f;
	int more;

	*ret = (struct partial_success){ 0 };
	while ((more = pb_next(&body, &f)) == 1) {
		struct slice inner = f.bytes;

		if (f.number != 1 || f.wire != PB_BYTES)
			continue;
		while ((more = pb_next(&inner, &f)) == 1) {
			if (f.number == 1 && f.wire == PB_VARINT)
				ret->rejected = f.value;
			else if (f.number == 2 && f.wire == PB_BYTES)
				ret->message = f.bytes;
		}
		if (more < 0)
			break;
	}
	return more == 0;
}

struct slice retry_status_message(struct slice body)
{
	struct slice message = { NULL, 0 };
	struct pb_field f;
	int more;

	while ((more = pb_next(&body, &f)) == 1)
		if (f.number == 2 && f.wire == PB_BYTES)
			message = f.bytes;
	return more == 0 ? message : slice_of(NULL, 0);
}
