// SPDX-License-Identifier: Apache-2.0
// visitors.js SCENARIO RESULT: sends visitors to a site in a real Chromium and writes down what they did.
//
// SCENARIO is JSON: { executable, hosts: {name: address}, atOnce, visitors: [{ name, agent, locale,
// mobile, shown, steps }] }. Each visitor is a browser context of its own: its own cookies, its own User-Agent
// (null: Chromium's own). A step is { do: KIND, ... } with the kinds of `actions` below; `tab` names the
// tab it happens in ("main" if absent); `frames` are URLs that a script of the page shows in frames. `shown`
// is an expression that says of each page what is to be noted of it, once it is loaded.
//
// RESULT is JSON: { version, visitors: {name: { views, frames, downloads, failed, asked, last, console,
// kept, agent }}}.
// A view is a main frame's document as Chromium reports it: { url, method, status, cached, type, begin,
// load, redirects: [{url, status}], shown }; `begin` is navigationStart (ms since 1970), `load` is ms from there
// to loadEventEnd, 0 before it; `cached`: the server was not asked, nor ahead of it. `asked`: how many
// requests Chromium reports in all; `last`: until when each host may have been asked; `kept`: every value that stood in a cookie or in the store of a page.
// This is the truth that the agent is compared with, so nothing is added by us.
'use strict';
const fs = require('fs');
const { chromium } = require('playwright-core');

const WAIT = 30000;
// How long a visitor looks at a page before he does something, at least. Where a browser sends no
// Sec-Fetch-*, nothing but this tells a link from a frame.
const THINK = 600;

// ---- what the visitors do; `of` is the visitor, `page` its tab ----

const loaded = async (page, act) => {
	const [, done] = await Promise.all([page.waitForEvent('load', { timeout: WAIT }), act()]);
	return done;
};
// Runs in the page: a script of its own shows others in frames, as soon as it can.
const addFrames = ([page, urls]) => {
	if (location.href === page)
		document.addEventListener('DOMContentLoaded', () => {
			for (const url of urls)
				document.body.append(Object.assign(document.createElement('iframe'), { src: url }));
		});
};
const actions = {
	goto: async (of, page, s) => {
		if (s.frames)
			await page.addInitScript(addFrames, [s.url, s.frames]);
		await page.goto(s.url, { timeout: WAIT });
	},
	click: (of, page, s) => loaded(page, () => page.click(s.on)),
	// Of a menu that shows itself only under the mouse.
	follow: (of, page, s) => loaded(page, () => page.locator(s.on).first().evaluate((a) => a.click())),
	// Two clicks with so many ms between them, until nothing is under way any more: the second calls off what the
	// first began, if that takes longer.
	twice: async (of, page, s) => {
		await page.locator(s.on).scrollIntoViewIfNeeded();
		const box = await page.locator(s.on).boundingBox();
		const click = () => page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
		await loaded(page, async () => {
			await click();
			await page.waitForTimeout(s.ms);
			await click();
		});
		await page.waitForLoadState('networkidle', { timeout: WAIT });
	},
	press: (of, page, s) => page.click(s.on), // goes nowhere
	fill: (of, page, s) => page.fill(s.on, s.text),
	choose: (of, page, s) => page.selectOption(s.on, s.text),
	reload: (of, page) => page.reload({ timeout: WAIT }),
	back: (of, page) => page.goBack({ timeout: WAIT }),
	forward: (of, page) => page.goForward({ timeout: WAIT }),
	// A link in a new tab. Not by the middle button: what a tab asks for before a driver has hold of it
	// goes out with Chromium's own User-Agent.
	open: async (of, page, s) => {
		const url = await page.locator(s.on).first().evaluate((a) => a.href);
		of.tabs[s.as] = await of.context.newPage();
		await of.tabs[s.as].goto(url, { timeout: WAIT, referer: page.url() });
	},
	close: async (of, page, s) => {
		await page.close();
		delete of.tabs[s.tab];
	},
	// A file that is kept: a link that is followed, or an address that is typed.
	download: async (of, page, s) => {
		const file = page.waitForEvent('download', { timeout: WAIT });
		if (s.on)
			await page.click(s.on);
		else
			await page.goto(s.url).catch((e) => {
				if (!/Download is starting|ERR_ABORTED/.test(e.message))
					throw e;
			});
		await (await file).path();
	},
	// An answer without content: the browser stays where it is.
	nothing: async (of, page, s) => {
		await page.goto(s.url, { timeout: WAIT }).then(
			() => { throw new Error(s.url + ' was shown'); },
			(e) => { if (!/ERR_ABORTED/.test(e.message)) throw e; });
	},
	run: (of, page, s) => page.evaluate(s.code),
	prefetch: async (of, page, s) => {
		const answer = page.waitForResponse((r) => r.url() === new URL(s.url, page.url()).href, { timeout: WAIT });
		await page.evaluate(([url]) => {
			const link = document.createElement('link');
			link.rel = 'prefetch';
			link.href = url;
			document.head.append(link);
		}, [s.url]);
		await (await answer).finished();
		of.ahead.add((await answer).url());
	},
	see: (of, page, s) => page.waitForSelector(s.on, { timeout: WAIT, state: 'attached' }),
	forget: (of) => of.context.clearCookies(),
	sleep: (of, page, s) => page.waitForTimeout(s.ms),
};

const LEAVING = ['goto', 'click', 'twice', 'follow', 'reload', 'back', 'forward', 'open', 'download', 'nothing'];

// ---- what Chromium reports ----

// Which page a navigation is of: the tab's own, or a frame's in it (null).
function pageOf(request) {
	const frame = request.frame();
	return frame.parentFrame() ? null : frame.page();
}

