/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key.h: everything that is derived from the site secret. Hosts that share the secret come to the same
 * pseudonyms without having spoken, so what is hashed, in which order, is a contract between versions:
 *
 *   PRK          = HKDF-Extract(salt "parcours", secret)            RFC 5869, SHA-256
 *   value key    = HKDF-Expand(PRK, "value", 16)                    SipHash-2-4-128 of raw values
 *   event key    = HKDF-Expand(PRK, "event", 32)
 *   period key   = HKDF-Expand(PRK, "period" be64(length_s) be64(number), 32)
 *   key          = HMAC-SHA-256(period key, site 00 basis value-hash)       first 16 octets
 *   session.id   = HMAC-SHA-256(event key, "session.id" 00 key be64(start)) first 16 octets
 *   event id     = HMAC-SHA-256(event key, name 00 site 00 what)            first 16 octets
 *   seal key     = HKDF-Expand(PRK, "seal", 32)           text ⊕ HMAC-SHA-256(seal key, name be32(block))
 *
 * `basis` is one octet, 'u' for the address and its like and 'c' for every other kind: the same random
 * value names the same visitor whether it came as a cookie, in the path or as a token.
 */
#ifndef PC_SESSION_KEY_H
#define PC_SESSION_KEY_H

#include "base/sip.h"
#include "base/slice.h"

#define SECRET_BYTES 32
#define KEY_BYTES    16

struct keys;

int keys_new(const uint8_t secret[SECRET_BYTES], struct keys **ret);
void keys_free(struct keys *k);
const struct sip_key *keys_value(const struct keys *k);
/* Of a visitor in one period. The period key is kept for the last two periods asked for. */
void keys_visitor(struct keys *k, uint64_t period_s, uint64_t number, struct slice site,
		  bool by_address, const uint64_t hash[2], uint8_t ret[KEY_BYTES]);
void keys_session(struct keys *k, const uint8_t key[KEY_BYTES], uint64_t start_unix_ns,
		  uint8_t ret[KEY_BYTES]);
void keys_event(struct keys *k, struct slice name, struct slice site, struct slice what,
		uint8_t ret[KEY_BYTES]);
/* Makes a text that is kept on this host unreadable without the secret, in place; once more, and it is the
 * text again. `name` names the text: the same one never seals two. */
void keys_seal(struct keys *k, struct slice name, char *text, size_t len);
/* What an operator may compare between hosts and read out over the telephone; tells nothing of it. */
void secret_fingerprint(const uint8_t secret[SECRET_BYTES], char ret_text[20]);

#endif
