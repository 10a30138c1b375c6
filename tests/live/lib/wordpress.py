# SPDX-License-Identifier: Apache-2.0
"""WordPress as Debian packages it, behind nginx and PHP-FPM, with MariaDB: own folder, own data, Unix sockets
but for nginx's port on loopback. The files are a copy, unchanged; wp-config.php is the site's own, and so is a
plugin that writes down who logged in, signed up and commented, by WordPress's own word."""
import glob
import json
import os
import urllib.parse
import urllib.request

from . import process, servers
from .servers import program
from .suite import Skip, check

PRODUCTS = 6
SHARE = "/usr/share/wordpress"
ADMIN, PASSWORD = "ottilie.verwalter", "Regenschirm-4711"
CUSTOMERS = {"hedwig.sommer": "Kirschgarten-1896", "balduin.winter": "Schneeballen-2024"}

CONFIG = """<?php
define('DB_NAME', 'wordpress'); define('DB_USER', 'root'); define('DB_PASSWORD', ''); define('DB_HOST', 'localhost:SOCKET');
define('DB_CHARSET', 'utf8mb4'); define('DB_COLLATE', '');
foreach (['AUTH_KEY', 'SECURE_AUTH_KEY', 'LOGGED_IN_KEY', 'NONCE_KEY', 'AUTH_SALT', 'SECURE_AUTH_SALT', 'LOGGED_IN_SALT', 'NONCE_SALT'] as $k)
  define($k, 'only for tests: ' . $k);
// Debian's nginx passes the host without its port.
$_SERVER['HTTP_HOST'] = preg_replace('/:.*/', '', $_SERVER['HTTP_HOST'] ?? '127.0.0.1') . ':' . ($_SERVER['SERVER_PORT'] ?? '80');
define('WP_HOME', 'http://' . $_SERVER['HTTP_HOST']); define('WP_SITEURL', WP_HOME);
define('WP_HTTP_BLOCK_EXTERNAL', true); define('WP_ACCESSIBLE_HOSTS', '127.0.0.1'); define('AUTOMATIC_UPDATER_DISABLED', true);
$table_prefix = 'wp_';
if (!defined('ABSPATH')) define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
"""

# A shop window: products with pictures, a page that shows another in a frame, a file to be kept.
CONTENT = """<?php
require 'ROOT/wp-load.php';
global $wp_rewrite;
$wp_rewrite->set_permalink_structure('/%postname%/');
$wp_rewrite->flush_rules(false);
update_option('users_can_register', 1);
foreach (json_decode($argv[1], true) as $name => $password) wp_create_user($name, $password, $name . '@example.org');
for ($i = 1; $i <= $argv[2]; $i++)
  wp_insert_post(['post_title' => "Product $i", 'post_name' => "product-$i", 'post_status' => 'publish', 'comment_status' => 'open',
    'post_date' => "2024-05-0$i 12:00:00",
    'post_content' => "<p>Nice. <img src='/wp-content/uploads/p$i.png' alt=''> <a href='/wp-content/uploads/list.zip'>list</a></p>"]);
wp_insert_post(['post_title' => 'Framed', 'post_name' => 'framed', 'post_status' => 'publish', 'post_type' => 'page',
  'post_content' => "<!-- wp:html --><iframe src='/product-1/embed/'></iframe><iframe src='/product-2/embed/'></iframe><!-- /wp:html -->"]);
"""

BOOK = """<?php
function book($what, $of) {
  global $wpdb;
  $wpdb->insert('book', ['what' => $what, 'of' => $of, 'agent' => $_SERVER['HTTP_USER_AGENT'] ?? '']);
}
add_action('wp_login', fn($name, $user) => book('login', $user->ID), 10, 2);
add_action('wp_login_failed', fn() => book('login_refused', 0));
add_action('user_register', fn($id) => book('sign_up', $id));
add_action('comment_post', fn($id) => book('comment', $id));
"""
TABLE = "CREATE TABLE wordpress.book (at INT AUTO_INCREMENT PRIMARY KEY, what TEXT, `of` INT, agent TEXT)"

PICTURE = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a494441"
                        "54789c63f80f0001010100b138f6140000000049454e44ae426082")


