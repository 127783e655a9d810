"""A mirror on the loopback interface that holds the files: what it does not have it takes once from a Debian mirror, and
keeps. So every program that is timed reads the same files from the same place, and no network is in the figures."""

import http.server
import os
import pathlib
import shutil
import tempfile
import threading
import urllib.error
import urllib.parse
import urllib.request

UPSTREAM = "http://deb.debian.org"
MISSING = ".is-not-there"


class Handler(http.server.BaseHTTPRequestHandler):
    """GET of whole files over kept connections."""

    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16
    disable_nagle_algorithm = True
    directory = pathlib.Path()

    def log_message(self, *_):
        pass

    def do_GET(self):
        try:
            path = self.held()
        except OSError as error:
            self.send_error(502, str(error))
            return
        if path is None:
            self.send_error(404)
            return
        with path.open("rb") as file:
            self.send_response(200)
            self.send_header("Content-Length", str(os.fstat(file.fileno()).st_size))
            self.send_header("Last-Modified", self.date_time_string(path.stat().st_mtime))
            self.end_headers()
            self.wfile.flush()
            self.connection.sendfile(file)

    def held(self):
        """The file that the path of the request names; None where upstream has none."""
        path = os.path.normpath(urllib.parse.unquote(self.path))
        kept = self.directory / path.lstrip("/")
        absent = kept.with_name(kept.name + MISSING)
        if kept.is_file():
            return kept
        if absent.exists() or ".." in path:
            return None
        kept.parent.mkdir(parents=True, exist_ok=True)
        try:
            with urllib.request.urlopen(UPSTREAM + self.path, timeout=60) as answer:
                with tempfile.NamedTemporaryFile(dir=kept.parent, delete=False) as file:
                    shutil.copyfileobj(answer, file)
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            absent.touch()
            return None
        os.chmod(file.name, 0o644)
        os.rename(file.name, kept)
        return kept


class Server(http.server.ThreadingHTTPServer):
    """Takes as many connections at once as are asked for: one that is turned away comes back a whole second later."""

    request_queue_size = 128


class LoopbackMirror:
    """Serves DIRECTORY until it is left. `url` is what takes the place of http://deb.debian.org."""

    def __init__(self, directory):
        handler = type("HandlerOfDirectory", (Handler,), {"directory": pathlib.Path(directory)})
        self.server = Server(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
