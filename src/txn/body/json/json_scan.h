/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_scan.h: the two loops in which a JSON reader spends its time when it passes over what nobody wants,
 * 16 octets at a time where the machine has SSE2 (every x86-64 does), and one at a time elsewhere. Both
 * forms are here under their own names so that a test can hold them against each other.
 */
#ifndef PC_TXN_BODY_JSON_SCAN_H
#define PC_TXN_BODY_JSON_SCAN_H

#include <stdbool.h>
#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* In a string: the first quote, backslash or control character, or end. */
static inline const char *scan_string_plain(const char *at, const char *end)
{
	while (at < end && *at != '"' && *at != '\\' && (unsigned char)*at >= 0x20)
		at++;
	return at;
}

/* Outside of strings, in a part that nobody wants: the first bracket or quote, or an octet that stands
 * nowhere in JSON outside of strings (a comment's slash, the N of NaN), or end. Accepted are blanks and
 * controls, '+' to '.', digits and ':', 'E', and 'a' to 'u'. */
static inline bool scan_passes(unsigned char c)
{
	return c <= 0x20 || (c >= '+' && c <= ':' && c != '/') || c == 'E' ||
	       (c >= 'a' && c <= 'u');
}

static inline const char *scan_outside_plain(const char *at, const char *end)
{
	while (at < end && scan_passes((unsigned char)*at))
		at++;
	return at;
}

#ifdef __SSE2__

/* Unsigned low <= c <= high, octet by octet. */
static inline __m128i scan_range(__m128i c, char low, char high)
{
	__m128i from_low = _mm_sub_epi8(c, _mm_set1_epi8(low));

	return _mm_cmpeq_epi8(_mm_min_epu8(from_low, _mm_set1_epi8((char)(high - low))), from_low);
}

static inline unsigned scan_string_stops(__m128i c)
{
	__m128i stop = _mm_or_si128(_mm_cmpeq_epi8(c, _mm_set1_epi8('"')),
				    _mm_cmpeq_epi8(c, _mm_set1_epi8('\\')));

	return (unsigned)_mm_movemask_epi8(_mm_or_si128(stop, scan_range(c, 0, 0x1f)));
}

static inline unsigned scan_outside_stops(__m128i c)
{
	__m128i pass = _mm_or_si128(scan_range(c, 0, 0x20), scan_range(c, '+', ':'));

	pass = _mm_or_si128(pass, scan_range(c, 'a', 'u'));
	pass = _mm_or_si128(pass, _mm_cmpeq_epi8(c, _mm_set1_epi8('E')));
	pass = _mm_andnot_si128(_mm_cmpeq_epi8(c, _mm_set1_epi8('/')), pass);
	return (unsigned)_mm_movemask_epi8(pass) ^ 0xffff;
}

static inline const char *scan_string_sse2(const char *at, const char *end)
{
	for (; end - at >= 16; at += 16) {
		unsigned stops = scan_string_stops(_mm_loadu_si128((const __m128i *)at));

		if (stops)
			return at + __builtin_ctz(stops);
	}
	return scan_string_plain(at, end);
}

static inline const char *scan_outside_sse2(const char *at, const char *end)
{
	for (; end - at >= 16; at += 16) {
		unsigned stops = scan_outside_stops(_mm_loadu_si128((const __m128i *)at));

		if (stops)
			return at + __builtin_ctz(stops);
	}
	return scan_outside_plain(at, end);
}

#define scan_string  scan_string_sse2
#define scan_outside scan_outside_sse2
#else
#define scan_string  scan_string_plain
#define scan_outside scan_outside_plain
#endif

#endif
