# SPDX-License-Identifier: Apache-2.0
"""Is what the events of a variant say true? The truth is the shop's own: its carts after each exchange, its orders; of
what it has no table for, the events of the whole run, which are compared with those tables first.

An event may be missing. One that is there says what was so, and where it says less than the whole run it says that
too: `items_cut`, or `parcours.body.flags`.
"""
import collections
import decimal
import json

from wire import WALL_NS

# What an event says of itself; the rest is who and when.
SAYS = ["currency", "value", "tax", "shipping", "discount", "parcours.items_value", "parcours.tax_basis", "transaction_id",
        "parcours.order.id", "payment_status", "coupon", "reason", "search_term", "item_list_name", "method", "items", "items_cut",
        "parcours.cart", "step", "condition", "end_reason", "recovered", "preceded", "parameters", "parcours.rule",
        "parcours.body.flags", "parcours.from_cart"]
OWN = ["search_term", "item_list_name", "reason", "method", "coupon", "currency"]
OF_CART = ("view_cart", "begin_checkout", "parcours.add_contact_info", "parcours.add_address_info", "add_shipping_info",
           "add_payment_info")
STATES = ("parcours.cart", "parcours.cart_abandoned")
CHANGES = ("add_to_cart", "remove_from_cart")
STEPS = [None, "cart", "checkout", "contact", "address", "shipping", "payment", "order"]
# Where the first of its kind may be another one when the one before was not seen.
PLACES = {"view_cart": ("GET", ("/cart", "/api/cart")), "begin_checkout": ("GET", ("/checkout/", "/api/checkout")),
          "parcours.add_contact_info": ("POST", ("/checkout/contact", "/api/checkout/contact")),
          "parcours.add_address_info": ("POST", ("/checkout/address", "/api/checkout/address")),
          "add_shipping_info": ("POST", ("/checkout/shipping", "/api/checkout/shipping")),
          "add_payment_info": ("POST", ("/checkout/payment", "/api/checkout/payment"))}


def amount(text):
    return None if text is None else decimal.Decimal(str(text))


def lines_of(items):
    return {i.get("item_id"): (i.get("quantity"), amount(i.get("price"))) for i in items or []}


def essence(event):
    return json.dumps([event["event_name"]] + [event.get(key) for key in SAYS], sort_keys=True)


class Told:
    """The events of one wire; `at`: the exchanges whose request began then. Of a fact that is told again the last
    revision stands."""

    def __init__(self, wire, rows):
        self.events, latest = [], {}
        for row in rows:
            latest[row["parcours.event_id"]] = row["revision"]
        for row in rows:
            if row["event_name"] == "purchase" and row["revision"] < latest[row["parcours.event_id"]]:
                continue
            time = row["time_unix_nano"] - WALL_NS
            self.events.append((row, [e.number for e in wire.start.get(time, [])]))


def whole(told):
    """What is compared where nothing was lost."""
    return collections.Counter((tuple(at), essence(row)) for row, at in told.events)


def exact(base, told):
    want, got = whole(base), whole(told)
    for (at, what), n in sorted((want - got).items()):
        yield "exchange %s: not told (%d): %s" % (list(at), n, what)
    for (at, what), n in sorted((got - want).items()):
        yield "exchange %s: told and was not so (%d): %s" % (list(at), n, what)


