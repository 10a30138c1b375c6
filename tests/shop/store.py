# SPDX-License-Identifier: Apache-2.0
"""The truth of the shop: sessions, accounts, carts with their lines, payments and orders, in SQLite.

Everything a customer can do to a cart is one method here and one transaction there; what the shop does not
accept raises Refused and changes nothing but the table `refusal`. An order is placed once for a cart, however
often and by whomever it is asked for: the customer, his second click, or the payment provider.

Amounts are whole numbers of the smallest amount the shop shows (table `shop`: digits).
"""
import contextlib
import secrets
import sqlite3
import threading
import time

from catalogue import BY_ID, COUPONS, DELIVERY, discount, totals

STEPS = ("cart", "checkout", "contact", "address", "shipping", "payment", "order")
MOST = 99  # pieces of a line

SCHEMA = """
CREATE TABLE IF NOT EXISTS shop (currency TEXT, digits INTEGER, tax_basis TEXT);
CREATE TABLE IF NOT EXISTS account (id INTEGER PRIMARY KEY, email TEXT UNIQUE, password TEXT, cart TEXT);
CREATE TABLE IF NOT EXISTS session (cookie TEXT PRIMARY KEY, account INTEGER, cart TEXT, last TEXT);
CREATE TABLE IF NOT EXISTS cart (id TEXT PRIMARY KEY, state TEXT CHECK (state IN ('open', 'emptied', 'merged', 'ordered')),
  step TEXT, coupon TEXT, way TEXT, email TEXT, street TEXT, goods INTEGER, discount INTEGER, delivery INTEGER, tax INTEGER,
  total INTEGER, changed REAL);
CREATE TABLE IF NOT EXISTS line (cart TEXT, product INTEGER, quantity INTEGER, price INTEGER, place INTEGER,
  PRIMARY KEY (cart, product));
CREATE TABLE IF NOT EXISTS payment (id TEXT PRIMARY KEY, cart TEXT, method TEXT, amount INTEGER, at REAL,
  state TEXT CHECK (state IN ('away', 'refused', 'paid', 'pending')));
CREATE TABLE IF NOT EXISTS placed (number TEXT PRIMARY KEY, id INTEGER UNIQUE, cart TEXT UNIQUE, account INTEGER, coupon TEXT,
  goods INTEGER, discount INTEGER, delivery INTEGER, tax INTEGER, total INTEGER, payment_status TEXT, at REAL);
CREATE TABLE IF NOT EXISTS change (at REAL, cart TEXT, product INTEGER, before INTEGER, after INTEGER);
CREATE TABLE IF NOT EXISTS refusal (at REAL, cart TEXT, what TEXT, reason TEXT);
"""


class Refused(Exception):
    """What the shop does not accept: a status and what it says to the customer."""

    def __init__(self, cart, status, what, reason):
        super().__init__(reason)
        self.cart, self.status, self.what, self.reason = cart, status, what, reason


class Cart:
    """One cart as it stands: its row, its lines [(product, quantity, price)] and what they come to."""

    def __init__(self, look, row, lines):
        self.id, self.state, self.step = row["id"], row["state"], row["step"]
        self.coupon, self.way, self.email, self.street = row["coupon"], row["way"], row["email"], row["street"]
        self.lines = [(BY_ID[line["product"]], line["quantity"], line["price"]) for line in lines]
        prices = [(price, n) for _, n, price in self.lines]
        self.totals = totals(look, prices, self.coupon, self.way)
        self.undelivered = totals(look, prices, self.coupon)

    @property
    def value(self):
        """Goods after discount, without shipping."""
        return self.totals.goods - self.totals.discount

    @property
    def quantity(self):
        return sum(n for _, n, _ in self.lines)


