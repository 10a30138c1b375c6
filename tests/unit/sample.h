/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sample.h: a transaction made by hand, as the stages before export would hand it over. Tests change
 * what they are about.
 */
#ifndef PC_TESTS_SAMPLE_H
#define PC_TESTS_SAMPLE_H

#include <arpa/inet.h>
#include <sys/socket.h>

#include "txn/txn.h"

#define SAMPLE_WALL 1700000000000000000ll /* wall clock minus monotonic */

static inline struct pc_addr sample_addr(const char *text, uint16_t port)
{
	struct pc_addr a = { .port = port };
	struct in_addr v4;

	if (inet_pton(AF_INET, text, &v4) == 1) {
		a.ip[10] = a.ip[11] = 0xff;
		memcpy(a.ip + 12, &v4, 4);
	} else {
		inet_pton(AF_INET6, text, a.ip);
	}
	return a;
}

static const struct process sample_process = {
	.tgid = 812,
	.parent = 1,
	.who = true,
	.start_ns = 77,
	.comm = "nginx",
	.exe = "/usr/sbin/nginx",
	.service = "shop-front",
	.container = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
	.unit = "nginx.service",
};

static inline struct transaction sample(void)
{
	return (struct transaction){
		.side = SIDE_SERVER,
		.start_ns = 5000000000,
		.duration_ns = 12345678,
		.first_byte_ns = 12000000,
		.wait_ns = 3200000,
		.request_ns = 1000,
		.method = SLICE("GET"),
		.method_known = true,
		.scheme = SLICE("http"),
		.path = SLICE("/shop/cart"),
		.query = SLICE("item=7&q=shoes"),
		.has_query = true,
		.authority = SLICE("shop.example:8080"),
		.site = SLICE("shop.example"),
		.has_session = true,
		.session_id = { 1, 2 },
		.session_key = { 3, 4 },
		.server_name = SLICE("shop.example"),
		.server_port = 8080,
		.authority_port = 8080,
		.template_ = SLICE("/shop/cart"),
		.status = 200,
		.user_agent = SLICE(
			"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
			"Chrome/120.0.0.0 Safari/537.36"),
		.agent_name = "Chrome",
		.agent_version = 120,
		.referer = SLICE("http://shop.example/list?page=3"),
		.response_type = SLICE("text/html"),
		.request = { .seen = true,
			     .major = 1,
			     .minor = 1,
			     .head_bytes = 300,
			     .wire_bytes = 300,
			     .first_ns = 5000000000,
			     .last_ns = 5000001000 },
		.response = { .seen = true,
			      .major = 1,
			      .minor = 1,
			      .framing = FRAMING_LENGTH,
			      .head_bytes = 200,
			      .wire_bytes = 4296,
			      .body_bytes = 4096,
			      .first_ns = 5012000000,
			      .last_ns = 5012345678 },
		.process = &sample_process,
		.tgid = 812,
		.tid = 813,
		.connection_id = 4711,
		.family = AF_INET,
		.local = sample_addr("10.1.2.3", 8080),
		.remote = sample_addr("192.0.2.77", 51234),
		.client_source = "peer",
		.client_is_peer = true,
		.client = sample_addr("192.0.2.77", 51234),
		.connect_ns = 250000,
		.srtt_us = 180,
		.isn_client = 0x01020304,
		.isn_server = 0x0a0b0c0d,
		.exchange_pos = 300,
		.ordinal = 1,
		.flags = TXN_REUSED,
		.trace_id = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 },
		.span_id = { 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8 },
		.sampled = true,
	};
}

#endif
