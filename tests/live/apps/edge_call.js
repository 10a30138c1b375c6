// SPDX-License-Identifier: Apache-2.0
// An application on Node's event loop that calls another: PORT BACK [MODE]. What it is asked and what it asks
// have nothing in common but the id in the body. MODE: background (a timer calls too), after (it calls once
// more when it has answered).
'use strict';
const http = require('http');

const [port, back, mode] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4]];
const agent = new http.Agent({ keepAlive: true });
let latest = 0;
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

const call = (body) => new Promise((done, failed) => {
	const request = http.request({ host: '127.0.0.1', port: back, agent, method: 'POST', path: '/inner',
		headers: { 'content-length': body.length } }, (answer) => {
		const parts = [];
		answer.on('data', (part) => parts.push(part));
		answer.on('end', () => done(Buffer.concat(parts)));
	});
	request.on('error', failed);
	request.end(body);
});

http.createServer(async (request, response) => {
	latest = Date.now();
	const parts = [];
	for await (const part of request)
		parts.push(part);
	const body = Buffer.concat(parts);
	await sleep(parseInt(body.toString().slice(-2, -1), 16) / 4);
	const answer = await call(body);
	response.setHeader('content-length', answer.length);
	response.end(answer);
	if (mode === 'after')
		setTimeout(() => call(body), 1);
}).listen({ port, host: '127.0.0.1', backlog: 4096 });

/* From the first request until the last one. */
let number = 0;
if (mode === 'background')
	setInterval(() => {
		if (Date.now() < latest + 300)
			call(Buffer.from('ba' + (number++).toString(16).padStart(6, '0')));
	}, 20);
process.on('SIGTERM', () => process.exit(0));
