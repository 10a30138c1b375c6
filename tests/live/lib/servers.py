# SPDX-License-Identifier: Apache-2.0
"""Real servers with configuration of our own, and what each wrote in its access log.

Each server says which paths it serves and how its log's size relates to the body as encoded
(http.response.body.size): `corrected(seen, method)` is the number its log must show for what the
driver received, so the log is checked against the driver before the agent is checked against both.
"""
import glob
import os
import shutil

from . import process
from .suite import Skip, check

SIZES = (0, 1, 777, 5000, 70000, 300000)


def program(name):
    """Absolute path of a server's program; sbin may not be in PATH."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/local/go/bin")
    if not found:
        raise Skip("%s is not installed (tools/setup check)" % name)
    return found


def files(root):
    for size in SIZES:
        process.write(os.path.join(root, "f%d.bin" % size), b"x" * size)


class Server:
    name = "?"
    paths = ["/f%d.bin" % s for s in SIZES[:4] * 4 + SIZES[4:]] + ["/none"] * 3
    largest_upload = 20000

    def __init__(self):
        self.place = process.folder(self.name)
        self.port = process.free_port()
        self.log = os.path.join(self.place, "access.log")
        self.err = os.path.join(self.place, "error.log")
        self.child = None

    def start(self):
        self.prepare()
        self.child = process.start(self.command(), log=self.err, env=self.environment(), cwd=self.place)
        process.wait_port(self.port, self.child, self.err)
        self.started()
        return self

    def environment(self):
        return dict(os.environ, LC_ALL="C")

    def started(self):
        """Forget what the start itself left in the log."""

    def prepare(self):
        raise NotImplementedError

    def command(self):
        raise NotImplementedError

    def stop(self):
        process.stop(self.child)

    def corrected(self, seen, method):
        """What the log's size variable shows for this response."""
        return seen.body

    def size_problems(self, lines, seen, requests):
        """Where the log's size is not what the driver received, after the known correction."""
        wrong = []
        for method, target, status, size in lines:
            got = seen[target.rsplit("id=", 1)[1]]
            if size != self.corrected(got, method):
                wrong.append((method, target, status, size, got))
        return wrong

    def lines(self):
        """[(method, target, status, bytes)] as logged; '-' is 0."""
        found = []
        for line in process.read(self.log).splitlines():
            part = line.split(" ")
            if len(part) == 4 and "id=" in part[1]:
                found.append((part[0], part[1], int(part[2]), 0 if part[3] == "-" else int(part[3])))
        return found

    def wait_lines(self, count, seconds=15):
        process.wait_for(lambda: len(self.lines()) >= count, seconds,
                         "%s: %d of %d lines in its log" % (self.name, len(self.lines()), count))
        return self.lines()


class Nginx(Server):
    name = "nginx"
    paths = Server.paths + ["/no-content", "/moved", "/broken", "/chunked"] * 3
    workers, connections, extra, location = 2, 4096, "", ""

    def prepare(self):
        files(self.place)
        d = self.place
        os.symlink(d, os.path.join(d, "self"))
        process.write(d + "/page.shtml", "a<!--# echo var='query_string' -->b" + "y" * 9000)
        process.write(d + "/nginx.conf", """
daemon off; worker_processes %d; pid %s/pid; error_log %s/error.log; %s worker_rlimit_nofile %d;
events { worker_connections %d; }
http {
  client_body_temp_path %s/t1; proxy_temp_path %s/t2; fastcgi_temp_path %s/t3;
  uwsgi_temp_path %s/t4; scgi_temp_path %s/t5;
  log_format ours '$request_method $request_uri $status $body_bytes_sent';
  access_log %s/access.log ours; keepalive_requests 1000000; keepalive_timeout 300s;
  client_max_body_size 20m; sendfile on;
  server { listen 127.0.0.1:%d; root %s;
    location /no-content { return 204; } location /moved { return 302 /f1.bin; }
    location /broken { return 503; }
    location /chunked { ssi on; ssi_types *; rewrite ^ /page.shtml break; }
    %s
  }
  %s
}
""" % (self.workers, d, d, "user root;" if os.geteuid() == 0 else "", self.connections + 64,
            self.connections, d, d, d, d, d, d, self.port, d,
            self.location, self.extra))

    def command(self):
        return [program("nginx"), "-p", self.place, "-c", self.place + "/nginx.conf"]

    def corrected(self, seen, method):
        return seen.wire  # $body_bytes_sent counts chunk framing


