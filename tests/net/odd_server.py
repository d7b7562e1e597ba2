#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""An HTTP server that answers each path in an odd way of its own: odd_server.py PORT"""
import socket
import socketserver
import struct
import sys
import time

BODY = bytes(range(256)) * 40  # what /chunked, /close and /dribble answer


def chunked(size):
    out = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    for start in range(0, len(BODY), size):
        piece = BODY[start:start + size]
        out += b"%x;n=v\r\n%s\r\n" % (len(piece), piece)
    return out + b"0\r\nTrailer: yes\r\n\r\n"


WHOLE = {
    "/chunked": chunked(1000),
    "/close": b"HTTP/1.0 200 OK\r\nServer: odd\r\n\r\n" + BODY,
    "/interim": b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "/204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "/escape": b"HTTP/1.1 200 \x1b]0;title\x07\r\n\r\n",
    "/headers": b"HTTP/1.1 200 OK\r\nX-Evil: a\xc3\xa9\x9b31m\r\nContent-Length: 0\r\n\r\n",
    "/garbage": b"SSH-2.0-OpenSSH_9.2p1\r\n",
    "/truncated": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nnot all of it",
    "/endless-head": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20000,
    "/nothing": b"",
}


class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        request = b""
        while b"\r\n\r\n" not in request:
            piece = self.request.recv(65536)
            if not piece:
                return
            request += piece
        path = request.split()[1].decode()
        if path == "/stall":
            self.request.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nand then")
            self.request.recv(1)  # until the client goes away
        elif path == "/silent":
            self.request.recv(1)
        elif path == "/keep":  # closes only when the client does
            self.request.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nkept")
            self.request.recv(1)
        elif path == "/reset":
            self.request.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nand then")
            time.sleep(0.05)  # the RST must not overtake what the kernel has not sent yet
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.request.close()
        elif path == "/dribble":
            self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in b"HTTP/1.1 200 OK\r\n\r\n" + BODY[:500]:
                self.request.sendall(bytes([byte]))
        elif path == "/request":
            self.request.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + request)
        else:
            self.request.sendall(WHOLE[path])


class Server(socketserver.ThreadingTCPServer):
    address_family = socket.AF_INET6
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64


if __name__ == "__main__":
    Server(("::", int(sys.argv[1])), Handler).serve_forever()