class WordPress(servers.Server):
    name = "wordpress"

    def prepare(self):
        self.sockets = os.path.join(self.place, "run")
        os.mkdir(self.sockets)
        self.database()
        self.files()
        self.php()
        self.web()

    def command(self):
        return [program("nginx"), "-p", self.place, "-c", self.place + "/nginx.conf"]

    def background(self, name, command, socket):
        child = process.start(command, log="%s/%s.log" % (self.place, name))
        process.wait_for(lambda: child.poll() is not None or os.path.exists(socket), 60, name)
        check(child.poll() is None, "%s: %s" % (name, process.read("%s/%s.log" % (self.place, name))[-500:]))

    def database(self):
        data, socket = self.place + "/db", self.sockets + "/db"
        process.run([program("mariadb-install-db"), "--no-defaults", "--user=root", "--datadir=" + data, "--skip-test-db",
                     "--auth-root-authentication-method=normal"])
        self.background("mariadb", [program("mariadbd"), "--no-defaults", "--user=root", "--datadir=" + data, "--socket=" + socket,
                                    "--pid-file=%s/db.pid" % self.place, "--skip-networking"], socket)
        process.run([program("mariadb"), "--no-defaults", "-uroot", "-S", socket, "-e", "CREATE DATABASE wordpress; " + TABLE])

    def rows(self, query):
        """What stands in the database: rows of texts."""
        return [line.split("\t") for line in process.run([program("mariadb"), "--no-defaults", "-uroot", "-S", self.sockets + "/db",
                                                          "-N", "-B", "-e", query, "wordpress"]).splitlines()]

    def files(self):
        if not os.path.isdir(SHARE):
            raise Skip("wordpress is not installed (tools/setup check)")
        self.root = os.path.join(self.place, "site")
        process.run(["cp", "-rL", "--no-preserve=mode", SHARE, self.root])
        process.write(self.root + "/wp-config.php", CONFIG.replace("SOCKET", self.sockets + "/db"))
        os.makedirs(self.root + "/wp-content/mu-plugins")
        process.write(self.root + "/wp-content/mu-plugins/book.php", BOOK)
        uploads = self.root + "/wp-content/uploads"
        os.makedirs(uploads)
        for i in range(1, PRODUCTS + 1):
            process.write("%s/p%d.png" % (uploads, i), PICTURE)
        process.write(uploads + "/list.zip", b"PK\5\6" + bytes(18))
        os.chmod(uploads, 0o777)

    def php(self):
        fpm = sorted(glob.glob("/usr/sbin/php-fpm*"))
        if not fpm:
            raise Skip("php-fpm is not installed (tools/setup check)")
        conf = process.write(self.place + "/fpm.conf", """
[global]
error_log = %s/fpm-error.log
[www]
user = www-data
group = www-data
listen = %s/php
listen.mode = 0666
pm = static
pm.max_children = 6
""" % (self.place, self.sockets))
        self.background("fpm", [fpm[-1], "-F", "-y", conf], self.sockets + "/php")

    def web(self):
        process.write(self.place + "/nginx.conf", """
daemon off; worker_processes 2; pid %(d)s/pid; error_log %(d)s/error.log; user root;
events { worker_connections 1024; }
http {
  include /etc/nginx/mime.types; default_type application/octet-stream; sendfile on; gzip on;
  client_body_temp_path %(d)s/t1; proxy_temp_path %(d)s/t2; fastcgi_temp_path %(d)s/t3; uwsgi_temp_path %(d)s/t4; scgi_temp_path %(d)s/t5;
  log_format ours '$request_method $request_uri $status $body_bytes_sent';
  access_log %(d)s/access.log ours;
  server { listen 127.0.0.1:%(port)d; root %(root)s; index index.php;
    location / { try_files $uri $uri/ /index.php?$args; }
    location ~ \\.php$ { try_files $uri =404; include /etc/nginx/fastcgi_params;
      fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; fastcgi_pass unix:%(run)s/php; } } }
""" % {"d": self.place, "port": self.port, "root": self.root, "run": self.sockets})

    def started(self):
        """The form of the installation, as a person would fill it in; then content and customers."""
        form = {"weblog_title": "Shop", "user_name": ADMIN, "admin_password": PASSWORD, "admin_password2": PASSWORD,
                "pw_weak": "1", "admin_email": ADMIN + "@example.org", "blog_public": "0", "language": ""}
        with urllib.request.urlopen("http://127.0.0.1:%d/wp-admin/install.php?step=2" % self.port,
                                    urllib.parse.urlencode(form).encode(), timeout=60) as answer:
            check(b"Success" in answer.read(), "WordPress was not installed")
        fill = process.write(self.place + "/fill.php", CONTENT.replace("ROOT", self.root))
        process.run([program("php"), fill, json.dumps(CUSTOMERS), str(PRODUCTS)])