class Apache(Server):
    mpm = "event"
    largest_upload = 4000  # it answers errors and redirects without reading more of a body, and closes
    paths = Server.paths + ["/no-content", "/moved", "/broken"] * 3

    @property
    def name(self):
        return "apache-" + self.mpm

    def prepare(self):
        files(self.place)
        d, modules = self.place, "/usr/lib/apache2/modules"
        load = ["mpm_" + self.mpm, "authz_core", "alias", "rewrite", "mime"]
        extra = "MaxRequestWorkers 96\nStartServers 4\n"
        if self.mpm == "prefork":
            extra += "ServerLimit 96\nMinSpareServers 64\nMaxSpareServers 96\n"
        else:
            extra = "ThreadsPerChild 64\nServerLimit 4\nMaxRequestWorkers 256\nStartServers 4\nMaxSpareThreads 999\n"  # or it drops kept ones
        process.write(d + "/apache.conf", "".join("LoadModule %s_module %s/mod_%s.so\n" % (m, modules, m)
                                                  for m in load) + """
ServerRoot %s
ServerName localhost
PidFile %s/pid
DefaultRuntimeDir %s
Listen 127.0.0.1:%d
User www-data
Group www-data
ErrorLog %s/error.log
LogFormat "%%m %%U%%q %%>s %%B" ours
CustomLog %s/access.log ours
DocumentRoot %s
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 300
TypesConfig /dev/null
Redirect 302 /moved http://127.0.0.1/f1.bin
Redirect 503 /broken
RewriteEngine on
RewriteRule ^/no-content - [R=204,L]
<Directory %s>
Require all granted
</Directory>
%s
""" % (d, d, d, self.port, d, d, d, d, extra))

    def command(self):
        return [program("apache2"), "-f", self.place + "/apache.conf", "-D", "FOREGROUND"]


class ApachePrefork(Apache):
    mpm = "prefork"


class ApachePhp(Server):
    """mod_php: a page of ours answers whatever is asked. Eight processes, one request each at a time."""
    name = "apache-php"

    def __init__(self, page, variables):
        super().__init__()
        self.page, self.variables = page, variables

    def prepare(self):
        d, modules = self.place, "/usr/lib/apache2/modules"
        php = sorted(glob.glob(modules + "/libphp*.so"))
        if not php:
            raise Skip("mod_php is not installed (tools/setup check)")
        load = ["%s_module %s/mod_%s.so" % (m, modules, m) for m in ("mpm_prefork", "authz_core", "alias", "mime")]
        os.mkdir(d + "/page")
        shutil.copy(self.page, d + "/page/page.php")
        process.write(d + "/apache.conf", "".join("LoadModule %s\n" % m for m in load) + """
LoadModule php_module %s
ServerRoot %s
ServerName localhost
PidFile %s/pid
DefaultRuntimeDir %s
Listen 127.0.0.1:%d
ListenBacklog 4096
User www-data
Group www-data
ErrorLog %s/error.log
TypesConfig /dev/null
AliasMatch .* %s/page/page.php
<Directory %s/page>
Require all granted
SetHandler application/x-httpd-php
</Directory>
StartServers 8
ServerLimit 8
MinSpareServers 8
MaxSpareServers 8
MaxRequestWorkers 8
""" % (php[-1], d, d, d, self.port, d, d, d))

    def command(self):
        return [program("apache2"), "-f", self.place + "/apache.conf", "-D", "FOREGROUND"]

    def environment(self):
        return dict(super().environment(), **self.variables)


class Lighttpd(Server):
    name = "lighttpd"
    paths = Server.paths + ["/moved", "/denied"] * 3

    def prepare(self):
        files(self.place)
        d = self.place
        process.write(d + "/lighttpd.conf", """
server.modules = ("mod_accesslog", "mod_redirect", "mod_access")
server.document-root = "%s"
server.bind = "127.0.0.1"
server.port = %d
server.errorlog = "%s/error.log"
server.max-keep-alive-requests = 100000
server.max-keep-alive-idle = 300
accesslog.filename = "%s/access.log"
accesslog.format = "%%m %%U?%%q %%s %%b"
url.redirect = ("^/moved" => "/f1.bin")
$HTTP["url"] =~ "^/denied" { url.access-deny = ("") }
""" % (d, self.port, d, d))

    def command(self):
        return [program("lighttpd"), "-D", "-f", self.place + "/lighttpd.conf"]

    def corrected(self, seen, method):
        return seen.wire

    def lines(self):
        # lighttpd buffers its log and writes it out every few seconds, or on SIGHUP.
        if self.child.poll() is None:
            os.kill(self.child.pid, 1)
        return super().lines()


class Haproxy(Server):
    """In front of a backend server that is given.

    One thread: with several, its log to a file drops lines whenever two threads meet. %B counts
    octets in its inner form of a message, not on the wire; what it adds to the body is the same for
    responses with equal heads, and that is what is checked.
    """
    name = "haproxy"

    def __init__(self, backend):
        super().__init__()
        self.backend = backend
        self.paths = backend.paths

    def prepare(self):
        check(self.backend.child is not None, "start the backend first")
        process.write(self.place + "/haproxy.cfg", """
global
  maxconn 2000
  log stdout len 8192 format raw local0
  nbthread 1
defaults
  mode http
  log global
  timeout connect 5s
  timeout client 300s
  timeout server 60s
  timeout http-keep-alive 300s
  log-format "%%HM %%HU %%ST %%B"
frontend f
  bind 127.0.0.1:%d
  default_backend b
backend b
  http-reuse always
  server s 127.0.0.1:%d
""" % (self.port, self.backend.port))
        self.log = self.err

    def command(self):
        return [program("haproxy"), "-db", "-f", self.place + "/haproxy.cfg"]

    def size_problems(self, lines, seen, requests):
        added, wrong = {}, []
        for method, target, status, size in lines:
            number = target.rsplit("id=", 1)[1]
            head = (method, target.split("?")[0], status, requests[number].close, seen[number].head)
            if added.setdefault(head, size - seen[number].body) != size - seen[number].body:
                wrong.append((method, target, status, size, seen[number]))
        return wrong
