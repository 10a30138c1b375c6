/* SPDX-License-Identifier: Apache-2.0 */
/*
 * user_agent.c: User-Agent and client hints (hints.c) → device, system, browser, robot. The words are data
 * (agents_words.c, agents_robots.c); here is how they are found and weighed.
 *
 * One pass: at each start of a word its first two letters lead to the few words of ours that begin so
 * (most begin none). What is found is kept as the best of each kind; the verdict is drawn at the end.
 * The index is made once, at start.
 */
#include <errno.h>
#include <stdlib.h>

#include "session/who/agents.h"

#define CLASSES 39 /* letters, digits, '+', and all the rest as 0 */

/* What a word that no list has ends like where only robots call themselves so; or it gives an address. */
static const struct slice generics[] = { SLICE("bot"),	 SLICE("spider"),  SLICE("crawler"),
					 SLICE("crawl"), SLICE("scraper"), SLICE("+http") };
#define GENERICS     (sizeof(generics) / sizeof(generics[0]))
#define GENERIC_HTTP (GENERICS - 1)

struct word {
	const char *text;
	uint16_t robot; /* struct agent */
	uint8_t len;
	bool open; /* a '*' stood at its end */
	uint8_t kind, value, rank;
};

/* Verdicts on the values seen last: the same few come again and again, and a look at them costs a
 * twentieth of a verdict. Whole values are compared, so a stranger can empty it but not fool it. */
#define CACHE_ENTRIES 256
#define CACHE_BYTES   480 /* of a value of all four fields; longer ones are judged each time */
#define CACHE_FIELDS  4

struct cached {
	uint16_t len[CACHE_FIELDS];
	bool used;
	struct agent agent;
	char text[CACHE_BYTES];
};

struct agents {
	struct cached cache[CACHE_ENTRIES];
	char *names;	   /* of words without their '*', one after the other */
	const char **name; /* by number of the word */
	uint16_t headless;
	uint16_t first[CLASSES * CLASSES + 1]; /* words of a pair: [first[p], first[p + 1]) */
	uint16_t count;
	struct word word[];
};

