// SPDX-License-Identifier: Apache-2.0
// The smallest Node server, for the benches: hello.js PORT.
'use strict';
const body = Buffer.from('hello world, this is a body\n');
require('http').createServer((request, response) => {
	response.writeHead(200, { 'Content-Length': body.length });
	response.end(body);
}).listen(Number(process.argv[2]), '127.0.0.1');
