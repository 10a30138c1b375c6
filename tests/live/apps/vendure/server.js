// SPDX-License-Identifier: Apache-2.0
// server.js populate|serve DATABASE PORT: a Vendure shop on SQLite, unchanged: session by cookie or by
// bearer token, as the client likes, everything by POST /shop-api. Its modules come by NODE_PATH.
// Three currencies (a request's ?currencyCode=), coupons, a payment that declines, one that fails, and a gift
// card that pays a part of the order.
'use strict';
const path = require('path');
const vendure = require('@vendure/core');
const { bootstrap, dummyPaymentHandler, DefaultLogger, DefaultSearchPlugin, LanguageCode, LogLevel, PaymentMethodHandler } = vendure;
const [what, database, port] = process.argv.slice(2);

const giftCard = new PaymentMethodHandler({
	code: 'gift-card',
	description: [{ languageCode: LanguageCode.en, value: 'Pays as much as is on the card' }],
	args: {},
	createPayment: (ctx, order, amount, args, metadata) => ({ amount: Math.min(amount, metadata.worth), state: 'Settled', metadata: {} }),
	settlePayment: () => ({ success: true }),
});

const config = {
	apiOptions: { hostname: '127.0.0.1', port: Number(port), adminApiPath: 'admin-api', shopApiPath: 'shop-api', trustProxy: 1 },
	authOptions: {
		tokenMethod: ['cookie', 'bearer'],
		requireVerification: false,
		superadminCredentials: { identifier: 'superadmin', password: 'superadmin' },
		cookieOptions: { secret: 'only for tests' },
	},
	dbConnectionOptions: { type: 'better-sqlite3', database, synchronize: what === 'populate', logging: false },
	paymentOptions: { paymentMethodHandlers: [dummyPaymentHandler, giftCard] },
	orderOptions: { orderItemsLimit: 60, orderLineItemsLimit: 40 },
	plugins: [DefaultSearchPlugin.init({ bufferUpdates: false })],
	logger: new DefaultLogger({ level: LogLevel.Warn }),
};

const data = {
	defaultLanguage: 'en',
	defaultZone: 'Europe',
	countries: [{ code: 'DE', name: 'Germany', zone: 'Europe' }],
	taxRates: [{ name: 'Standard Tax', percentage: 19 }],
	shippingMethods: [{ name: 'Standard Shipping', price: 500 }, { name: 'Express Shipping', price: 1295 }],
	paymentMethods: [{
		name: 'Standard Payment',
		handler: { code: dummyPaymentHandler.code, arguments: [{ name: 'automaticSettle', value: 'true' }] },
	}, {
		name: 'Invoice',
		handler: { code: dummyPaymentHandler.code, arguments: [{ name: 'automaticSettle', value: 'false' }] },
	}, {
		name: 'Gift Card',
		handler: { code: giftCard.code, arguments: [] },
	}],
	collections: [],
};

// Coupon: [action, its arguments].
const coupons = {
	TEN: ['order_percentage_discount', [['discount', '10']]],
	THIRD: ['order_percentage_discount', [['discount', '33.3']]],
	FIVE: ['order_fixed_discount', [['discount', '500']]],
	SHIP: ['free_shipping', []],
};
// Of the net price: euros and dollars in cents; Vendure counts yen in hundredths, too.
const currencies = { EUR: 1, USD: 1.0837, JPY: 160 };

async function furnish(app) {
	vendure.defaultConfig.jobQueueOptions.jobQueueStrategy.pollInterval = 5; // of the index that is searched
	const ctx = await app.get(vendure.RequestContextService).create({ apiType: 'admin' });
	const channels = app.get(vendure.ChannelService), channel = await channels.getDefaultChannel();
	const variants = app.get(vendure.ProductVariantService), promotions = app.get(vendure.PromotionService);
	const { items } = await variants.findAll(ctx, { take: 100 });
	await channels.update(ctx, { id: channel.id, availableCurrencyCodes: Object.keys(currencies), defaultCurrencyCode: 'EUR' });
	for (const v of items)
		for (const [code, factor] of Object.entries(currencies))
			await variants.createOrUpdateProductVariantPrice(ctx, v.id, Math.round(v.price * factor), channel.id, code);
	for (const [couponCode, [code, args]] of Object.entries(coupons))
		await promotions.createPromotion(ctx, {
			enabled: true, couponCode, conditions: [], translations: [{ languageCode: 'en', name: couponCode }],
			actions: [{ code, arguments: args.map(([name, value]) => ({ name, value })) }],
		});
	await app.get(vendure.JobQueueService).start();
	const { rawConnection } = app.get(vendure.TransactionalConnection);
	for (let found = 0, tries = 0; found < items.length; tries++) {
		if (tries === 300)
			throw new Error(`${found} of ${items.length} variants can be searched for`);
		await new Promise((done) => setTimeout(done, 100));
		[{ found }] = await rawConnection.query('SELECT count(*) AS found FROM search_index_item');
	}
}

async function main() {
	if (what === 'populate') {
		const { populate } = require('@vendure/core/cli');
		const app = await populate(() => bootstrap(config), data, path.join(__dirname, 'products.csv'));
		await furnish(app);
		await app.close();
		process.exit(0);
	}
	await bootstrap(config);
	console.log('UP');
}

main().catch((e) => { console.error(e); process.exit(1); });
