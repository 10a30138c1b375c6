/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event.h: a business fact, as it is exported: GA4's name and parameters, the visit it belongs to, the
 * transaction that proves it. Facts are delivered at least once: `event_id` names the fact, a higher
 * `revision` replaces it as a whole, and agents that share the secret come to the same id
 * (`name` as event_kind_name says it, or the site's own):
 *
 *   purchase, payment_error            keys_event(name, site, order number)  where one was seen
 *   parcours.cart, parcours.cart_abandoned   keys_event(name, site, what); what: the cart id by which the
 *                                      cart was first known (where a cart of the same id was ordered
 *                                      before: id 00 be32(ordinal)), or session.id
 *                                      be32(ordinal of the cart in the visit)
 *   every other                        keys_event(name, site, exchange name of the edge's request, ordinal)
 *                                      le32(isn_client) le32(isn_server) le64(exchange_pos) le32(ordinal),
 *                                      ordinal: how many of that kind the same exchange told before
 *
 * A connection without an exchange name (Unix, MPTCP) is seen by one agent only, so its id need not be found
 * twice, only be nobody else's: "u" le64(connection id) le64(position of the request) le64(its start, ms
 * since 1970) le32(ordinal); the time, since connection ids begin anew with each boot.
 *
 * The revision of a cart's facts is the time in ns since 1970 at which what they say of its content was so
 * (the end of the answer that showed it, or of a later request to change it that no answer has shown), and
 * more than that of the fact before. So of two hosts that saw one cart the one counts that saw it later,
 * whichever of them the visitor came to after that. Of a purchase it is 1, and one more each time that
 * another exchange knew more of the order (cart/sold.c): the fact then holds all of both. Of every other
 * fact it is 1.
 *
 * Behind a balancer a host sees some requests of a visit: steps (`again`), empty carts and notices of payment
 * are told also where this host does not know of which cart they are; over all hosts that can be decided.
 *
 * Slices live as long as the call.
 */
#ifndef PC_JOURNEY_EVENT_H
#define PC_JOURNEY_EVENT_H

#include "journey/said.h"
#include "session/session.h"

enum event_kind {
	EVENT_VIEW_ITEM,
	EVENT_VIEW_ITEM_LIST,
	EVENT_SEARCH,
	EVENT_LOGIN,
	EVENT_SIGN_UP,
	EVENT_OWN,
	EVENT_ADD_TO_CART,
	EVENT_REMOVE_FROM_CART,
	EVENT_VIEW_CART,
	EVENT_BEGIN_CHECKOUT,
	EVENT_ADD_CONTACT_INFO, /* parcours.add_contact_info, parcours.add_address_info: GA4 has none */
	EVENT_ADD_ADDRESS_INFO,
	EVENT_ADD_SHIPPING_INFO,
	EVENT_ADD_PAYMENT_INFO,
	EVENT_PURCHASE,
	EVENT_CART_REFUSED,
	EVENT_PAYMENT_ERROR,
	EVENT_CART, /* parcours.cart: the state of one cart; each replaces the one before */
	EVENT_CART_ABANDONED,
	EVENT_PAYMENT_NOTICE, /* parcours.payment_notice: of a cart that another host may know */
	EVENTS
};
/* add_to_cart, … and parcours.cart_refused, …: event_name of a row. NULL: EVENT_OWN. */
const char *event_kind_name(enum event_kind k);

/* The furthest that was completed; share/definitions.md. */
enum step {
	STEP_NONE,
	STEP_CART,
	STEP_CHECKOUT,
	STEP_CONTACT,
	STEP_ADDRESS,
	STEP_SHIPPING,
	STEP_PAYMENT,
	STEP_ORDER,
};
const char *step_name(enum step s); /* cart, checkout, … order; NULL: none */

enum cart_condition { CART_OPEN, CART_ORDERED, CART_EMPTIED, CART_ABANDONED };
const char *cart_condition_name(enum cart_condition c); /* open, ordered, emptied, abandoned */

struct cart_state {
	struct slice id; /* at == NULL: none that we saw */
	enum cart_condition condition;
	enum step step;
	bool has_value, has_quantity, has_items, items_cut;
	struct amount value, quantity;
	const struct item *items;
	uint32_t item_count;
	bool recovered;		 /* an earlier visit of the same key left it */
	uint64_t opened_unix_ns; /* 0: not known here */
	uint64_t last_activity_unix_ns;
};

/* What had gone wrong or been slow in the visit before its last activity; each 0 or NULL: nothing had. */
struct preceded {
	uint16_t error_status; /* of the last page or call that failed */
	struct slice error_path;
	uint64_t slow_lived_ns; /* of the last page that was no satisfied one */
	struct slice slow_path;
	bool cart_refused, payment_refused;
	struct slice reason;	  /* of the last refusal, as the shop said it */
	struct slice failed_host; /* of the last failing call to another service */
};

enum event_source { SOURCE_RULE, SOURCE_RECOGNISER };
enum confidence { CONFIDENCE_CERTAIN, CONFIDENCE_CANDIDATE };

struct event {
	enum event_kind kind;
	struct slice name; /* EVENT_OWN */
	uint8_t event_id[KEY_BYTES];
	uint64_t revision;
	uint64_t time_unix_ns; /* of the request that brought it about; ABANDONED: last activity */
	struct slice site;
	bool has_session;
	uint8_t session_id[KEY_BYTES], session_key[KEY_BYTES];
	struct segment segment;
	bool has_span; /* the transaction that proves it */
	uint8_t trace_id[16], span_id[8];
	enum event_source source;
	enum confidence confidence;
	const char *rule; /* its name; NULL: of several */
	bool again; /* a step: told of this cart before, or this host knows none that it is of */

	uint32_t has; /* SAID_…; value of an ABANDONED: what was at stake */
	struct amount value, tax, shipping, discount, items_value;
	char currency[4];
	enum tax_basis tax_basis;
	struct slice transaction_id, order_id, payment_status, coupon, reason, search_term,
		list_name, method;
	const struct item *items;
	uint32_t item_count;
	bool items_cut;
	bool from_cart; /* value, items_value or items: of the cart as it was shown last, not by this answer */
	const struct parameter *parameters;
	uint32_t parameter_count;
	uint32_t flags;	 /* 1 << enum body_flag */
	bool adds_value; /* a purchase with a value, which the revision before did not have */

	/* As it is after the event; NULL: of no cart that is known, or only a later state of it is. */
	const struct cart_state *cart;
	enum end_reason end_reason; /* ABANDONED: TIMEOUT, CAP; SHUTDOWN, EVICTED: as it stood */
	const struct preceded *preceded; /* ABANDONED */
};

#endif