static const uint8_t class_of[256] = {
	['a'] = 1,  ['b'] = 2,	['c'] = 3,  ['d'] = 4,	['e'] = 5,  ['f'] = 6,	['g'] = 7,
	['h'] = 8,  ['i'] = 9,	['j'] = 10, ['k'] = 11, ['l'] = 12, ['m'] = 13, ['n'] = 14,
	['o'] = 15, ['p'] = 16, ['q'] = 17, ['r'] = 18, ['s'] = 19, ['t'] = 20, ['u'] = 21,
	['v'] = 22, ['w'] = 23, ['x'] = 24, ['y'] = 25, ['z'] = 26, ['A'] = 1,	['B'] = 2,
	['C'] = 3,  ['D'] = 4,	['E'] = 5,  ['F'] = 6,	['G'] = 7,  ['H'] = 8,	['I'] = 9,
	['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
	['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23,
	['X'] = 24, ['Y'] = 25, ['Z'] = 26, ['0'] = 27, ['1'] = 28, ['2'] = 29, ['3'] = 30,
	['4'] = 31, ['5'] = 32, ['6'] = 33, ['7'] = 34, ['8'] = 35, ['9'] = 36, ['+'] = 37,
};

static unsigned class_at(const char *s)
{
	return class_of[(unsigned char)*s];
}

static bool is_letter(unsigned class)
{
	return class - 1 < 26;
}

static char fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* ---- the index ---- */

static unsigned pair_of(const struct word *w)
{
	return class_at(w->text) * CLASSES + class_at(w->text + 1);
}

static int by_pair(const void *a, const void *b)
{
	unsigned x = pair_of(a), y = pair_of(b);

	return x < y ? -1 : x > y;
}

static size_t count_words(const struct agent_word *list)
{
	size_t n = 0;

	while (list && list[n].text)
		n++;
	return n;
}

/* Numbers go by the order of the lists, an operator's last, so that ours stay what they are. */
static void name_word(struct agents *a, struct word *w, char **room)
{
	a->name[a->count] = *room;
	memcpy(*room, w->text, w->len);
	*room += w->len + 1;
	w->robot = (uint16_t)(GENERICS + 1 + a->count);
	if (slice_eq(slice_of(w->text, w->len), SLICE("headlesschrome")) && w->kind == WORD_BOT)
		a->headless = w->robot;
}

static int add_words(struct agents *a, const struct agent_word *list, char **room)
{
	for (; list && list->text; list++) {
		size_t len = strlen(list->text);
		bool open = len && list->text[len - 1] == '*';
		struct word w = { list->text,  0,	  (uint8_t)(len - open), open, list->kind,
				  list->value, list->rank };

		if (len < 2 || len > 64 || !class_at(list->text))
			return -EINVAL;
		for (size_t i = 0; i < len; i++)
			if (fold(list->text[i]) != list->text[i])
				return -EINVAL;
		name_word(a, &w, room);
		a->word[a->count++] = w;
	}
	return 0;
}

static size_t name_bytes(const struct agent_word *list)
{
	size_t n = 0;

	for (; list && list->text; list++)
		n += strlen(list->text) + 1;
	return n;
}

int agents_new(const struct agent_word *more, struct agents **ret)
{
	size_t count = count_words(more) + count_words(agents_words) + count_words(agents_robots);
	size_t bytes = name_bytes(more) + name_bytes(agents_words) + name_bytes(agents_robots);
	struct agents *a;
	unsigned pair = 0;
	char *room;

	if (count + GENERICS >= UINT16_MAX)
		return -EINVAL;
	a = calloc(1, sizeof(*a) + count * sizeof(a->word[0]));
	if (!a)
		return -ENOMEM;
	a->names = room = calloc(1, bytes);
	a->name = calloc(count, sizeof(a->name[0]));
	if (!a->names || !a->name) {
		agents_free(a);
		return -ENOMEM;
	}
	if (add_words(a, agents_words, &room) || add_words(a, agents_robots, &room) ||
	    add_words(a, more, &room)) {
		agents_free(a);
		return -EINVAL;
	}
	qsort(a->word, a->count, sizeof(a->word[0]), by_pair);
	for (unsigned i = 0; i < a->count; i++)
		while (pair <= pair_of(&a->word[i]))
			a->first[pair++] = (uint16_t)i;
	while (pair <= CLASSES * CLASSES)
		a->first[pair++] = a->count;
	*ret = a;
	return 0;
}

void agents_free(struct agents *a)
{
	if (!a)
		return;
	free(a->names);
	free(a->name);
	free(a);
}

uint16_t agents_count(const struct agents *a)
{
	return (uint16_t)(GENERICS + a->count);
}

const char *agents_name(const struct agents *a, enum browser browser, uint16_t robot)
{
	if (!robot || robot > agents_count(a))
		return browser_name(browser);
	return robot > GENERICS ? a->name[robot - GENERICS - 1] : generics[robot - 1].at;
}

/* ---- one pass ---- */

struct best {
	const struct word *word;
	size_t end; /* behind it, where a version may stand */
};

struct found {
	struct slice text;
	struct best robot, os, browser, device;
	size_t version[2]; /* where it begins; 0: none */
	bool mobile, person, plain;
	uint16_t generic;   /* 1 + place in generics */
	size_t generic_end; /* behind it */
};

static void keep(struct best *b, const struct word *w, size_t end)
{
	if (b->word && b->word->rank >= w->rank)
		return;
	b->word = w;
	b->end = end;
}

static void take(struct found *f, const struct word *w, size_t at)
{
	size_t end = at + w->len;

	switch (w->kind) {
	case WORD_PROGRAM:
		if (!f->plain) /* browsers have views of programs' names in them */
			return;
		/* fall through */
	case WORD_TEST:
	case WORD_BOT:
		if (w->value == AGENT_ANYWHERE || at == 0)
			keep(&f->robot, w, end);
		return;
	case WORD_PERSON:
		f->person = true;
		return;
	case WORD_OS:
		keep(&f->os, w, end);
		return;
	case WORD_BROWSER:
		keep(&f->browser, w, end);
		return;
	case WORD_DEVICE:
		keep(&f->device, w, end);
		return;
	case WORD_VERSION:
		if (!f->version[w->value])
			f->version[w->value] = end;
		return;
	case WORD_MOBILE:
		f->mobile = true;
		return;
	}
}

static bool stands_at(const struct word *w, struct slice s, size_t at)
{
	size_t i;

	if (w->len > s.len - at)
		return false;
	for (i = 2; i < w->len; i++)
		if (fold(s.at[at + i]) != w->text[i])
			return false;
	/* Of the first two octets the index knows the class only. */
	if (!class_at(w->text + 1) && s.at[at + 1] != w->text[1])
		return false;
	if (w->open || at + i == s.len || !is_letter(class_at(w->text + w->len - 1)))
		return true;
	return !is_letter(class_at(s.at + at + i));
}

/* A run of letters ends before `end`: is its end one of the names that only robots give themselves? */
static void look_at_end(struct found *f, size_t begin, size_t end)
{
	for (uint16_t i = 0; i < GENERIC_HTTP; i++) {
		if (end - begin < generics[i].len ||
		    !slice_ieq(slice_sub(f->text, end - generics[i].len, end), generics[i]))
			continue;
		f->generic = i + 1;
		f->generic_end = end;
		return;
	}
}

static void scan(const struct agents *a, struct found *f)
{
	struct slice s = f->text;
	unsigned before = 0;
	size_t run = 0; /* start of the letters that lead here */
	size_t end = s.len < AGENT_BYTES ? s.len : AGENT_BYTES;

	for (size_t i = 0; i < end; i++) {
		unsigned class = class_at(s.at + i);

		if (class && (!before || class == 37)) {
			unsigned pair =
				class * CLASSES + (i + 1 < s.len ? class_at(s.at + i + 1) : 0);

			for (unsigned w = a->first[pair]; w < a->first[pair + 1]; w++)
				if (stands_at(&a->word[w], s, i))
					take(f, &a->word[w], i);
		}
		if (is_letter(class)) {
			if (!is_letter(before))
				run = i;
		} else if (is_letter(before) && i - run >= 3 && !f->generic) {
			char last = fold(s.at[i - 1]);

			if (last == 't' || last == 'r' || last == 'l')
				look_at_end(f, run, i);
		}
		if (class == 37 && !f->generic &&
		    slice_istarts(slice_sub(s, i, s.len), SLICE("+http")))
			f->generic = GENERIC_HTTP + 1;
		before = class;
	}
	if (end == s.len && is_letter(before) && !f->generic)
		look_at_end(f, run, s.len);
}

uint32_t agent_version_at(struct slice s, size_t at)
{
	uint32_t v = 0;

	if (at < s.len && (s.at[at] == '/' || s.at[at] == ' ' || s.at[at] == ':'))
		at++;
	for (unsigned n = 0; n < 6 && at < s.len && s.at[at] >= '0' && s.at[at] <= '9'; n++)
		v = v * 10 + (uint32_t)(s.at[at++] - '0');
	return v;
}

/* ---- the verdict ---- */

static void judge_robot(const struct found *f, struct agent *ret)
{
	const struct word *w = f->robot.word;

	if (f->person)
		return;
	if (w) {
		ret->robot = w->robot;
		ret->version = agent_version_at(f->text, f->robot.end);
		ret->synthetic = w->kind == WORD_TEST ? SYNTHETIC_TEST : SYNTHETIC_BOT;
		ret->device = w->kind == WORD_PROGRAM ? DEVICE_PROGRAM : DEVICE_BOT;
	} else if (f->generic) {
		ret->robot = f->generic;
		ret->version = f->generic_end ? agent_version_at(f->text, f->generic_end) : 0;
		ret->synthetic = SYNTHETIC_BOT;
		ret->device = DEVICE_BOT;
	}
}

static enum device device_of(const struct found *f, enum os os)
{
	if (f->device.word)
		return (enum device)f->device.word->value;
	switch (os) {
	case OS_ANDROID: /* without "Mobile" it is a tablet: so Google's and Mozilla's pages */
	case OS_HARMONY:
		return f->mobile || (f->browser.word && f->browser.word->value == BROWSER_APP)
			       ? DEVICE_MOBILE
			       : DEVICE_TABLET;
	case OS_TIZEN:
		return f->mobile ? DEVICE_MOBILE : DEVICE_TV;
	case OS_IOS:
	case OS_KAIOS:
		return DEVICE_MOBILE;
	case OS_WINDOWS:
	case OS_MACOS:
	case OS_LINUX:
	case OS_CHROME_OS:
	case OS_BSD:
		return f->mobile && os != OS_WINDOWS ? DEVICE_MOBILE : DEVICE_DESKTOP;
	default:
		return f->mobile ? DEVICE_MOBILE : DEVICE_OTHER;
	}
}

static void judge_browser(const struct found *f, struct agent *ret)
{
	const struct word *w = f->browser.word;

	if (!w) {
		ret->browser = BROWSER_OTHER;
		return;
	}
	ret->browser = (enum browser)w->value;
	ret->browser_major = agent_version_at(f->text, f->browser.end);
	if (ret->browser == BROWSER_SAFARI) {
		/* Safari/605 is the engine's; only Apple makes the browser. */
		ret->browser_major = f->version[VERSION_SAFARI]
					     ? agent_version_at(f->text, f->version[VERSION_SAFARI])
					     : 0;
		if (ret->os != OS_MACOS && ret->os != OS_IOS && ret->os != OS_WINDOWS) {
			ret->browser = BROWSER_OTHER;
			ret->browser_major = 0;
		}
	} else if (slice_eq(slice_of(w->text, w->len), SLICE("trident"))) {
		ret->browser_major = f->version[VERSION_IE]
					     ? agent_version_at(f->text, f->version[VERSION_IE])
					     : 0;
	} else if (ret->browser == BROWSER_OPERA && f->version[VERSION_SAFARI] &&
		   slice_istarts(f->text, SLICE("opera/"))) {
		ret->browser_major =
			agent_version_at(f->text, f->version[VERSION_SAFARI]); /* 10 to 12 */
	}
}

static void judge(const struct agents *a, const struct who_fields *w, struct agent *ret)
{
	struct slice text = slice_trim(w->value[WHO_USER_AGENT]);
	struct found f = { .text = text };

	*ret = (struct agent){ 0 };
	if (text.len) {
		f.plain = !slice_starts(text, SLICE("Mozilla/")) &&
			  !slice_starts(text, SLICE("Opera/"));
		scan(a, &f);
		ret->os = f.os.word ? (enum os)f.os.word->value : OS_OTHER;
		judge_browser(&f, ret);
		ret->device = device_of(&f, ret->os);
		judge_robot(&f, ret);
	}
	if (w->value[WHO_CH_UA].at || w->value[WHO_CH_PLATFORM].at || w->value[WHO_CH_MOBILE].at)
		agent_apply_hints(w, ret);
	if (!ret->synthetic &&
	    slice_find_slice(w->value[WHO_CH_UA], SLICE("\"HeadlessChrome\"")) >= 0) {
		ret->robot = a->headless;
		ret->version = ret->browser_major;
		ret->synthetic = SYNTHETIC_BOT;
		ret->device = DEVICE_BOT;
	}
	if (!ret->robot)
		ret->version = ret->browser_major;
	ret->name = agents_name(a, ret->browser, ret->robot);
}

/* ---- what was judged before ---- */

static const uint8_t judged_by[CACHE_FIELDS] = { WHO_USER_AGENT, WHO_CH_UA, WHO_CH_MOBILE,
						 WHO_CH_PLATFORM };

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15ull;
	return h ^ h >> 32;
}

/* Not keyed: who finds collisions makes us judge, no more. */
static uint64_t hash_of(const struct who_fields *w)
{
	uint64_t h = 0;

	for (unsigned i = 0; i < CACHE_FIELDS; i++) {
		struct slice s = w->value[judged_by[i]];
		uint64_t v = 0;
		size_t at = 0;

		for (; at + 8 <= s.len; at += 8) {
			memcpy(&v, s.at + at, 8);
			h = mix(h, v);
		}
		v = 0;
		if (at < s.len)
			memcpy(&v, s.at + at, s.len - at);
		h = mix(h, v ^ (uint64_t)s.len << 56);
	}
	return h;
}

static bool is_cached(const struct cached *c, const struct who_fields *w)
{
	const char *at = c->text;

	if (!c->used)
		return false;
	for (unsigned i = 0; i < CACHE_FIELDS; i++) {
		struct slice s = w->value[judged_by[i]];

		if (!slice_eq(s, slice_of(at, c->len[i])))
			return false;
		at += s.len;
	}
	return true;
}

static void remember(struct cached *c, const struct who_fields *w, const struct agent *agent)
{
	char *at = c->text;

	for (unsigned i = 0; i < CACHE_FIELDS; i++) {
		struct slice s = w->value[judged_by[i]];

		c->len[i] = (uint16_t)s.len;
		if (s.len)
			memcpy(at, s.at, s.len);
		at += s.len;
	}
	c->agent = *agent;
	c->used = true;
}

void agent_of(struct agents *a, const struct who_fields *w, struct agent *ret)
{
	size_t bytes = 0;
	struct cached *c;

	for (unsigned i = 0; i < CACHE_FIELDS; i++)
		bytes += w->value[judged_by[i]].len;
	if (bytes > CACHE_BYTES) {
		judge(a, w, ret);
		return;
	}
	c = &a->cache[hash_of(w) % CACHE_ENTRIES];
	if (!is_cached(c, w)) {
		judge(a, w, ret);
		remember(c, w, ret);
		return;
	}
	*ret = c->agent;
}
