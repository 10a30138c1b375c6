// SPDX-License-Identifier: Apache-2.0
// shop.js: the shop window in front of Vendure. One page a path, its content by POST to API (config.js).
// With BEARER the session is a token that is kept here and sent as Authorization; otherwise a cookie.
'use strict';
const main = document.querySelector('main');
const put = (html) => main.insertAdjacentHTML('beforeend', html);
const on = (id, act) => document.getElementById(id).addEventListener('click', act);
const field = (id) => document.getElementById(id).value;

async function ask(query, variables) {
	const headers = { 'Content-Type': 'application/json' };
	if (BEARER && localStorage.token)
		headers.Authorization = 'Bearer ' + localStorage.token;
	const credentials = BEARER ? 'omit' : 'include';
	const answer = await fetch(API, { method: 'POST', headers, credentials, body: JSON.stringify({ query, variables }) });
	const token = answer.headers.get('vendure-auth-token');
	if (BEARER && token)
		localStorage.token = token;
	const { data, errors } = await answer.json();
	if (errors)
		throw new Error(JSON.stringify(errors));
	const wrong = Object.values(data).find((part) => part && part.errorCode);
	if (wrong)
		put(`<p class="error">${wrong.errorCode}</p>`);
	return data;
}

const ERROR = '... on ErrorResult { errorCode message }';
const SHOWN = `fragment Shown on Order { id code state currencyCode totalQuantity subTotalWithTax shippingWithTax totalWithTax taxSummary { taxTotal }
	discounts { amountWithTax } lines { id quantity unitPriceWithTax productVariant { id name } } }`;
const pages = {
	async '/'() {
		const { products } = await ask('{ products { items { name slug } } }');
		for (const p of products.items)
			put(`<a class="product" href="/product/${p.slug}">${p.name}</a> `);
	},
	async '/product'(slug) {
		const { product } = await ask('query ($slug: String!) { product(slug: $slug) { name variants { id priceWithTax } } }', { slug });
		put(`<h1>${product.name}</h1><button id="add">Add</button>`);
		on('add', async () => {
			const { addItemToOrder } = await ask(`mutation ($id: ID!) { addItemToOrder(productVariantId: $id, quantity: 1) { ... on Order { totalQuantity } ${ERROR} } }`,
				{ id: product.variants[0].id });
			put(`<p class="added">${addItemToOrder.totalQuantity}</p>`);
		});
	},
	async '/basket'() {
		const { activeOrder } = await ask('{ activeOrder { ...Shown } } ' + SHOWN);
		for (const line of activeOrder ? activeOrder.lines : []) {
			put(`<p class="line"><button id="less${line.id}">less</button></p>`);
			on('less' + line.id, async () => {
				await ask(`mutation ($id: ID!) { adjustOrderLine(orderLineId: $id, quantity: 0) { ... on Order { totalQuantity } ${ERROR} } }`, { id: line.id });
				put('<p class="changed"></p>');
			});
		}
		put('<a id="checkout" href="/checkout">Checkout</a>');
	},
	async '/account'() {
		const { activeCustomer: me } = await ask('{ activeCustomer { emailAddress } }');
		put(me ? `<p id="who">${me.emailAddress}</p>` : '<p id="nobody"></p>');
		put('<input id="email"><input id="password" type="password"><button id="register">Register</button>' +
			'<button id="login">Sign in</button><button id="logout">Sign out</button>');
		on('register', async () => {
			await ask(`mutation ($input: RegisterCustomerInput!) { registerCustomerAccount(input: $input) { ... on Success { success } ${ERROR} } }`,
				{ input: { emailAddress: field('email'), password: field('password'), firstName: 'A', lastName: 'B' } });
			put('<p class="registered"></p>');
		});
		on('login', async () => {
			const { login } = await ask(`mutation ($u: String!, $p: String!) { login(username: $u, password: $p) { ... on CurrentUser { id } ${ERROR} } }`,
				{ u: field('email'), p: field('password') });
			if (login.id)
				location = '/account?welcome';
		});
		on('logout', async () => {
			await ask('mutation { logout { success } }');
			location = '/';
		});
	},
	async '/checkout'() {
		const { eligibleShippingMethods: ways } = await ask('{ eligibleShippingMethods { id } }');
		put('<button id="order">Order</button>');
		on('order', async () => {
			const { activeCustomer: me } = await ask('{ activeCustomer { id } }');
			if (!me)
				await ask(`mutation ($input: CreateCustomerInput!) { setCustomerForOrder(input: $input) { ... on Order { id } ${ERROR} } }`,
					{ input: { emailAddress: GUEST, firstName: 'A', lastName: 'B' } });
			await ask(`mutation ($input: CreateAddressInput!) { setOrderShippingAddress(input: $input) { ... on Order { id } ${ERROR} } }`,
				{ input: { streetLine1: 'Street 1', countryCode: 'DE', postalCode: '10115', city: 'Berlin' } });
			await ask(`mutation ($id: [ID!]!) { setOrderShippingMethod(shippingMethodId: $id) { ... on Order { id } ${ERROR} } }`, { id: [ways[0].id] });
			await ask(`mutation { transitionOrderToState(state: "ArrangingPayment") { ... on Order { id } ${ERROR} } }`);
			const { addPaymentToOrder: order } = await ask(`mutation { addPaymentToOrder(input: { method: "standard-payment", metadata: {} }) { ... on Order { ...Shown } ${ERROR} } } ${SHOWN}`);
			if (order.state === 'PaymentSettled')
				location = '/thanks';
		});
	},
	async '/thanks'() {
		await ask('{ activeOrder { id } }');
		put('<p id="thanks">Thank you</p>');
	},
};

const [, first, second] = location.pathname.split('/');
pages['/' + first](second).then(() => { document.body.dataset.ready = '1'; });
