"""Certificates as files, and a client that trusts whoever made them."""

import asyncio
import ssl
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import trustme


@cache
def authority() -> trustme.CA:
    return trustme.CA()


def trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority().configure_trust(context)
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


@dataclass(frozen=True)
class Pair:
    """What `authority` has issued for this machine."""

    certificate: bytes
    key: bytes

    @classmethod
    def issue(cls, kind: trustme.KeyType = trustme.KeyType.ECDSA) -> "Pair":
        leaf = authority().issue_cert("localhost", "127.0.0.1", key_type=kind)
        chain = b"".join(blob.bytes() for blob in leaf.cert_chain_pems)
        return cls(chain, leaf.private_key_pem.bytes())


class Files:
    """The two files that a listener is given."""

    def __init__(self, folder: Path) -> None:
        self.certificate = folder / "fullchain.pem"
        self.key = folder / "privkey.pem"

    def write(self, pair: Pair) -> Pair:
        self.certificate.write_bytes(pair.certificate)
        self.key.write_bytes(pair.key)
        return pair


class Client:
    """One connection, with what it agreed upon."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        secured: ssl.SSLObject = writer.get_extra_info("ssl_object")
        self.version = secured.version()
        self.protocol = secured.selected_alpn_protocol()
        self.shown = ssl.DER_cert_to_PEM_cert(secured.getpeercert(binary_form=True) or b"").encode()

    @classmethod
    async def connect(cls, port: int, *, names_host: bool = True) -> "Client":
        """``names_host`` False: an address is not named in the handshake (no SNI)."""
        host = "localhost" if names_host else "127.0.0.1"
        return cls(
            *await asyncio.open_connection(
                "127.0.0.1", port, ssl=trusting(), server_hostname=host, ssl_shutdown_timeout=1
            )
        )

    async def asks(self, raw: bytes) -> bytes:
        """Send a request, and read the head of its answer."""
        self._writer.write(raw)
        return await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), 20)

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


async def shown_at(port: int, *, names_host: bool = True) -> bytes:
    """The certificate that a new connection is shown."""
    client = await Client.connect(port, names_host=names_host)
    await client.close()
    return client.shown
