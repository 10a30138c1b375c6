// SPDX-License-Identifier: Apache-2.0
// server.js populate|serve DATABASE PORT: a Vendure shop on SQLite, unchanged: session by cookie or by
// bearer token, as the client likes, everything by POST /shop-api. Its modules come by NODE_PATH.
'use strict';
const path = require('path');
const { bootstrap, dummyPaymentHandler, DefaultLogger, LogLevel } = require('@vendure/core');
const [what, database, port] = process.argv.slice(2);

const config = {
	apiOptions: { hostname: '127.0.0.1', port: Number(port), adminApiPath: 'admin-api', shopApiPath: 'shop-api', trustProxy: 1 },
	authOptions: {
		tokenMethod: ['cookie', 'bearer'],
		requireVerification: false,
		superadminCredentials: { identifier: 'superadmin', password: 'superadmin' },
		cookieOptions: { secret: 'only for tests' },
	},
	dbConnectionOptions: { type: 'better-sqlite3', database, synchronize: what === 'populate', logging: false },
	paymentOptions: { paymentMethodHandlers: [dummyPaymentHandler] },
	logger: new DefaultLogger({ level: LogLevel.Warn }),
};

const data = {
	defaultLanguage: 'en',
	defaultZone: 'Europe',
	countries: [{ code: 'DE', name: 'Germany', zone: 'Europe' }],
	taxRates: [{ name: 'Standard Tax', percentage: 19 }],
	shippingMethods: [{ name: 'Standard Shipping', price: 500 }],
	paymentMethods: [{
		name: 'Standard Payment',
		handler: { code: dummyPaymentHandler.code, arguments: [{ name: 'automaticSettle', value: 'true' }] },
	}],
	collections: [],
};

async function main() {
	if (what === 'populate') {
		const { populate } = require('@vendure/core/cli');
		const app = await populate(() => bootstrap(config), data, path.join(__dirname, 'products.csv'));
		await app.close();
		process.exit(0);
	}
	await bootstrap(config);
	console.log('UP');
}

main().catch((e) => { console.error(e); process.exit(1); });
