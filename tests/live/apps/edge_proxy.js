// SPDX-License-Identifier: Apache-2.0
// A proxy on Node's event loop: node edge_proxy.js PORT BACK. It says who asked, as proxies do.
'use strict';
const http = require('http');

const [port, back] = [Number(process.argv[2]), Number(process.argv[3])];
const agent = new http.Agent({ keepAlive: true });

http.createServer((request, response) => {
	const headers = { ...request.headers };
	const peer = request.socket.remoteAddress.replace('::ffff:', '');
	headers['x-forwarded-for'] = [headers['x-forwarded-for'], peer].filter(Boolean).join(', ');
	delete headers.connection;
	const call = http.request({ host: '127.0.0.1', port: back, agent, headers,
		method: request.method, path: request.url }, (answer) => {
		response.writeHead(answer.statusCode, { 'content-length': answer.headers['content-length'] });
		answer.pipe(response);
	});
	call.on('error', () => response.destroy());
	request.pipe(call);
}).listen(port, '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
