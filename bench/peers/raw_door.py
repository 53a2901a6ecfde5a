"""The limit of this machine: TLS, a body, one write and one fdatasync, an answer. Nothing is read.

Run as a program: `python -m bench.peers.raw_door FILE CERTIFICATE` prints its port and serves.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
import sys

from bench.peers.doors import local_door

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
_LENGTH = b"content-length: "


async def _serve(path: str, certificate: str) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.partition(_LENGTH)[2].partition(b"\r\n")[0])
                os.write(file, await reader.readexactly(length))
                os.fdatasync(file)
                writer.write(_ANSWER)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, sock=local_door(), ssl=tls, backlog=512)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(*sys.argv[1:3]))
