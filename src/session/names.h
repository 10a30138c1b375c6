/* SPDX-License-Identifier: Apache-2.0 */
/*
 * names.h: what cookies, parameters and fields are called, as data. Included by evidence.c only. The
 * order of session cookies is their rank: where a request has several, the first in the list is the basis.
 * A '*' at the end: any name that begins so. Names of cookies are compared with their case.
 */
#ifndef PC_SESSION_NAMES_H
#define PC_SESSION_NAMES_H

#include "txn/evidence.h"

struct known_name {
	struct slice name;
	enum evidence_kind kind; /* EVIDENCE_KINDS: says nothing about who sent it */
};

static const struct known_name cookie_names[] = {
	/* sessions: shops first, because theirs begin with the basket and live through the login */
	{ SLICE("wp_woocommerce_session_*"), EVIDENCE_KNOWN },
	{ SLICE("PrestaShop-*"), EVIDENCE_KNOWN },
	{ SLICE("OCSESSID"), EVIDENCE_KNOWN }, /* OpenCart */
	{ SLICE("dwsid"), EVIDENCE_KNOWN },    /* Salesforce Commerce Cloud */
	{ SLICE("_shopify_y"), EVIDENCE_KNOWN },
	{ SLICE("SHOP_SESSION_TOKEN"), EVIDENCE_KNOWN }, /* BigCommerce */
	{ SLICE("osCsid"), EVIDENCE_KNOWN },
	{ SLICE("zenid"), EVIDENCE_KNOWN },
	{ SLICE("Nop.customer"), EVIDENCE_KNOWN },
	{ SLICE(".Nop.Customer"), EVIDENCE_KNOWN },
	{ SLICE("xtc_sid"), EVIDENCE_KNOWN },
	{ SLICE("XTCsid"), EVIDENCE_KNOWN },
	{ SLICE("session-*"), EVIDENCE_KNOWN }, /* Shopware 6 */
	/* application servers and frameworks */
	{ SLICE("JSESSIONID"), EVIDENCE_KNOWN },
	{ SLICE("PHPSESSID"), EVIDENCE_KNOWN },
	{ SLICE("ASP.NET_SessionId"), EVIDENCE_KNOWN },
	{ SLICE(".AspNetCore.Session"), EVIDENCE_KNOWN },
	{ SLICE("connect.sid"), EVIDENCE_KNOWN },
	{ SLICE("laravel_session"), EVIDENCE_KNOWN },
	{ SLICE("sessionid"), EVIDENCE_KNOWN }, /* Django */
	{ SLICE("SESSION"), EVIDENCE_KNOWN },	/* Spring */
	{ SLICE("_session_id"), EVIDENCE_KNOWN },
	{ SLICE("CFID"), EVIDENCE_KNOWN },
	{ SLICE("fe_typo_user"), EVIDENCE_KNOWN },
	{ SLICE("SSESS*"), EVIDENCE_KNOWN }, /* Drupal over TLS */
	{ SLICE("SESS*"), EVIDENCE_KNOWN },
	{ SLICE("session"), EVIDENCE_KNOWN },
	{ SLICE("sid"), EVIDENCE_KNOWN },
	{ SLICE("SID"), EVIDENCE_KNOWN },
	{ SLICE("wordpress_logged_in_*"), EVIDENCE_KNOWN },

	{ SLICE("_ga"), EVIDENCE_ANALYTICS },
	{ SLICE("_pk_id*"), EVIDENCE_ANALYTICS },
	{ SLICE("s_vi"), EVIDENCE_ANALYTICS },
	{ SLICE("ajs_anonymous_id"), EVIDENCE_ANALYTICS },

	/* cross-site request forgery: one a client, or one a session */
	{ SLICE("csrftoken"), EVIDENCE_WEAK },
	{ SLICE("XSRF-TOKEN"), EVIDENCE_WEAK },
	{ SLICE("CSRF-TOKEN"), EVIDENCE_WEAK },
	{ SLICE("_csrf*"), EVIDENCE_WEAK },
	{ SLICE("form_key"), EVIDENCE_WEAK },
	{ SLICE("__RequestVerificationToken*"), EVIDENCE_WEAK },
	{ SLICE(".AspNetCore.Antiforgery.*"), EVIDENCE_WEAK },

	/* affinity: which server, not which client */
	{ SLICE("AWSALB*"), EVIDENCE_KINDS },
	{ SLICE("AWSELB*"), EVIDENCE_KINDS },
	{ SLICE("BIGipServer*"), EVIDENCE_KINDS },
	{ SLICE("ARRAffinity*"), EVIDENCE_KINDS },
	{ SLICE("SERVERID*"), EVIDENCE_KINDS },
	{ SLICE("ROUTEID*"), EVIDENCE_KINDS },
	{ SLICE("INGRESSCOOKIE"), EVIDENCE_KINDS },
	{ SLICE("NSC_*"), EVIDENCE_KINDS },
	{ SLICE("citrix_ns_id*"), EVIDENCE_KINDS },
	{ SLICE("TS01*"), EVIDENCE_KINDS },
	{ SLICE("__cf*"), EVIDENCE_KINDS },
	{ SLICE("cf_*"), EVIDENCE_KINDS },
	{ SLICE("_cfuvid"), EVIDENCE_KINDS },
	{ SLICE("incap_ses_*"), EVIDENCE_KINDS },
	{ SLICE("nlbi_*"), EVIDENCE_KINDS },
	{ SLICE("ak_bmsc"), EVIDENCE_KINDS },
	{ SLICE("bm_*"), EVIDENCE_KINDS },
	{ SLICE("_abck"), EVIDENCE_KINDS },
	{ SLICE("datadome"), EVIDENCE_KINDS },
	{ SLICE("_gid"), EVIDENCE_KINDS },
	{ SLICE("_ga_*"), EVIDENCE_KINDS }, /* changes with each page */
	{ SLICE("_pk_ses*"), EVIDENCE_KINDS },

	/* consent */
	{ SLICE("CookieConsent*"), EVIDENCE_KINDS },
	{ SLICE("cookie_consent*"), EVIDENCE_KINDS },
	{ SLICE("cookieconsent*"), EVIDENCE_KINDS },
	{ SLICE("Optanon*"), EVIDENCE_KINDS },
	{ SLICE("euconsent*"), EVIDENCE_KINDS },
	{ SLICE("cookieyes-consent"), EVIDENCE_KINDS },
	{ SLICE("cc_cookie"), EVIDENCE_KINDS },
	{ SLICE("tarteaucitron"), EVIDENCE_KINDS },
	{ SLICE("_iub_cs-*"), EVIDENCE_KINDS },
	{ SLICE("didomi_token"), EVIDENCE_KINDS },
	{ SLICE("axeptio_*"), EVIDENCE_KINDS },
	{ SLICE("borlabs-cookie*"), EVIDENCE_KINDS },
	{ SLICE("cmplz_*"), EVIDENCE_KINDS },
	{ SLICE("consent*"), EVIDENCE_KINDS },
};

/* Ids that servers write into URLs where a client takes no cookies, and the cookie that has the same id. */
static const struct {
	struct slice parameter, cookie;
} url_ids[] = {
	{ SLICE("jsessionid"), SLICE("JSESSIONID") }, { SLICE("PHPSESSID"), SLICE("PHPSESSID") },
	{ SLICE("osCsid"), SLICE("osCsid") },	      { SLICE("zenid"), SLICE("zenid") },
	{ SLICE("XTCsid"), SLICE("XTCsid") },	      { SLICE("CFID"), SLICE("CFID") },
};

/* Fields in which clients without cookies carry a session, beside Authorization. */
static const struct slice token_fields[] = { SLICE("vendure-auth-token"),
					     SLICE("sw-context-token") };

/* The segment in front of an id that names a basket. */
static const struct slice cart_segments[] = {
	SLICE("cart"),	  SLICE("carts"),    SLICE("guest-carts"), SLICE("basket"),
	SLICE("baskets"), SLICE("checkout"), SLICE("checkouts"),
};

#endif
