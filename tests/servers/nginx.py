"""An nginx of our own before an MLflow server, from Debian's package (tests/setup servers).

    with Nginx(server.uri, prefix="/tools/mlflow") as proxy: ... proxy.uri
    with Nginx(server.uri, tls=True) as proxy: ...  proxy.certificate, that this run has made

It compresses every reply for who takes that.
"""

import socket
import subprocess

from daemon import Daemon

SETTINGS = """
daemon off;
user root;
pid {folder}/pid;
events {{}}
http {{
  log_format reply '$http_user_agent $status $sent_http_content_encoding $request_uri';
  access_log {folder}/access.log reply;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  gzip on;
  gzip_types *;
  gzip_min_length 0;
  gzip_proxied any;
  server {{
    listen 127.0.0.1:{port} {listen};
    {certificate}
    location {prefix}/ {{ proxy_pass {uri}/; }}
  }}
}}
"""
CERTIFICATE = "ssl_certificate {folder}/certificate.pem; ssl_certificate_key {folder}/key.pem;"


class Nginx(Daemon):
    name = "nginx"

    def __init__(self, uri, prefix="", tls=False):
        super().__init__()
        self.behind = uri
        self.prefix = prefix
        self.tls = tls
        self.uri = f"http{'s' if tls else ''}://127.0.0.1:{self.port}{prefix}"

    def start(self):
        if self.tls:
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                 "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
                 "-keyout", self.folder / "key.pem", "-out", self.certificate],
                check=True, capture_output=True)
        settings = self.folder / "nginx.conf"
        settings.write_text(SETTINGS.format(
            folder=self.folder, port=self.port, prefix=self.prefix, uri=self.behind,
            listen="ssl" if self.tls else "",
            certificate=CERTIFICATE.format(folder=self.folder) if self.tls else ""))
        self.process = subprocess.Popen(
            ["/usr/sbin/nginx", "-p", self.folder, "-c", settings, "-e", self.folder / "error.log"],
            start_new_session=True)
        self.wait_until(self.listens)

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    @property
    def certificate(self):
        return self.folder / "certificate.pem"

    def replies(self):
        """Who asked, status, encoding and path of each reply so far."""
        return (self.folder / "access.log").read_text().splitlines()
