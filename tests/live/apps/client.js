// SPDX-License-Identifier: Apache-2.0
// The Node client of the live tests: client.js PORT COUNT PREFIX; eight requests at a time.
'use strict';
const http = require('http');

const [port, count, prefix] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4]];
const paths = ['/f1.bin', '/f777.bin', '/f5000.bin', '/f70000.bin', '/none', '/moved'];
const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
let next = 0;

function one() {
	if (next >= count)
		return;
	const i = next++;
	const method = ['GET', 'HEAD', 'POST'][i % 3];
	const body = method === 'POST' ? Buffer.alloc(i % 5000, 'b') : null;
	const options = { port, method, agent, host: '127.0.0.1', path: `${paths[i % paths.length]}?id=${prefix}${i}` };
	if (body)
		options.headers = { 'Content-Length': body.length };
	const request = http.request(options, (response) => {
		response.on('data', () => {});
		response.on('end', one);
	});
	request.on('error', (error) => {
		console.error(error);
		process.exit(1);
	});
	request.end(body);
}
for (let n = 0; n < 8; n++)
	one();
process.on('beforeExit', () => agent.destroy());
