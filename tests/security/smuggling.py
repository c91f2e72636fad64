"""Requests whose end two readers may see in different places.

Each has a second request hidden where only one of the two would look: ``GET /smuggled``, which no
proxy of these tests hands on and no reader may see.

Source:
    RFC 9112, 6.3 and 11.2; PortSwigger, "HTTP desync attacks" and "TE.0"; the reports of llhttp,
    HAProxy (CVE-2021-40346), Apache (CVE-2022-26377) and Varnish (VSV00008).
"""

HIDDEN = "/smuggled"
_SECOND = f"GET {HIDDEN} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
_LENGTH = str(len(_SECOND)).encode()


def _post(*lines: bytes, body: bytes, version: bytes = b"HTTP/1.1") -> bytes:
    head = [b"POST /webhook " + version, b"Host: localhost", *lines, b"", b""]
    return b"\r\n".join(head) + body


def _chunks(*, length: bytes = b"0", end: bytes = b"\r\n\r\n") -> bytes:
    """An end of chunks, and the hidden request behind it."""
    return length + end + _SECOND


def _obfuscated(te: bytes) -> bytes:
    """``Content-Length`` covers the second request, ``Transfer-Encoding`` does not."""
    body = _chunks()
    return _post(b"Content-Length: " + str(len(body)).encode(), te, body=body)


_SPELLINGS = {
    "plain": b"Transfer-Encoding: chunked",
    "xchunked": b"Transfer-Encoding: xchunked",
    "space before colon": b"Transfer-Encoding : chunked",
    "tab before value": b"Transfer-Encoding:\tchunked",
    "tab before colon": b"Transfer-Encoding\t: chunked",
    "vertical tab": b"Transfer-Encoding: \x0bchunked",
    "folded": b"Transfer-Encoding:\r\n chunked",
    "folded before": b"X: y\r\n Transfer-Encoding: chunked",
    "bare LF before": b"X: y\nTransfer-Encoding: chunked",
    "lone CR before": b"X: y\rTransfer-Encoding: chunked",
    "underscore": b"Transfer_Encoding: chunked",
    "leading space": b" Transfer-Encoding: chunked",
    "capital": b"TRANSFER-ENCODING: CHUNKED",
    "quoted": b'Transfer-Encoding: "chunked"',
    "identity": b"Transfer-Encoding: identity",
    "list with identity": b"Transfer-Encoding: chunked, identity",
    "list with gzip": b"Transfer-Encoding: gzip, chunked",
    "doubled": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: cow",
    "doubled, other order": b"Transfer-Encoding: cow\r\nTransfer-Encoding: chunked",
    "empty element": b"Transfer-Encoding: , chunked",
    "null in value": b"Transfer-Encoding: chunked\x00",
    "null in name": b"Transfer\x00-Encoding: chunked",
    "latin letter": b"Transfer-Encoding: chunke\xc4",
    "trailing tab": b"Transfer-Encoding: chunked\t",
    "in the connection header": b"Transfer-Encoding: chunked\r\nConnection: Transfer-Encoding",
    "parameter": b"Transfer-Encoding: chunked; q=1",
}

