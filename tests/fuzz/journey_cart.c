/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journey_cart.c: whatever is said of whatever visit in whatever order. Input: six octets a step: what is
 * said (or: a visit ends, is merged, time passes, the process begins anew, a checkpoint is damaged), of whom,
 * lines, flags, ids, when. What must hold: opened + restored = ordered + emptied + abandoned + evicted + open;
 * bytes within their bound; no order number twice but as a later
 * revision of one fact; of a cart's facts revisions rise, and its step does not
 * go back; amounts and texts that are told are in their ranges.
 */
#include "../unit/cart_kit.h"
#include "cart_facts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BYTES 6000 /* a bound that is reached */
static struct state {
	struct cart_facts facts;
	struct {
		uint8_t id[KEY_BYTES];
		uint64_t revision;
	} numbers[16];
	uint64_t now;
} at;

static void watch(const struct event *e)
{
	check_items(e->items, e->item_count);
	if (e->kind == EVENT_CART || e->kind == EVENT_CART_ABANDONED)
		cart_fact_check(&at.facts, e);
	if (e->kind == EVENT_PURCHASE && e->transaction_id.len == 2) {
		unsigned n = (unsigned)(e->transaction_id.at[1] - 'A') & 15;

		check(e->revision > at.numbers[n].revision);
		check(!at.numbers[n].revision || !memcmp(at.numbers[n].id, e->event_id, KEY_BYTES));
		at.numbers[n].revision = e->revision;
		memcpy(at.numbers[n].id, e->event_id, KEY_BYTES);
	}
	check((e->kind != EVENT_ADD_TO_CART && e->kind != EVENT_REMOVE_FROM_CART) || e->cart);
}

static const char *const lines[] = { NULL,
				     "",
				     "A1@500",
				     "A2@500",
				     "A1@500 B1@300",
				     "B1@300",
				     "A@500",
				     "A0@1",
				     "B3 C2",
				     "C1@-5",
				     "A1@500 A2@500",
				     "Z1@9223372036854775807 Y9223372036854775807@9" };
#define LINES (sizeof(lines) / sizeof(lines[0]))
static const char *const values[] = { NULL, "5.00", "0", "123456789012.99" };

static void push(const uint8_t b[6])
{
	static const char *const ids[] = { NULL, NULL, "c1", "c2" };
	char number[3] = { 'N', (char)('A' + (b[4] & 15)), 0 },
	     order[2] = { (char)('a' + (b[4] & 3)), 0 };

	SAY(.say = (enum say)(b[0] % SAYS), .visit = b[1] & 7, .key = (b[1] & 3) + 1,
	    .at = at.now - (b[5] >> 4) * 40, .took = (b[5] & 15) * 30, .items = lines[b[2] % LINES],
	    .cart = lines[b[3] % LINES], .flags = b[2] & 0x40 ? 1 << BODY_HOLE : 0,
	    .cut = b[2] & 0x80, .no_lines = b[3] & 0x40, .quantity = b[3] & 0x80 ? b[3] & 7 : 0,
	    .value = values[b[2] >> 4 & 3], .cart_id = ids[b[1] >> 5 & 3],
	    .number = b[4] & 0x10 ? number : NULL, .order_id = b[4] & 0x20 ? order : NULL,
	    .currency = b[4] & 0x40 ? "JPY" : NULL, .status = b[4] & 0x80 ? 500 : 200,
	    .reason = b[4] & 0x80 ? "no" : NULL, .status_text = b[3] & 0x20 ? "paid" : NULL,
	    .tax = b[3] & 0x10 ? "1.00" : NULL, .unix_socket = b[1] & 0x80);
}

/* A damaged checkpoint is refused, or holds; what it holds may be anything within its ranges. */
static void load_damaged(const uint8_t b[6])
{
	struct buf saved;
	struct carts *c;

	buf_init(&saved, 1 << 22);
	check(!carts_save(kit.c, &saved, kit_collect));
	saved.at[(b[2] << 8 | b[3]) % saved.len] ^= b[4];
	check(!carts_new(&kit.options, &c));
	kit.watch = NULL;
	if (!carts_load(c, buf_slice(&saved)))
		carts_finish(c);
	kit.told_len = 0;
	kit.watch = watch;
	carts_free(c);
	buf_done(&saved);
}

static void merge(const uint8_t b[6])
{
	struct session_fact f = { .kind = FACT_ALIAS,
				  .reason = b[4] & 1 ? "merge" : "basis",
				  .site = SLICE("shop.example") };

	kit_id(b[2] & 7, f.session_id);
	kit_id(1000 + (b[2] & 3) + 1, f.key);
	kit_id(1000 + (b[3] & 3) + 1, f.key_new);
	carts_fact(kit.c, &f);
}

static void page(const uint8_t b[6])
{
	struct page_seen p = { .path = SLICE("/slow"), .failed_host = SLICE("stock.example") };
	struct session_fact f = { .kind = FACT_PAGE, .page = &p };

	p.has = PAGE_HAS_LIVED;
	p.lived_ns = b[3] * MS;
	p.apdex = b[4] & 3;
	p.outcome = b[4] >> 2 & 1;
	p.failed_calls = b[4] >> 3 & 1;
	f.start_unix_ns = at.now * MS;
	kit_id(b[2] & 7, f.session_id);
	carts_fact(kit.c, &f);
}

static void other(const uint8_t b[6])
{
	switch (b[1] & 7) {
	case 0:
		visit_ends(b[2] & 7, (enum end_reason)(b[3] % END_REASONS), at.now);
		break;
	case 1:
		merge(b);
		break;
	case 2:
		page(b);
		break;
	case 3:
		at.now += 1ull << (b[2] & 31);
		break;
	case 4:
		if (b[2] & 1) /* it ends in order */
			carts_finish(kit.c);
		check(!kit_restart(KIT_WALL));
		break;
	case 5:
		load_damaged(b);
		break;
	case 6:
		carts_finish(kit.c);
		break;
	default:
		carts_tick(kit.c, at.now * MS);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct carts_options o = { .open = 40,
				   .bytes = BYTES,
				   .orders = 100,
				   .unshown_ns = 60000 * MS,
				   .event = kit_event,
				   .visit = kit_visit };

	memset(&at, 0, sizeof(at));
	at.now = 1000000;
	kit_start(&o);
	kit.watch = watch;
	for (size_t i = 0; i + 6 <= size && i < 6 * 2000; i += 6) {
		at.now += data[i + 5] & 63;
		if (data[i] & 0x80)
			other(data + i);
		else
			push(data + i);
		check(kit_adds_up());
		check(kit_stats().bytes <= BYTES);
	}
	kit_stop();
	return 0;
}
