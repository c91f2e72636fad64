"""Common reverse proxies, as the README tells people to set them up, each with its own folder.

All hand on ``/webhook`` and ``/healthz`` and answer anything else themselves; all keep their
connections to the daemon open for the next request, which is what smuggling needs.
"""

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.app.patience import until
from tests.app.ports import free_port


@dataclass(frozen=True)
class Proxy:
    """How one is started.

    Attributes:
        program: Its name; it is looked for in the path and where daemons are.
        files: Writes what it needs into a folder, and returns its arguments.
    """

    program: str
    files: Callable[[Path, int, int], list[str]]

    @property
    def path(self) -> str | None:
        """Where the program is; None where it is not installed."""
        return shutil.which(self.program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")

    @asynccontextmanager
    async def running(self, folder: Path, daemon: int) -> AsyncIterator[int]:
        """Its port, while it runs in front of the port ``daemon``."""
        port = free_port()
        assert self.path is not None
        # One that gives up its rights looks at its files afterwards.
        await asyncio.to_thread(folder.chmod, 0o755)
        with (folder / "said").open("wb") as said:
            process = await asyncio.create_subprocess_exec(
                self.path,
                *self.files(folder, port, daemon),
                cwd=folder,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
        try:
            await until(lambda: process.returncode is not None or _answers(port))
            assert process.returncode is None, (folder / "said").read_text(errors="replace")
            yield port
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


def _answers(port: int) -> bool:
    import socket  # noqa: PLC0415

    with socket.socket() as knocking:
        return knocking.connect_ex(("127.0.0.1", port)) == 0


def _bare_nginx(folder: Path, port: int, daemon: int) -> list[str]:
    """As its manual begins: it tells nobody that it is there."""
    (folder / "conf").write_text(
        f"""daemon off; pid {folder}/pid; error_log stderr; events {{}}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://127.0.0.1:{daemon}; }} }}
}}"""
    )
    return ["-c", str(folder / "conf"), "-p", str(folder)]


def _bare_haproxy(folder: Path, port: int, daemon: int) -> list[str]:
    """As its manual begins: it tells nobody that it is there."""
    (folder / "conf").write_text(
        f"""defaults
  mode http
  timeout connect 60s
  timeout client 60s
  timeout server 60s
listen all
  bind 127.0.0.1:{port}
  server one 127.0.0.1:{daemon}
"""
    )
    return ["-db", "-f", str(folder / "conf")]


def _nginx(buffering: str) -> Callable[[Path, int, int], list[str]]:
    def files(folder: Path, port: int, daemon: int) -> list[str]:
        user = "user root;" if os.geteuid() == 0 else ""
        (folder / "conf").write_text(
            f"""{user} daemon off; pid {folder}/pid; error_log stderr; worker_processes 1;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream daemon {{ server 127.0.0.1:{daemon}; keepalive 8; }}
  server {{
    listen 127.0.0.1:{port};
    location = /webhook {{ include {folder}/on; }}
    location = /healthz {{ include {folder}/on; }}
    location / {{ return 404; }}
  }}
}}"""
        )
        (folder / "on").write_text(
            f"proxy_pass http://daemon; proxy_http_version 1.1; proxy_set_header Connection '';"
            f"proxy_set_header X-Forwarded-For $remote_addr; client_max_body_size 4m;"
            f"client_body_buffer_size 4m; proxy_request_buffering {buffering};"
        )
        return ["-c", str(folder / "conf"), "-p", str(folder)]

    return files


def _haproxy(folder: Path, port: int, daemon: int) -> list[str]:
    (folder / "conf").write_text(
        f"""defaults
  mode http
  timeout connect 60s
  timeout client 60s
  timeout server 60s
  timeout http-request 60s
  option forwardfor
  http-reuse always
frontend in
  bind 127.0.0.1:{port}
  http-request return status 404 unless {{ path /webhook }} or {{ path /healthz }}
  default_backend daemon
backend daemon
  server one 127.0.0.1:{daemon}
"""
    )
    return ["-db", "-f", str(folder / "conf")]


def _apache(folder: Path, port: int, daemon: int) -> list[str]:
    modules = "/usr/lib/apache2/modules"
    loaded = "".join(
        f"LoadModule {name}_module {modules}/mod_{name}.so\n"
        for name in ("mpm_event", "authz_core", "proxy", "proxy_http")
    )
    (folder / "conf").write_text(
        f"""{loaded}
User www-data
Group www-data
ServerRoot {folder}
PidFile {folder}/pid
ErrorLog {folder}/errors
Mutex file:{folder}
ServerName localhost
Listen 127.0.0.1:{port}
ProxyPass /webhook http://127.0.0.1:{daemon}/webhook enablereuse=on
ProxyPass /healthz http://127.0.0.1:{daemon}/healthz enablereuse=on
"""
    )
    return ["-DFOREGROUND", "-f", str(folder / "conf")]


def _caddy(folder: Path, port: int, daemon: int) -> list[str]:
    (folder / "Caddyfile").write_text(
        f"""{{
  admin off
  auto_https off
  storage file_system {folder}/storage
}}
http://:{port} {{
  bind 127.0.0.1
  reverse_proxy /webhook 127.0.0.1:{daemon}
  reverse_proxy /healthz 127.0.0.1:{daemon}
}}
"""
    )
    return ["run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


def _squid(folder: Path, port: int, daemon: int) -> list[str]:
    (folder / "conf").write_text(
        f"""http_port 127.0.0.1:{port} accel defaultsite=localhost no-vhost
cache_peer 127.0.0.1 parent {daemon} 0 no-query originserver name=daemon
acl ours urlpath_regex ^/webhook$ ^/webhook\\? ^/healthz$
http_access allow ours
http_access deny all
cache deny all
pid_filename {folder}/pid
access_log none
cache_log /dev/stderr
cache_store_log none
coredump_dir {folder}
pinger_enable off
netdb_filename none
shutdown_lifetime 0 seconds
"""
    )
    folder.chmod(0o777)  # it gives its rights up, and writes down its number afterwards
    return ["-N", "-f", str(folder / "conf")]


def _varnish(folder: Path, port: int, daemon: int) -> list[str]:
    (folder / "vcl").write_text(
        f"""vcl 4.1;
backend daemon {{ .host = "127.0.0.1"; .port = "{daemon}"; }}
sub vcl_recv {{
  if (req.url !~ "^/(webhook|healthz)($|\\?)") {{ return (synth(404)); }}
  return (pass);
}}
"""
    )
    return [
        "-F", "-a", f"127.0.0.1:{port}", "-f", str(folder / "vcl"), "-n", str(folder / "work"),
        "-s", "malloc,16m", "-j", "none",
    ]  # fmt: skip


PROXIES = {
    "nginx": Proxy("nginx", _nginx("on")),
    "nginx, streaming": Proxy("nginx", _nginx("off")),
    "haproxy": Proxy("haproxy", _haproxy),
    "apache": Proxy("apache2", _apache),
    "caddy": Proxy("caddy", _caddy),
    "squid": Proxy("squid", _squid),
    "varnish": Proxy("varnishd", _varnish),
}

BARE = {"nginx": Proxy("nginx", _bare_nginx), "haproxy": Proxy("haproxy", _bare_haproxy)}
"""Without a header that would tell of them."""
