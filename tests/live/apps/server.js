// SPDX-License-Identifier: Apache-2.0
// A Node server of the live tests: /b/<status>/<size>[/chunked] answers with that many octets.
// Its log (argv[3]) is the truth: one line a finished response, `method target status octets`.
'use strict';
const http = require('http');
const fs = require('fs');

const [port, file] = [Number(process.argv[2]), process.argv[3]];
const log = fs.openSync(file, 'a');
const body = Buffer.alloc(1 << 20, 'n');

const server = http.createServer((request, response) => {
	const [, kind, status, size, framing] = request.url.split('?')[0].split('/');
	const code = kind === 'b' ? Number(status) : 404;
	const none = request.method === 'HEAD' || code === 204 || code === 304;
	const octets = kind === 'b' ? Number(size) : 9;
	request.on('data', () => {});
	request.on('end', () => {
		response.statusCode = code;
		if (framing !== 'chunked' && code !== 204)
			response.setHeader('Content-Length', octets);
		response.on('finish', () => {
			fs.writeSync(log, `${request.method} ${request.url} ${code} ${none ? 0 : octets}\n`);
		});
		if (none)
			return response.end();
		if (framing === 'chunked' && octets > 1) {
			response.write(body.subarray(0, 1));
			return response.end(body.subarray(1, octets));
		}
		response.end(body.subarray(0, octets));
	});
});
server.keepAliveTimeout = 300000;
server.headersTimeout = 310000;
server.requestTimeout = 0;
server.listen(port, '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
