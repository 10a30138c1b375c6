// SPDX-License-Identifier: Apache-2.0
// Looks up each name on standard input: "lookup.js system" as the C library does, on a thread of libuv's pool;
// "lookup.js own" by c-ares, on the event loop, for both kinds of address.
"use strict";
const dns = require("dns").promises;
const resolver = new dns.Resolver({ timeout: 700, tries: 3 });
const lines = require("readline").createInterface({ input: process.stdin });
const own = process.argv[2] === "own";

async function lookUp(name) {
  if (!own)
    return dns.lookup(name);
  return Promise.any([resolver.resolve4(name), resolver.resolve6(name)]);
}

(async () => {
  for await (const name of lines)
    await lookUp(name).then(() => console.log("ok"), () => console.log("failed"));
})();
