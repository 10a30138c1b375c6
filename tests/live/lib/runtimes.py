# SPDX-License-Identifier: Apache-2.0
"""Applications of ours on real runtimes: Node, gunicorn, Go, Tomcat. Same interface as servers.py."""
import os

from . import process
from .servers import Server, program
from .suite import Skip

# Most bodies are small, some are large enough to outrun any buffer, some are chunked.
BODIES = ["/b/200/%d" % s for s in (1, 777, 5000, 777, 1, 5000)] + [
    "/b/200/4000/chunked", "/b/404/12", "/b/500/30", "/b/204/0"]
BODIES = BODIES * 4 + ["/b/200/70000", "/b/200/300000", "/b/201/90000/chunked", "/b/201/40000/chunked"]


class Node(Server):
    name = "node"
    paths = BODIES + ["/other"]

    def prepare(self):
        pass

    def command(self):
        return [program("node"), os.path.join(process.APPS, "server.js"), str(self.port), self.log]


class Gunicorn(Server):
    name = "gunicorn"
    paths = BODIES

    def prepare(self):
        pass

    def command(self):
        return [program("gunicorn"), "--bind", "127.0.0.1:%d" % self.port, "--workers", "2",
                "--worker-class", "gthread", "--threads", "40", "--keep-alive", "300",
                "--worker-tmp-dir", self.place, "--chdir", process.APPS, "--access-logfile", self.log,
                "--access-logformat", "%(m)s %(U)s?%(q)s %(s)s %(B)s", "wsgi:application"]

    def environment(self):
        return dict(super().environment(), PYTHONDONTWRITEBYTECODE="1")


def go_build(which):
    """Builds tests/live/apps/go/<which> into the build folder; standard library only."""
    go, out = program("go"), os.path.join(process.BUILD, "tests", "live", "go-" + which)
    process.run([go, "build", "-trimpath", "-o", out, "./" + which], timeout=300,
                cwd=os.path.join(process.APPS, "go"),
                env=dict(os.environ, CGO_ENABLED="0", GOFLAGS="-mod=mod", GOPROXY="off"))
    return out


class Go(Server):
    name = "go"
    paths = BODIES + ["/other"]

    def prepare(self):
        self.binary = go_build("server")

    def command(self):
        return [self.binary, str(self.port), self.log]


TOMCAT = "/usr/share/tomcat10"


class Tomcat(Server):
    name = "tomcat"
    paths = BODIES
    servlet = "Answer"

    def corrected(self, seen, method):
        return seen.wire  # %B counts chunk framing

    def prepare(self):
        if not os.path.isdir(TOMCAT):
            raise Skip("tomcat10 is not installed (tools/setup check)")
        for name in ("conf", "logs", "temp", "work", "webapps/ROOT/WEB-INF/classes"):
            os.makedirs(os.path.join(self.place, name))
        process.run([program("javac"), "-cp", TOMCAT + "/lib/servlet-api.jar", "-d",
                     self.place + "/webapps/ROOT/WEB-INF/classes", process.APPS + "/%s.java" % self.servlet])
        process.write(self.place + "/webapps/ROOT/WEB-INF/web.xml", """<?xml version="1.0"?>
<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0">
<servlet><servlet-name>a</servlet-name><servlet-class>%s</servlet-class>
<async-supported>true</async-supported></servlet>
<servlet-mapping><servlet-name>a</servlet-name><url-pattern>/b/*</url-pattern></servlet-mapping>
</web-app>""" % self.servlet)
        process.write(self.place + "/conf/server.xml", """<?xml version="1.0"?>
<Server port="-1"><Service name="Catalina">
<Connector address="127.0.0.1" port="%d" protocol="HTTP/1.1" maxKeepAliveRequests="-1"
 keepAliveTimeout="300000" maxThreads="80"/>
<Engine name="Catalina" defaultHost="localhost">
<Host name="localhost" appBase="webapps" autoDeploy="false">
<Valve className="org.apache.catalina.valves.AccessLogValve" directory="%s" prefix="access" suffix=".log"
 rotatable="false" buffered="false" pattern="%%m %%U%%q %%s %%B"/>
</Host></Engine></Service></Server>""" % (self.port, self.place))
        process.write(self.place + "/conf/web.xml", """<?xml version="1.0"?>
<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0"></web-app>""")

    def environment(self):
        return dict(super().environment(), CATALINA_HOME=TOMCAT, CATALINA_BASE=self.place,
                    CATALINA_TMPDIR=self.place + "/temp")

    def command(self):
        return [TOMCAT + "/bin/catalina.sh", "run"]