class Store:
    def __init__(self, look, path=":memory:"):
        self.look, self.lock = look, threading.RLock()
        self.base = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)
        self.base.row_factory = sqlite3.Row
        self.base.execute("PRAGMA journal_mode = WAL")  # a test may read while the shop sells
        self.base.execute("PRAGMA synchronous = OFF")
        self.base.executescript(SCHEMA)
        if not self.one("SELECT * FROM shop"):
            self.base.execute("INSERT INTO shop VALUES (?, ?, ?)", (look.currency, look.digits, look.tax))

    def one(self, sql, *values):
        return self.base.execute(sql, values).fetchone()

    def all(self, sql, *values):
        with self.lock:
            return self.base.execute(sql, values).fetchall()

    @contextlib.contextmanager
    def work(self):
        """One transaction at a time. Who refuses has changed nothing that must not stay."""
        with self.lock:
            self.base.execute("BEGIN IMMEDIATE")  # several shops may share one database
            try:
                yield
            except Refused as why:
                self.base.execute("INSERT INTO refusal VALUES (?, ?, ?, ?)", (time.time(), why.cart, why.what, why.reason))
                self.base.execute("COMMIT")
                raise
            except BaseException:
                self.base.execute("ROLLBACK")
                raise
            self.base.execute("COMMIT")

    # ---- sessions ----

    def session(self, cookie):
        """A cookie that the shop does not know any more is as good as a new one."""
        with self.lock:
            self.base.execute("INSERT OR IGNORE INTO session (cookie) VALUES (?)", (cookie,))
            return self.one("SELECT * FROM session WHERE cookie = ?", cookie)

    def cart(self, cookie):
        """The open cart of the session; None: it has none."""
        with self.lock:
            row = cookie and self.one("SELECT cart FROM session WHERE cookie = ?", cookie)
            return self.cart_named(row["cart"]) if row and row["cart"] else None

    def cart_named(self, name):
        with self.lock:
            row = self.one("SELECT * FROM cart WHERE id = ?", name)
            return row and Cart(self.look, row, self.base.execute(
                "SELECT * FROM line WHERE cart = ? ORDER BY place", (name,)).fetchall())

    def opened(self, cookie):
        """The name of the open cart, a new one where there is none."""
        row = self.session(cookie)
        if row["cart"]:
            return row["cart"]
        name = "C" + secrets.token_hex(6)
        self.base.execute("INSERT INTO cart (id, state, step) VALUES (?, 'open', 'cart')", (name,))
        self.belongs(cookie, name)
        return name

    def belongs(self, cookie, cart):
        self.base.execute("UPDATE session SET cart = ? WHERE cookie = ?", (cart, cookie))
        self.base.execute("UPDATE account SET cart = ? WHERE id = (SELECT account FROM session WHERE cookie = ?)", (cart, cookie))

    def settle(self, name):
        """Writes down what the cart comes to now."""
        t = self.cart_named(name).totals
        self.base.execute("UPDATE cart SET goods = ?, discount = ?, delivery = ?, tax = ?, total = ?, changed = ? WHERE id = ?",
                          (*t, time.time(), name))

    # ---- changes ----

    def add(self, cookie, product, pieces):
        return self.change(cookie, product, pieces, add=True)

    def put(self, cookie, product, pieces):
        """So many of it in the cart, none left for 0."""
        return self.change(cookie, product, pieces, add=False)

    def change(self, cookie, product, pieces, add):
        with self.work():
            current = self.session(cookie)["cart"]
            line = self.one("SELECT quantity FROM line WHERE cart = ? AND product = ?", current, product.id)
            before = line["quantity"] if line else 0
            after = before + pieces if add else pieces
            if after > before and product.stock == 0:
                raise Refused(current, 409, "stock", "%s is sold out." % product.name)
            if after > before and after > product.stock:
                raise Refused(current, 409, "stock", "Only %d left of %s." % (product.stock, product.name))
            if not 0 <= after <= MOST or (add and pieces < 1):
                raise Refused(current, 400, "quantity", "How many?")
            if after == before:
                return self.cart(cookie)
            name = self.opened(cookie)
            self.base.execute("INSERT INTO line VALUES (?, ?, ?, ?, (SELECT count(*) FROM change)) ON CONFLICT "
                              "DO UPDATE SET quantity = excluded.quantity",
                              (name, product.id, after, self.look.price(product)))
            self.base.execute("DELETE FROM line WHERE quantity = 0")
            self.base.execute("INSERT INTO change VALUES (?, ?, ?, ?, ?)", (time.time(), name, product.id, before, after))
            self.settle(name)
            if not self.cart_named(name).lines:
                self.base.execute("UPDATE cart SET state = 'emptied' WHERE id = ?", (name,))
                self.belongs(cookie, None)
            return self.cart(cookie)

    def redeem(self, cookie, code):
        with self.work():
            cart, code = self.cart(cookie), code.strip().upper()
            if cart is None:
                raise Refused(None, 409, "coupon", "Your cart is empty.")
            if code not in COUPONS:
                raise Refused(cart.id, 422, "coupon", "We do not know this code.")
            if COUPONS[code][0] != "delivery" and not discount(self.look, cart.totals.goods, code):
                raise Refused(cart.id, 422, "coupon", "Your cart is too small for this code.")
            self.base.execute("UPDATE cart SET coupon = ? WHERE id = ?", (code, cart.id))
            self.settle(cart.id)
            return self.cart(cookie)

    # ---- checkout ----

    def further(self, name, step):
        """The furthest step; none is ever taken back."""
        now = self.one("SELECT step FROM cart WHERE id = ?", name)["step"]
        if STEPS.index(step) > STEPS.index(now):
            self.base.execute("UPDATE cart SET step = ? WHERE id = ?", (step, name))

    def complete(self, cookie, step, **fields):
        """A step whose input is accepted. None: there is nothing to check out."""
        with self.work():
            cart = self.cart(cookie)
            if cart is None:
                return None
            for name, value in fields.items():
                if not value:
                    raise Refused(cart.id, 422, step, "Please fill in: %s." % name)
                if name == "way" and value not in DELIVERY:
                    raise Refused(cart.id, 422, step, "We do not send like this.")
            for name, value in fields.items():
                assert name in ("email", "street", "way")
                self.base.execute("UPDATE cart SET %s = ? WHERE id = ?" % name, (value, cart.id))
            self.further(cart.id, step)
            self.settle(cart.id)
            return self.cart(cookie)

    # ---- payment and order ----

    def to_pay(self, cookie, named=None):
        """(cart, its order if it was placed already) of a request to order; `named` is what the form says."""
        with self.lock:
            row = self.session(cookie)
            cart = self.cart_named(named) if named else self.cart(cookie)
            if cart is None and row["last"]:  # ordered a moment ago: the second click
                cart = self.cart_named(row["last"])
            if cart is not None and named and cart.id not in (row["cart"], row["last"]):
                cart = None  # somebody else's
            return cart, cart and self.one("SELECT * FROM placed WHERE cart = ?", cart.id)

    def pay(self, cookie, method, card="", named=None):
        """By card or invoice: the order, new or the one that was placed before. None: nothing to order."""
        with self.work():
            cart, order = self.to_pay(cookie, named)
            if order or cart is None:
                return order
            state, total = "pending" if method == "invoice" else "paid", cart.totals.total
            if method == "card" and card.endswith("0002"):
                self.payment(cart.id, method, total, "refused")
                raise Refused(cart.id, 402, "payment", "Your bank refused the payment.")
            if method == "card" and not card.isdigit():
                raise Refused(cart.id, 422, "card", "Please check the number of your card.")
            self.payment(cart.id, method, total, state)
            return self.place(cart, state)

    def payment(self, cart, method, amount, state, name=None):
        name = name or "T" + secrets.token_hex(6)
        self.base.execute("INSERT INTO payment VALUES (?, ?, ?, ?, ?, ?)", (name, cart, method, amount, time.time(), state))
        return name

    def sent_away(self, cart, payment):
        """The customer is sent to the payment page of another host."""
        with self.work():
            self.payment(cart.id, "elsewhere", cart.totals.total, "away", payment)
            self.further(cart.id, "payment")

    def settled(self, payment, state):
        """The provider's word on a payment, by whichever way it comes first: the order, or None."""
        with self.work():
            row = self.one("SELECT * FROM payment WHERE id = ?", payment)
            if row is None or state not in ("paid", "refused"):
                return None
            if row["state"] == "away":
                self.base.execute("UPDATE payment SET state = ? WHERE id = ?", (state, payment))
                if state == "refused":
                    self.base.execute("INSERT INTO refusal VALUES (?, ?, 'payment', 'refused by the provider')",
                                      (time.time(), row["cart"]))
            order = self.one("SELECT * FROM placed WHERE cart = ?", row["cart"])
            cart = self.cart_named(row["cart"])
            return order if order or state == "refused" or cart.state != "open" else self.place(cart, "paid")

    def place(self, cart, state):
        count = self.one("SELECT count(*) FROM placed")[0]
        number = "A%06d" % (100000 + count)
        owner = self.one("SELECT account FROM session WHERE cart = ?", cart.id)
        self.base.execute("INSERT INTO placed VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                          (number, 50021 + 7 * count, cart.id, owner and owner["account"], cart.coupon, *cart.totals, state, time.time()))
        self.base.execute("UPDATE cart SET state = 'ordered', step = 'order' WHERE id = ?", (cart.id,))
        self.base.execute("UPDATE session SET cart = NULL, last = ? WHERE cart = ?", (cart.id, cart.id))
        self.base.execute("UPDATE account SET cart = NULL WHERE cart = ?", (cart.id,))
        return self.order(number)

    def order(self, number):
        with self.lock:
            return self.one("SELECT * FROM placed WHERE number = ?", number)

    # ---- accounts ----

    def sign_up(self, cookie, email, password):
        with self.work():
            if "@" not in email or not password:
                raise Refused(None, 422, "sign-up", "Please give an address and a password.")
            if self.one("SELECT 1 FROM account WHERE email = ?", email):
                raise Refused(None, 409, "sign-up", "There is an account of this address.")
            self.base.execute("INSERT INTO account (email, password) VALUES (?, ?)", (email, password))
        return self.log_in(cookie, email, password)

    def log_in(self, cookie, email, password):
        """The new cookie of the session. The guest's cart comes along; without one, the account's that waits."""
        with self.work():
            account = self.one("SELECT * FROM account WHERE email = ? AND password = ?", email, password)
            if account is None:
                raise Refused(None, 401, "login", "Address or password are wrong.")
            guest = self.session(cookie)["cart"] if cookie else None
            fresh = secrets.token_hex(16)
            if guest and account["cart"] and guest != account["cart"]:
                self.base.execute("UPDATE cart SET state = 'merged' WHERE id = ?", (account["cart"],))
                self.base.execute("UPDATE session SET cart = NULL WHERE cart = ?", (account["cart"],))
            self.base.execute("DELETE FROM session WHERE cookie = ?", (cookie,))
            self.base.execute("INSERT INTO session (cookie, account) VALUES (?, ?)", (fresh, account["id"]))
            self.belongs(fresh, guest or account["cart"])
            return fresh

    def log_out(self, cookie):
        with self.work():
            self.base.execute("DELETE FROM session WHERE cookie = ?", (cookie,))

    def account(self, cookie):
        with self.lock:
            return cookie and self.one("SELECT account.* FROM account JOIN session ON account = account.id WHERE cookie = ?", cookie)

    def orders_of(self, account):
        return self.all("SELECT * FROM placed WHERE account = ? ORDER BY at", account)
