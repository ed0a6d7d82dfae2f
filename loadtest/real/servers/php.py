"""PHP: in Apache, behind Apache and nginx, and its own server."""

from bench import tools
from bench.child import Child
from bench.port import free_port

from .server import Server, is_root

_MODULES = "/usr/lib/apache2/modules"
_MOD_PHP = f"{_MODULES}/libphp8.2.so"
_FPM = "/usr/sbin/php-fpm8.2"


def _apache(site, mpm, php, keep_alive="5"):
    site.program("biller.php", "www/index.php")
    configuration = site.configuration(
        "apache.conf", MPM=mpm, PHP=php, KEEP_ALIVE=keep_alive,
        USER="User www-data\nGroup www-data" if is_root() else "",
    )
    # Apache ends its whole process group when it is ended, so it gets one of its own.
    command = ["setsid", tools.find("apache2"), "-f", configuration, "-D", "FOREGROUND"]
    return Child("apache", command, site.folder / "log")


def _mod_php(site):
    handler = "<FilesMatch \\.php$>\n    SetHandler application/x-httpd-php\n</FilesMatch>"
    return [_apache(site, "prefork", f"LoadModule php_module {_MOD_PHP}\n{handler}")]


def _fpm(site):
    port = free_port()
    user = "user = root\ngroup = root" if is_root() else ""
    configuration = site.configuration("php-fpm.conf", FPM_PORT=port, USER=user)
    command = [_FPM, "--fpm-config", configuration, *(["--allow-to-run-as-root"] if is_root() else [])]
    child = Child("php-fpm", command, site.folder / "fpm.log")
    child.await_port(port)
    return child, port


def _apache_fpm(site):
    fpm, port = _fpm(site)
    php = (
        f"LoadModule proxy_module {_MODULES}/mod_proxy.so\nLoadModule proxy_fcgi_module {_MODULES}/mod_proxy_fcgi.so\n"
        f'<FilesMatch \\.php$>\n    SetHandler "proxy:fcgi://127.0.0.1:{port}"\n</FilesMatch>'
    )
    return [fpm, _apache(site, "event", php)]


def _nginx_fpm(keep_alive):
    def start(site):
        fpm, port = _fpm(site)
        site.program("biller.php", "www/index.php")
        user = "user root;" if is_root() else ""
        configuration = site.configuration("nginx-php.conf", FPM_PORT=port, KEEP_ALIVE=keep_alive, USER=user)
        command = [tools.find("nginx"), "-c", configuration, "-e", site.folder / "nginx.error.log"]
        return [fpm, Child("nginx", command, site.folder / "log")]

    return start


def _built_in(site):
    router = site.program("biller.php", "www/index.php")
    command = ["php", "-S", f"127.0.0.1:{site.port}", router]
    return [Child("php", command, site.folder / "log")]


_APACHE = ("apache2", "apache2")
_NGINX = ("nginx", "nginx")
_PHP_FPM = (_FPM, "php-fpm")

SERVERS = [
    Server("apache-mod-php", _mod_php, (_APACHE, (_MOD_PHP, "libapache2-mod-php"))),
    Server("apache-php-fpm", _apache_fpm, (_APACHE, _PHP_FPM)),
    Server("nginx-php-fpm", _nginx_fpm("65"), (_NGINX, _PHP_FPM)),
    # Not a default: the shortest idle time that was met.
    Server("nginx-20ms", _nginx_fpm("20ms"), (_NGINX, _PHP_FPM)),
    Server("php-built-in", _built_in, (("php", "php-cli"),)),
]
