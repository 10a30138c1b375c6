/* SPDX-License-Identifier: Apache-2.0 */
/*
 * preface.h: the PROXY protocol, versions 1 and 2 (haproxy doc/proxy-protocol.txt), which a proxy
 * writes in front of the first request to say whose connection it passes on.
 */
#ifndef PC_PROTO_PREFACE_H
#define PC_PROTO_PREFACE_H

#include "base/slice.h"
#include "parcours/abi.h"

#define PREFACE_V1_BYTES 107 /* the longest line that version 1 allows, CRLF included */

/*
 * First octets of a connection: octets of a preface, 0: there is none, -EAGAIN: not whole yet.
 * *ret_source is set when the preface is whole and names the address and port of a TCP client; for
 * UNKNOWN, LOCAL, Unix sockets and lines that are malformed behind "PROXY " it is left as it is.
 */
long preface_size(struct slice s, struct pc_addr *ret_source);

#endif
