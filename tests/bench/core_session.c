/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core_session.c: what who.h costs a request: each function by itself, and all that a transaction
 * takes together. CPU time of the thread, best of the rounds (the machine is seldom quiet).
 *
 *   core_session [ROUNDS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "session/who.h"
#include "stream/address.h"

#define REQUESTS 200000

static const struct {
	const char *path, *query, *type;
	struct field fields[16];
} requests[] = {
	{ "/products/1234-blue-shirt",
	  "utm_source=google&utm_medium=cpc&utm_campaign=summer&gclid=abc",
	  "text/html; charset=utf-8",
	  { { SLICE("Host"), SLICE("www.shop.example") },
	    { SLICE("Connection"), SLICE("keep-alive") },
	    { SLICE("sec-ch-ua"), SLICE("\"Not_A Brand\";v=\"8\", \"Chromium\";v=\"120\", \"Google "
					"Chrome\";v=\"120\"") },
	    { SLICE("sec-ch-ua-mobile"), SLICE("?0") },
	    { SLICE("sec-ch-ua-platform"), SLICE("\"Windows\"") },
	    { SLICE("Upgrade-Insecure-Requests"), SLICE("1") },
	    { SLICE("User-Agent"),
	      SLICE("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like "
		    "Gecko) Chrome/120.0.0.0 Safari/537.36") },
	    { SLICE("Accept"),
	      SLICE("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/"
		    "webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7") },
	    { SLICE("Sec-Fetch-Site"), SLICE("cross-site") },
	    { SLICE("Sec-Fetch-Mode"), SLICE("navigate") },
	    { SLICE("Sec-Fetch-User"), SLICE("?1") },
	    { SLICE("Sec-Fetch-Dest"), SLICE("document") },
	    { SLICE("Referer"), SLICE("https://www.google.com/") },
	    { SLICE("Accept-Language"), SLICE("de-DE,de;q=0.9,en;q=0.8") },
	    { SLICE("Cookie"), SLICE("_ga=GA1.1.123.456; session=abcdefghijklmnop") },
	    { SLICE("X-Forwarded-For"), SLICE("198.51.100.7, 10.0.0.3") } } },
	{ "/assets/app.4711.js",
	  "",
	  "text/javascript",
	  { { SLICE("Host"), SLICE("www.shop.example") },
	    { SLICE("User-Agent"),
	      SLICE("Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 "
		    "(KHTML, like Gecko) Version/17.1 Mobile/15E148 Safari/604.1") },
	    { SLICE("Accept"), SLICE("*/*") },
	    { SLICE("Referer"), SLICE("http://www.shop.example/products/1234-blue-shirt") },
	    { SLICE("Accept-Language"), SLICE("de-DE,de;q=0.9") },
	    { SLICE("Accept-Encoding"), SLICE("gzip, deflate") },
	    { SLICE("X-Forwarded-For"), SLICE("198.51.100.7") },
	    { SLICE("X-Real-IP"), SLICE("198.51.100.7") } } },
	{ "/api/cart",
	  "",
	  "application/json",
	  { { SLICE("Host"), SLICE("api.shop.example") },
	    { SLICE("User-Agent"),
	      SLICE("Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
		    "Chrome/120.0.0.0 Mobile Safari/537.36") },
	    { SLICE("Accept"), SLICE("application/json, text/plain, */*") },
	    { SLICE("Content-Type"), SLICE("application/json") },
	    { SLICE("Origin"), SLICE("http://www.shop.example") },
	    { SLICE("Referer"), SLICE("http://www.shop.example/cart") },
	    { SLICE("Accept-Language"), SLICE("de-DE,de;q=0.9") },
	    { SLICE("X-Forwarded-For"), SLICE("198.51.100.7") } } },
};

#define KINDS (sizeof(requests) / sizeof(requests[0]))

static struct trust trust;
static struct agents *agents;
static struct client_peer peer = { .observed = true };
static uint32_t counts[KINDS];
static unsigned long sum; /* so that nothing is left out */

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

enum part { FIELDS_, ADDRESS, AGENT, SITE, KIND, CHANNEL, ALL, PARTS };

static void one(enum part part, unsigned k, const struct who_fields *found)
{
	struct who_fields f;
	struct client c;
	struct agent a;
	struct site site;
	struct page_signs signs;
	struct page p;
	struct touch t;

	if (part == FIELDS_ || part == ALL) {
		who_fields_find(requests[k].fields, counts[k], &f);
		found = &f;
		sum += f.count;
	}
	if (part == ADDRESS || part == ALL) {
		client_address(&trust, found, &peer, &c);
		sum += c.source;
	}
	if (part == AGENT || part == ALL) {
		agent_of(agents, found, &a);
		sum += a.browser_major;
	}
	if (part == KIND || part == ALL) {
		page_signs_of(k == 2 ? SLICE("POST") : SLICE("GET"), slice_str(requests[k].path),
			      found, &signs);
		page_kind_of(&signs, 200, slice_str(requests[k].type), SLICE(""), &p);
		sum += p.kind;
	}
	if (part == SITE || part == ALL) {
		if (k == 2)
			site_of_caller(found, &site);
		else
			site_of_host(found->value[WHO_HOST], &site);
		sum += site.len;
	}
	/* Only navigations have one: the first of the three. */
	if (part == CHANNEL || (part == ALL && k == 0)) {
		channel_of(SLICE("shop.example"), found->value[WHO_REFERER],
			   slice_str(requests[k].query), NULL, 0, &t);
		sum += t.channel;
	}
}

int main(int argc, char **argv)
{
	static const char *const names[PARTS] = { "fields",    "address", "agent", "site",
						  "page kind", "channel", "all" };
	long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 7;
	struct who_fields found[KINDS];

	trust_init(&trust);
	trust_add_default(&trust);
	if (agents_new(NULL, &agents) || address_parse(SLICE("127.0.0.1"), &peer.address))
		return 1;
	for (unsigned k = 0; k < KINDS; k++) {
		while (counts[k] < 16 && requests[k].fields[counts[k]].name.at)
			counts[k]++;
		who_fields_find(requests[k].fields, counts[k], &found[k]);
	}
	for (unsigned part = 0; part < PARTS; part++) {
		double best[KINDS] = { 0 }, mean = 0;

		for (long r = 0; r < rounds; r++) {
			for (unsigned k = 0; k < KINDS; k++) {
				double begin = cpu_ns(), ns;

				for (unsigned i = 0; i < REQUESTS; i++)
					one((enum part)part, k, &found[k]);
				ns = (cpu_ns() - begin) / REQUESTS;
				if (!r || ns < best[k])
					best[k] = ns;
			}
		}
		for (unsigned k = 0; k < KINDS; k++)
			mean += best[k] / KINDS;
		printf("%-10s navigation %5.0f  script %5.0f  call %5.0f  mean %5.0f ns\n",
		       names[part], best[0], best[1], best[2], mean);
	}
	agents_free(agents);
	return sum == 0;
}
