# SPDX-License-Identifier: Apache-2.0
"""Vendure, unchanged, behind nginx with a shop window of pages. Its modules and a filled database are made once and
lie in $XDG_CACHE_HOME/parcours (or ~/.cache/parcours), named by a hash of what they are made of.

Four windows of the same shop, each a port of nginx: the session in a cookie or in a bearer token, the API on the
same origin (nginx passes it on) or on another one (the browser asks Vendure itself, with preflights).
"""
import fcntl
import hashlib
import os
import shutil

from . import process, servers
from .servers import program
from .suite import check

RECIPE = os.path.join(process.TOP, "share", "recipes", "vendure.yaml")
HERE = os.path.join(process.APPS, "vendure")
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "parcours")
SOURCES = ("package.json", "package-lock.json")
GUEST = "wilhelmine.gast@example.org"
NAMES = ("cookie", "bearer", "cookie elsewhere", "bearer elsewhere")


def digest(names, *more):
    h = hashlib.sha256(repr(more).encode())
    for name in names:
        with open(os.path.join(HERE, name), "rb") as f:
            h.update(f.read())
    return h.hexdigest()[:16]


def modules():
    """node_modules as the lock file says, for this version of Node."""
    version = process.run([program("node"), "--version"])
    target = os.path.join(CACHE, "vendure-" + digest(SOURCES, version))
    if not os.path.exists(os.path.join(target, "complete")):
        shutil.rmtree(target, ignore_errors=True)
        os.makedirs(target)
        for name in SOURCES:
            shutil.copy(os.path.join(HERE, name), target)
        process.run([program("npm"), "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=target, timeout=900)
        process.write(os.path.join(target, "complete"), "")
    return os.path.join(target, "node_modules")


def database(found):
    """A shop with its products; populated by Vendure itself."""
    target = os.path.join(CACHE, "vendure-%s.sqlite" % digest(SOURCES + ("server.js", "products.csv")))
    if not os.path.exists(target):
        for name in (target + ".new", target + ".new-journal"):
            if os.path.exists(name):
                os.unlink(name)
        process.run([program("node"), os.path.join(HERE, "server.js"), "populate", target + ".new", str(process.free_port())],
                    env=dict(os.environ, NODE_PATH=found), timeout=300)
        os.rename(target + ".new", target)
    return target


class Vendure(servers.Server):
    """`port` is Vendure's own; `windows` {name: port of nginx}."""
    name = "vendure"

    def prepare(self):
        os.makedirs(CACHE, exist_ok=True)
        with open(os.path.join(CACHE, "vendure.lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.modules = modules()
            shutil.copy(database(self.modules), os.path.join(self.place, "shop.sqlite"))
        self.database = os.path.join(self.place, "shop.sqlite")
        self.windows = {name: process.free_port() for name in NAMES}

    def command(self):
        return [program("node"), os.path.join(HERE, "server.js"), "serve", os.path.join(self.place, "shop.sqlite"), str(self.port)]

    def environment(self):
        return dict(super().environment(), NODE_PATH=self.modules)

    def started(self):
        d = self.place
        process.write(d + "/nginx.conf", """
daemon off; worker_processes 2; pid %(d)s/pid; error_log %(d)s/nginx.log; user root;
events { worker_connections 1024; }
http {
  include /etc/nginx/mime.types; sendfile on; gzip on; gzip_types application/json; access_log %(d)s/nginx-access.log;
  client_body_temp_path %(d)s/t1; proxy_temp_path %(d)s/t2; fastcgi_temp_path %(d)s/t3; uwsgi_temp_path %(d)s/t4; scgi_temp_path %(d)s/t5;
  upstream vendure { server 127.0.0.1:%(port)d; keepalive 16; keepalive_timeout 3s; } # Node closes after 5 s
  map $host $api { default api.$host; 127.0.0.1 127.0.0.1; }
  %(windows)s
}
""" % {"d": d, "port": self.port, "windows": "\n  ".join(self.window(name, port) for name, port in self.windows.items())})
        child = process.start([program("nginx"), "-p", d, "-c", d + "/nginx.conf"], log=d + "/nginx.err", cwd=d)
        process.wait_port(self.windows[NAMES[-1]], child, d + "/nginx.err")
        check(child.poll() is None, "nginx: " + process.read(d + "/nginx.err")[-400:])

    def window(self, name, port):
        api = "http://$api:%d/shop-api" % self.port if "elsewhere" in name else "/shop-api"
        return """server { listen 127.0.0.1:%d; root %s/store;
    location = /config.js { default_type text/javascript;
      return 200 "const API = '%s', BEARER = %s, GUEST = '%s';"; }
    location ~ ^/(|basket|account|checkout|thanks|product/[a-z]+)$ { try_files /page.html =404; }
    location /shop-api { proxy_pass http://vendure; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $remote_addr; } }""" % (
            port, HERE, api, "true" if "bearer" in name else "false", GUEST)