function onResponse(record, response) {
	const request = response.request();
	const status = response.status();
	if (!request.isNavigationRequest() || status === 204 || (status >= 300 && status < 400))
		return;
	const redirects = [];
	for (let r = request.redirectedFrom(); r; r = r.redirectedFrom())
		redirects.unshift(r);
	const seen = { url: request.url(), method: request.method(), status, page: pageOf(request), redirects };
	(seen.page ? record.views : record.frames).push(seen);
}

// The page itself knows whether its document came from a cache, and how it was asked for. Asked after each
// step: a step shows at most one new page in a tab.
async function ask(record, page, of) {
	const view = record.views.filter((v) => v.page === page).pop();
	if (!view || view.type || record.downloads.includes(view.url))
		return;
	const [entry, begin] = await page.evaluate(
		() => [performance.getEntriesByType('navigation')[0].toJSON(), performance.timeOrigin]);
	view.type = entry.type;
	view.cached = entry.transferSize === 0 && !of.ahead.delete(view.url);
	view.begin = begin;
	view.load = entry.loadEventEnd;
	if (of.shown)
		view.shown = await page.evaluate(of.shown);
}

async function keep(record, of) {
	for (const cookie of await of.context.cookies())
		record.kept.add(cookie.value);
	for (const page of Object.values(of.tabs))
		for (const value of await page.evaluate(() => Object.values(localStorage)).catch(() => []))
			record.kept.add(value);
}

function watch(record, context) {
	const note = (url) => { record.last[new URL(url).host] = Date.now(); };
	context.on('request', (r) => {
		record.asked++;
		note(r.url());
	});
	context.on('response', (r) => {
		note(r.url());
		onResponse(record, r);
	});
	context.on('requestfailed', (r) => record.failed.push({ url: r.url(), why: r.failure() && r.failure().errorText }));
	context.on('console', (m) => m.type() === 'error' && record.console.push(m.text()));
	context.on('weberror', (e) => record.console.push(e.error().message));
	context.on('page', (page) => page.on('download', (d) => record.downloads.push(d.url())));
}

async function told(record) {
	const views = [];
	for (const v of record.views) {
		if (v.left || (!v.type && record.downloads.includes(v.url)))
			continue; // called off, became a file
		if (!v.type)
			throw new Error('nothing is known of the page ' + v.url);
		const redirects = [];
		for (const r of v.redirects)
			redirects.push({ url: r.url(), method: r.method(), status: (await r.response()).status() });
		views.push({ url: v.url, method: v.method, status: v.status, cached: v.cached, type: v.type, begin: v.begin, load: v.load, shown: v.shown, redirects });
	}
	const { downloads, failed, asked, last, console } = record;
	const frames = record.frames.map((f) => ({ url: f.url, status: f.status }));
	return { views, frames, downloads, failed, asked, last, console, kept: [...record.kept] };
}

// ---- visitors ----

async function come(browser, visitor) {
	const record = { views: [], frames: [], downloads: [], failed: [], console: [], kept: new Set(), asked: 0, last: {} };
	const options = { acceptDownloads: true };
	if (visitor.agent)
		options.userAgent = visitor.agent;
	if (visitor.locale) // otherwise Chromium's own: preflights have that in any case
		options.locale = visitor.locale;
	if (visitor.mobile)
		Object.assign(options, { isMobile: true, hasTouch: true, viewport: { width: 390, height: 844 } });
	const context = await browser.newContext(options);
	watch(record, context);
	const of = { context, shown: visitor.shown, ahead: new Set(), tabs: { main: await context.newPage() } };
	let shown = 0;
	for (const step of visitor.steps) {
		try {
			const page = of.tabs[step.tab || 'main'];
			await page.waitForTimeout(Math.max(0, shown + THINK - Date.now()));
			await page.bringToFront();
			await actions[step.do](of, page, step);
			if (LEAVING.includes(step.do))
				shown = Date.now();
			for (const page of Object.values(of.tabs))
				await ask(record, page, of);
			for (const view of step.do === 'twice' ? record.views : [])
				view.left = !view.type;
			await keep(record, of);
		} catch (e) {
			const at = of.tabs[step.tab || 'main'].url();
			throw new Error(`${visitor.name}: ${JSON.stringify(step)} at ${at}: ${e.message} ${record.console.slice(-3)}`);
		}
	}
	const result = await told(record);
	result.agent = await of.context.pages()[0].evaluate(() => navigator.userAgent);
	const open = Object.values(of.tabs).map((page) => new URL(page.url()).host);
	await context.close();
	for (const host of open)
		result.last[host] = Date.now();
	return result;
}

async function main() {
	const scenario = JSON.parse(fs.readFileSync(process.argv[2]));
	// Other names are known to nobody: pictures of strangers fail at once, and nothing leaves this host.
	const rules = Object.entries(scenario.hosts).map(([name, address]) => `MAP ${name} ${address}`);
	rules.push('MAP * ~NOTFOUND', 'EXCLUDE 127.0.0.1');
	const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync',
		'--disable-background-networking', '--disable-component-update', '--host-resolver-rules=' + rules.join(',')];
	const browser = await chromium.launch({ executablePath: scenario.executable, args });
	const result = { version: browser.version(), visitors: {} };
	const waiting = scenario.visitors.slice();
	const one = async () => {
		for (let v; (v = waiting.shift()); )
			result.visitors[v.name] = await come(browser, v);
	};
	try {
		await Promise.all(Array.from({ length: scenario.atOnce || 4 }, one));
	} finally {
		await browser.close();
	}
	fs.writeFileSync(process.argv[3], JSON.stringify(result));
}

main().then(() => process.exit(0), (e) => { console.error(e.message || e); process.exit(1); });