class Truth:
    def __init__(self, visit):
        self.visit = visit
        self.states = [e.cart for e in visit.exchanges]
        self.known = [c for c in self.states if c]
        self.prices = {(p, price) for c in self.known for p, (_, price) in c[3].items()}
        self.ids = set()  # of carts that were told of
        self.whole, self.base = None, None  # events of the whole run by name and exchange
        self.furthest = None

    def learn(self, base):
        self.whole = base
        self.base = collections.defaultdict(list)
        for row, at in base.events:
            for number in at:
                self.base[row["event_name"], number].append(row)
        self.furthest = collections.defaultdict(int)
        for row, _ in base.events:
            if "step" in row:
                cart = row["parcours.cart"].get("id")
                self.furthest[cart] = max(self.furthest[cart], STEPS.index(row["step"]))

    # ---- the whole run against the shop ----

    def complete(self, base):
        """Every order, and every piece that came and went."""
        orders = [row["transaction_id"] for row, _ in base.events if row["event_name"] == "purchase"]
        if sorted(orders) != sorted(self.visit.placed):
            yield "orders %s, were %s" % (orders, list(self.visit.placed))
        moved = collections.Counter()
        for row, _ in base.events:
            if row["event_name"] in CHANGES:
                for i in row["items"]:
                    moved[i["item_id"], row["event_name"] == "add_to_cart"] += i["quantity"]
        want = +self.visit.changes
        if moved != want:
            yield "pieces in and out %s, were %s" % (dict(moved), dict(want))

    # ---- one event ----

    def orders(self, row):
        order = self.visit.placed.get(row.get("transaction_id"))
        if not order:
            if row.get("transaction_id") or not self.visit.placed:
                yield "an order that was none"
                return
            order = next(iter(self.visit.placed.values()))
        flagged = "parcours.body.flags" in row or "items_cut" in row
        lent = row.get("parcours.from_cart")  # as the cart was seen last
        for key in ("value", "tax", "shipping", "discount") + (() if lent else ("parcours.items_value",)):
            if key in row and amount(row[key]) != order[key]:
                yield "%s %s, was %s" % (key, row[key], order[key])
        for key in ("currency", "payment_status", "parcours.order.id"):
            if key in row and row[key] != order[key]:
                yield "%s %s, was %s" % (key, row[key], order[key])
        of_page = row.get("parcours.rule") != "word of the provider"
        for key in ("value", "tax", "shipping", "discount", "currency", "payment_status", "parcours.order.id", "items"):
            if of_page and key not in row and order[key] and not flagged:
                yield "%s is not there, and nothing says why" % key
        if "items" in row and not lent:
            yield from self.some_lines(lines_of(row["items"]), order["items"], "items_cut" in row or "parcours.body.flags" in row)

    @staticmethod
    def some_lines(got, want, may_lack):
        for product, (pieces, price) in got.items():
            if product is None:
                continue  # a line of which the id was not seen
            if product not in want:
                yield "a line of %s, which was not in it" % product
                continue
            n, p = want[product]
            if pieces not in (None, n) or price not in (None, p):
                yield "%s: %s at %s, were %s at %s" % (product, pieces, price, n, p)
            if (pieces is None or price is None) and not may_lack:
                yield "%s: no pieces or price, and nothing says why" % product
        if set(want) - set(got) and not may_lack:
            yield "lines %s are not there, and nothing says why" % sorted(set(want) - set(got))

    def state(self, cart, until, cut):
        """A cart as it was at some time until then."""
        cut = cut or "items_cut" in cart
        lines = lines_of(cart.get("items"))
        worst = ["there was no cart yet"]
        for c in self.states[:until + 1]:
            if not c:
                continue
            problems = []
            if cart.get("id") not in (None, c[0]):
                problems.append("cart %s" % cart["id"])
            if amount(cart.get("value")) not in (None, c[1]):
                problems.append("value %s, not %s" % (cart["value"], c[1]))
            if cart.get("quantity") not in (None, c[2]):
                problems.append("%s pieces, not %s" % (cart["quantity"], c[2]))
            if "items" in cart and not cut:
                problems += list(self.some_lines(lines, c[3], cut))
            if not problems:
                break
            worst = problems
        else:
            if not cart.get("items") and cart.get("value") is None and cart.get("quantity") in (None, 0):
                return
            yield "a cart that never was: %s: %s" % (json.dumps(cart), "; ".join(worst))
        for product, (pieces, price) in lines.items():
            was = [c[3][product] for c in self.known if product in c[3]]
            if product and (not was or pieces not in [None] + [n for n, _ in was] or price not in [None] + [p for _, p in was]):
                yield "a line that never was: %s: %s at %s" % (product, pieces, price)

    def change(self, row):
        up = row["event_name"] == "add_to_cart"
        total = decimal.Decimal(0)
        for i in row.get("items", []):
            product, pieces, price = i.get("item_id"), i.get("quantity"), amount(i.get("price"))
            if product is None:
                continue
            had = [(c[3].get(product, (0,))[0] if c else 0) for c in [None] + self.states]
            if not any(had):
                yield "a change of %s, which was in no cart" % product
                continue
            steps = {(had[b] - had[a]) * (1 if up else -1) for a in range(len(had)) for b in range(a + 1, len(had))}
            if pieces is not None and pieces not in steps:
                yield "%s: %s pieces moved, never did" % (product, pieces)
            if price is not None and (product, price) not in self.prices:
                yield "%s: price %s" % (product, price)
            total = None if total is None or pieces is None or price is None else total + pieces * price
        if "value" in row and row.get("items") and total is not None and amount(row["value"]) != total:
            values = [c[1] if c else decimal.Decimal(0) for c in [None] + self.states]
            if amount(row["value"]) not in {abs(a - b) for a in values for b in values}:
                yield "value %s of a change, not %s" % (row["value"], total)

    def plain(self, row, at):
        """As the whole run has it, or less and flagged."""
        name, flagged = row["event_name"], "parcours.body.flags" in row
        found = [b for n in at for b in self.base[name, n]]
        if not found:
            yield "never was"
            return
        last = []
        for want in found:
            last = []
            for key in OWN:
                if key in row and row[key] != want.get(key):
                    last.append("%s %s, was %s" % (key, row[key], want.get(key)))
                if key not in row and key in want and not flagged and name != "parcours.payment_error":
                    last.append("%s is not there, and nothing says why" % key)
            last += self.some_lines(lines_of(row.get("items")), lines_of(want.get("items")), flagged or "items_cut" in row) \
                if flagged or "items_cut" in row or row.get("items") != want.get("items") else []
            if not last:
                return
        yield from last

    def notice(self, row, at):
        """The provider's word, where nothing is known of the cart: it counts nothing by itself."""
        if not any(self.visit.exchanges[n].path == "/payment/notify" for n in at):
            yield "never was"
        if row.get("payment_status") not in (None, "paid"):
            yield "payment %s" % row["payment_status"]
        if "session.id" in row or row.get("transaction_id") not in [None] + list(self.visit.placed):
            yield "not of this order"

    def judged(self, row, at):
        name = row["event_name"]
        until = max(at, default=len(self.states) - 1)
        cart, cut = row.get("parcours.cart"), "items_cut" in row
        if name in CHANGES:
            yield from self.change(row)
        if name in CHANGES or name in STATES:  # as it is when that is told
            until = len(self.states)
        if name == "purchase":
            yield from self.orders(row)
        elif name in OF_CART:
            method, paths = PLACES[name]
            asked = [self.visit.exchanges[n] for n in at]
            if not any(e.method == method and e.path.split("?")[0].startswith(paths) for e in asked):
                yield "never was"
        elif name == "parcours.payment_notice":
            yield from self.notice(row, at)
        elif name not in STATES and name not in CHANGES:
            yield from self.plain(row, at)
        if cart:
            yield from self.state(cart, until, cut)
        if row.get("parcours.from_cart"):
            own = {k: row[k] for k in ("value", "items", "items_cut") if k in row}
            if name == "purchase":
                own["value"] = row.get("parcours.items_value")
            yield from self.state(own, until, cut)
        if name in STATES:
            yield from self.of_states(row)

    def of_states(self, row):
        """Where no other cart was told of, one whose order nobody saw goes on as the next: nothing tells them apart."""
        cart = row["parcours.cart"]
        if "id" in cart:
            self.ids.add(cart["id"])
        most = self.furthest.get(cart.get("id")) if len(self.ids) > 1 and "id" in cart else max(self.furthest.values(), default=0)
        if STEPS.index(row.get("step")) > (most or 0):
            yield "step %s" % row.get("step")
        if row["condition"] == "ordered" and cart.get("id") not in [None] + [o["cart"] for o in self.visit.placed.values()]:
            yield "it was not ordered"
        if row["condition"] == "ordered" and not self.visit.placed:
            yield "nothing was ordered"
        if row["condition"] == "emptied" and not any(a and not b for a, b in zip(self.states, self.states[1:])) and \
                not any(c and not c[3] for c in self.states):
            yield "it was never empty"

    def lossy(self, told):
        """All that is wrong in what is told."""
        orders, moved, times = collections.Counter(), collections.Counter(), collections.Counter()
        self.ids = set()
        for row, at in told.events:
            if row["event_name"] not in STATES + CHANGES + ("parcours.payment_notice",):
                times[row["event_name"]] += 1
            if not at and row["event_name"] not in STATES:
                yield "%s: at a time at which nothing was asked: %s" % (row["event_name"], json.dumps(row))
                continue
            for problem in self.judged(row, at):
                yield "%s at %s: %s\n      %s" % (row["event_name"], at, problem, json.dumps({k: row[k] for k in SAYS if k in row}))
            if row["event_name"] == "purchase":
                orders[row.get("transaction_id")] += 1
            if row["event_name"] in CHANGES:
                for i in row.get("items", []):
                    moved[i.get("item_id"), row["event_name"] == "add_to_cart"] += i.get("quantity", 0)
        for name, n in times.items():
            most = sum(1 for row, _ in self.whole.events if row["event_name"] == name)
            if n > most:
                yield "%s: told %d times, was %d" % (name, n, most)
        if sum(orders.values()) > len(self.visit.placed):
            yield "orders told: %s, were %s" % (dict(orders), list(self.visit.placed))
        for (product, up), n in moved.items():
            if product and n > self.visit.changes[product, up]:
                yield "%s: %d pieces %s, were %d" % (product, n, "in" if up else "out", self.visit.changes[product, up])


def exchanges(wire, transactions):
    """What is said of each exchange was so: with other codings and frames than in the whole run."""
    for row in transactions:
        at = wire.start.get(row.get("start_time_unix_nano", 0) - WALL_NS, [])
        path = row.get("url.path")
        if path is None:
            continue
        fit = [e for e in at if e.path.split("?")[0] == path and e.method == row.get("http.request.method")]
        if not fit:
            yield "%s %s was not asked then" % (row.get("http.request.method"), path)
            continue
        status = row.get("http.response.status_code")
        if status is not None and status not in [e.status for e in fit]:
            yield "%s %s: status %s" % (fit[0].method, path, status)
        for direction, name in enumerate(("http.request.body.size", "http.response.body.size")):
            sizes = [wire.content_size(e, direction) for e in fit]
            if row.get(name) is not None and row[name] not in sizes and row["outcome"] == "complete":
                yield "%s %s: %s %s, was %s" % (fit[0].method, path, name, row[name], sizes)
