"""A stand-in for a schema registry: speaks as much of Confluent's HTTP interface as its serialisers and Riffle ask for.

    with SchemaRegistry(user="riffle:secret") as registry:
        registry.url                    # http://127.0.0.1:PORT
        registry.stop(); registry.start()   # away, and back on the same port, with what it knew
        registry.trouble = 503          # answers so, until None
    registry.silent.set()           # does not answer at all, until clear()
        registry.asked                  # paths that were asked for

Schemas of Protobuf are kept as the serialisers of Python and Java register them: descriptors in base64. Asked for without
format=serialized they are given as a real registry does, as the text of a .proto (not theirs).
"""

import base64
import hashlib
import http.server
import json
import socket
import ssl
import threading
import urllib.parse


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def _answer(self, code, body, headers=()):
        content = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
        self.send_header("Content-Length", str(len(content)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _refuse(self, code, error_code, message):
        self._answer(code, {"error_code": error_code, "message": message})

    def _handle(self, respond):
        registry = self.server.registry
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else {}
        parts = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(parts.query))
        path = [urllib.parse.unquote(step) for step in parts.path.strip("/").split("/")]
        registry.asked.append(self.path)
        while registry.silent.is_set() and path[:2] == ["schemas", "ids"]:
            self.connection.settimeout(60)
            if not self.connection.recv(1):
                return  # who asked has gone
        with registry.lock:
            given = self.headers.get("Authorization")
            if registry.authorization and given != registry.authorization:
                self._refuse(401, 401, "Unauthorized")
            elif registry.trouble:
                headers = [("Location", "http://127.0.0.1:1/")] if registry.trouble // 100 == 3 else []
                self._answer(registry.trouble, {"error_code": registry.trouble * 100 + 1, "message": "trouble"}, headers)
            else:
                respond(registry, path, query, body)

    def do_GET(self):
        self._handle(self._get)

    def do_POST(self):
        self._handle(self._post)

    def _get(self, registry, path, query, _):
        if path == ["schemas", "types"]:
            self._answer(200, ["AVRO", "JSON", "PROTOBUF"])
        elif path == ["subjects"]:
            self._answer(200, sorted(registry.subjects))
        elif path[:2] == ["schemas", "ids"] and len(path) == 3:
            schema = registry.schemas.get(int(path[2]))
            if schema:
                self._answer(200, _shown(schema, query))
            else:
                self._refuse(404, 40403, f"Schema {path[2]} not found")
        elif path[0] == "subjects" and len(path) == 4 and path[2] == "versions":
            versions = registry.subjects.get(path[1])
            if not versions:
                self._refuse(404, 40401, f"Subject '{path[1]}' not found.")
                return
            number = len(versions) if path[3] == "latest" else int(path[3])
            if number > len(versions):
                self._refuse(404, 40402, f"Version {number} not found.")
                return
            shown = _shown(registry.schemas[versions[number - 1]], query)
            self._answer(200, {**shown, "subject": path[1], "version": number, "id": versions[number - 1]})
        else:
            self._refuse(404, 404, "HTTP 404 Not Found")

    def _post(self, registry, path, _, body):
        if path[0] != "subjects" or path[2:] not in ([], ["versions"]):
            self._refuse(404, 404, "HTTP 404 Not Found")
            return
        schema = {key: body[key] for key in ("schema", "schemaType", "references") if body.get(key)}
        known = [number for number, other in registry.schemas.items() if other == schema]
        versions = registry.subjects.setdefault(path[1], [])
        if path[2:]:
            number = known[0] if known else registry.next_id
            registry.next_id = max(registry.next_id, number + 1)
            registry.schemas[number] = schema
            if number not in versions:
                versions.append(number)
        elif not known or known[0] not in versions:
            self._refuse(404, 40403, "Schema not found")
            return
        else:
            number = known[0]
        guid = hashlib.md5(json.dumps(schema).encode()).hexdigest()
        self._answer(200, {**schema, "subject": path[1], "version": versions.index(number) + 1, "id": number, "guid": guid})


def _shown(schema, query):
    if schema.get("schemaType") == "PROTOBUF" and query.get("format") != "serialized":
        return {**schema, "schema": 'syntax = "proto3";'}
    return schema


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def handle_error(self, *_):
        pass  # a client that went away

    def process_request(self, request, client_address):
        self.connections.append(request)
        super().process_request(request, client_address)

    def hang_up(self):
        """Clients keep connections for their next request."""
        for connection in self.connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it is closed


class SchemaRegistry:
    def __init__(self, user=None, token=None, certificate=None, first_id=1):
        """`user` is NAME:PASSWORD; `certificate` a PEM file with its key: HTTPS then."""
        self.authorization = None
        if user:
            self.authorization = "Basic " + base64.b64encode(user.encode()).decode()
        elif token:
            self.authorization = "Bearer " + token
        self.certificate = certificate
        self.lock = threading.Lock()
        self.schemas = {}   # id: {schema, schemaType, references}
        self.subjects = {}  # name: ids of its versions
        self.next_id = first_id
        self.asked = []
        self.trouble = None
        self.silent = threading.Event()  # while it is set, nobody hears what a schema is
        self.port = 0
        self.server = None
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def url(self):
        return f"{'https' if self.certificate else 'http'}://127.0.0.1:{self.port}"

    def start(self):
        self.server = _Server(("127.0.0.1", self.port), _Handler)
        self.server.registry = self
        self.server.connections = []
        if self.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.hang_up()
            self.server.server_close()
            self.server = None
