"""Whether a signature is right: Ed25519 as RFC 8032, section 6, has it, in plain Python.

Verifies only, which needs no secret and so no care for how long it takes (some milliseconds).
"""

import hashlib

Point = tuple[int, int, int, int]
"""Extended coordinates X, Y, Z, T with x = X/Z, y = Y/Z, xy = T/Z."""

P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)
ONE: Point = (0, 1, 1, 0)


def verify(public: bytes, content: bytes, signature: bytes) -> bool:
    """Whether the holder of the private half of `public` (32 bytes) signed the content."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key, half = _point(public), _point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if key is None or half is None or s >= Q:
        return False
    digest = hashlib.sha512(signature[:32] + public + content).digest()
    h = int.from_bytes(digest, "little") % Q
    return _equal(_times(s, BASE), _plus(half, _times(h, key)))


def _plus(a: Point, b: Point) -> Point:
    m, n = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    c, d = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = n - m, d - c, d + c, n + m
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def _times(s: int, point: Point) -> Point:
    found = ONE
    while s:
        if s & 1:
            found = _plus(found, point)
        point = _plus(point, point)
        s >>= 1
    return found


def _equal(a: Point, b: Point) -> bool:
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def _x(y: int, sign: int) -> int | None:
    """The x of a point whose y and sign are known; None where there is no such point."""
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if square == 0:
        return None if sign else 0
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P:
        return None
    return P - x if x & 1 != sign else x


def _point(content: bytes) -> Point | None:
    found = int.from_bytes(content, "little")
    y = found & ((1 << 255) - 1)
    x = _x(y, found >> 255)
    return None if x is None else (x, y, 1, x * y % P)


def _base() -> Point:
    y = 4 * pow(5, P - 2, P) % P
    x = _x(y, 0)
    assert x is not None
    return (x, y, 1, x * y % P)


BASE = _base()
