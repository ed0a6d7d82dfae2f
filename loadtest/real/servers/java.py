"""Java: Tomcat, Jetty, and the JDK's own server."""

import os
import pathlib
import shutil
import subprocess

from bench.child import Child

from .server import Server

_JARS = pathlib.Path("/usr/share/java")
_TOMCAT = pathlib.Path("/usr/share/tomcat10")
_SERVER_XML = pathlib.Path("/etc/tomcat10/server.xml")
_JDK = ("javac", "default-jdk-headless")
_WEB_XML = """<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="5.0">
  <servlet><servlet-name>biller</servlet-name><servlet-class>Biller</servlet-class></servlet>
  <servlet-mapping><servlet-name>biller</servlet-name><url-pattern>/*</url-pattern></servlet-mapping>
</web-app>
"""


def _compile(classes, jars, *sources):
    classes.mkdir(parents=True, exist_ok=True)
    subprocess.run(["javac", "-d", classes, "-cp", ":".join(map(str, jars)), *sources], check=True)


def _tomcat(site):
    base = site.folder / "tomcat"
    application = base / "webapps" / "ROOT" / "WEB-INF"
    source = site.program("Biller.java", API="jakarta")
    _compile(application / "classes", [_TOMCAT / "lib" / "servlet-api.jar"], source)
    (application / "web.xml").write_text(_WEB_XML)
    for name in ("conf", "logs", "temp", "work"):
        (base / name).mkdir()
    # Debian's server.xml as it is, apart from its ports.
    text = _SERVER_XML.read_text()
    if 'port="8080"' not in text:
        raise RuntimeError(f"{_SERVER_XML} has no port 8080")
    (base / "conf" / "server.xml").write_text(
        text.replace('port="8080"', f'port="{site.port}" address="127.0.0.1"').replace('port="8005"', 'port="-1"'))
    shutil.copy(_SERVER_XML.parent / "web.xml", base / "conf" / "web.xml")
    environment = {**os.environ, "CATALINA_BASE": str(base), "CATALINA_HOME": str(_TOMCAT)}
    return [Child("tomcat", ["sh", _TOMCAT / "bin" / "catalina.sh", "run"], site.folder / "log", env=environment)]


def _jetty(site):
    names = ("server", "servlet", "http", "io", "util", "security")
    jars = [*(_JARS / f"jetty9-{name}.jar" for name in names), _JARS / "servlet-api.jar"]
    classes = site.programs / "classes"
    sources = [site.program("Biller.java", API="javax"), site.program("JettyBiller.java")]
    _compile(classes, jars, *sources)
    command = ["java", "-cp", ":".join(map(str, [classes, *jars])), "JettyBiller", site.port]
    return [Child("jetty", command, site.folder / "log")]


def _http_server(site):
    command = ["java", site.program("HttpServerBiller.java"), site.port]
    return [Child("java", command, site.folder / "log")]


SERVERS = [
    Server("tomcat", _tomcat, (_JDK, (str(_SERVER_XML), "tomcat10"))),
    Server("jetty", _jetty, (_JDK, (str(_JARS / "jetty9-server.jar"), "libjetty9-java"))),
    Server("java-httpserver", _http_server, (_JDK,)),
]