VECTORS: dict[str, bytes] = {
    **{f"TE.TE {name}": _obfuscated(te) for name, te in _SPELLINGS.items()},
    "CL.CL differing": _post(b"Content-Length: 0", b"Content-Length: " + _LENGTH, body=_SECOND),
    "CL.CL other order": _post(b"Content-Length: " + _LENGTH, b"Content-Length: 0", body=_SECOND),
    "CL list": _post(b"Content-Length: 0, " + _LENGTH, body=_SECOND),
    "CL plus sign": _post(b"Content-Length: +" + _LENGTH, body=_SECOND),
    "CL minus": _post(b"Content-Length: -" + _LENGTH, body=_SECOND),
    "CL hexadecimal": _post(b"Content-Length: 0x" + f"{len(_SECOND):x}".encode(), body=_SECOND),
    "CL leading zero": _post(b"Content-Length: 0" + _LENGTH, body=_SECOND),
    "CL underscore digit": _post(b"Content-Length: 4_4", body=_SECOND),
    "CL with space": _post(b"Content-Length: 4 4", body=_SECOND),
    "CL past 64 bits": _post(b"Content-Length: 18446744073709551616", body=_SECOND),
    "CL empty": _post(b"Content-Length:", body=_SECOND),
    "CL space before colon": _post(b"Content-Length : " + _LENGTH, body=_SECOND),
    "CL underscore name": _post(b"Content_Length: " + _LENGTH, body=_SECOND),
    "CL in connection": _post(
        b"Content-Length: " + _LENGTH, b"Connection: Content-Length", body=_SECOND
    ),
    "CL Unicode digits": _post(b"Content-Length: \xd9\xa4\xd9\xa4", body=_SECOND),
    "long header name": _post(
        b"Content-Length0" + b"a" * 255 + b":", b"Content-Length: " + _LENGTH, body=_SECOND
    ),
    "chunk size overflow": _post(
        b"Transfer-Encoding: chunked", body=_chunks(length=b"10000000000000000")
    ),
    "chunk size 0x": _post(b"Transfer-Encoding: chunked", body=_chunks(length=b"0x0")),
    "chunk size plus": _post(b"Transfer-Encoding: chunked", body=_chunks(length=b"+0")),
    "chunk size minus": _post(b"Transfer-Encoding: chunked", body=_chunks(length=b"-0")),
    "chunk size underscore": _post(b"Transfer-Encoding: chunked", body=_chunks(length=b"0_0")),
    "chunk size empty": _post(b"Transfer-Encoding: chunked", body=_chunks(length=b"")),
    "chunk size spaces": _post(b"Transfer-Encoding: chunked", body=_chunks(length=b" 0 ")),
    "chunk extension LF": _post(
        b"Transfer-Encoding: chunked", body=b"2;\nxx\r\n" + _LENGTH + b"\r\n0\r\n\r\n" + _SECOND
    ),
    "chunk extension CR": _post(
        b"Transfer-Encoding: chunked", body=b"5;a\rb\r\nhello\r\n" + _chunks(length=b"0;x\r")
    ),
    "chunk extension quoted CRLF": _post(
        b"Transfer-Encoding: chunked", body=b'0;a="\r\n\r\n' + _SECOND + b'"\r\n\r\n'
    ),
    "chunk ends in LF": _post(b"Transfer-Encoding: chunked", body=_chunks(end=b"\n\n")),
    "chunk ends in CR": _post(b"Transfer-Encoding: chunked", body=_chunks(end=b"\r\r")),
    "chunk data spills": _post(
        b"Transfer-Encoding: chunked", body=b"5\r\nhelloXX" + _chunks(length=b"0")
    ),
    "trailer with framing": _post(
        b"Transfer-Encoding: chunked",
        b"Trailer: Content-Length",
        body=b"0\r\nContent-Length: " + _LENGTH + b"\r\n\r\n" + _SECOND,
    ),
    "trailer with a request": _post(b"Transfer-Encoding: chunked", body=b"0\r\nX: y\n\n" + _SECOND),
    "1.0 with TE": _post(
        b"Transfer-Encoding: chunked",
        b"Content-Length: " + str(len(_chunks())).encode(),
        b"Connection: keep-alive",
        body=_chunks(),
        version=b"HTTP/1.0",
    ),
    "1.0 with TE alone": _post(
        b"Transfer-Encoding: chunked",
        b"Connection: keep-alive",
        body=_chunks(),
        version=b"HTTP/1.0",
    ),
    "version 1.2": _post(b"Content-Length: 0", body=_SECOND, version=b"HTTP/1.2"),
    "version 01.1": _post(b"Content-Length: 0", body=_SECOND, version=b"HTTP/01.1"),
    "two spaces in the line": b"POST /webhook  HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Length: " + _LENGTH + b"\r\n\r\n" + _SECOND,
    "tab in the line": b"POST\t/webhook\tHTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Length: " + _LENGTH + b"\r\n\r\n" + _SECOND,
    "version in the target": b"POST /webhook HTTP/1.1 HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Length: " + _LENGTH + b"\r\n\r\n" + _SECOND,
    "lone LF in the line": b"POST /webhook HTTP/1.1\nHost: localhost\n"
    b"Content-Length: " + _LENGTH + b"\n\n" + _SECOND,
    "no version": b"POST /webhook\r\nHost: localhost\r\n"
    b"Content-Length: " + _LENGTH + b"\r\n\r\n" + _SECOND,
    "header without a name": _post(b": x", b"Content-Length: " + _LENGTH, body=_SECOND),
    "header without a colon": _post(b"Content-Length " + _LENGTH, body=_SECOND),
    "two hosts": _post(b"Host: other", b"Content-Length: " + _LENGTH, body=_SECOND),
    "GET with a body": b"GET /webhook HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
    + _LENGTH
    + b"\r\n\r\n"
    + _SECOND,
    "HEAD with a body": b"HEAD /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
    + _LENGTH
    + b"\r\n\r\n"
    + _SECOND,
    "Expect": _post(b"Expect: 100-continue", b"Content-Length: " + _LENGTH, body=_SECOND),
    "Expect, odd": _post(b"Expect: 100-continue\x0b", b"Content-Length: " + _LENGTH, body=_SECOND),
    "Upgrade": _post(
        b"Connection: Upgrade",
        b"Upgrade: websocket",
        b"Sec-WebSocket-Version: 777",
        b"Content-Length: " + _LENGTH,
        body=_SECOND,
    ),
    "Upgrade to h2c": _post(
        b"Connection: Upgrade, HTTP2-Settings",
        b"Upgrade: h2c",
        b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
        b"Content-Length: " + _LENGTH,
        body=_SECOND,
    ),
    "method override": _post(
        b"X-HTTP-Method-Override: GET", b"Content-Length: " + _LENGTH, body=_SECOND
    ),
    "path encoded": f"GET /webhook%0d%0a%0d%0aGET%20{HIDDEN}%20HTTP/1.1 HTTP/1.1\r\n"
    "Host: localhost\r\n\r\n".encode(),
    "length and more": _post(b"Content-Length: 3", body=b"abc"),
    "AJP": _post(b"Transfer-Encoding: chunked, chunked", body=_chunks()),
}
