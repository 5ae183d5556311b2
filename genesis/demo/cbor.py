"""Just enough deterministic CBOR (RFC 8949) to tamper with an evidence bundle: no floats, no indefinite lengths."""


class Tag:
    def __init__(self, number, value):
        self.number = number
        self.value = value


class Pairs(list):
    """A map as a list of (key, value), in the order of the bytes."""


def head(major, number):
    for code, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if number < 24:
            return bytes([major << 5 | number])
        if number < 1 << 8 * size:
            return bytes([major << 5 | code]) + number.to_bytes(size, "big")
    raise ValueError("number too large")


def encode(item):
    if item is None or isinstance(item, bool):
        return {None: b"\xf6", True: b"\xf5", False: b"\xf4"}[item]
    if isinstance(item, int):
        return head(0, item) if item >= 0 else head(1, -1 - item)
    if isinstance(item, bytes):
        return head(2, len(item)) + item
    if isinstance(item, str):
        text = item.encode()
        return head(3, len(text)) + text
    if isinstance(item, Pairs):
        return head(5, len(item)) + b"".join(encode(key) + encode(value) for key, value in item)
    if isinstance(item, list):
        return head(4, len(item)) + b"".join(map(encode, item))
    return head(6, item.number) + encode(item.value)


def decode(data):
    item, end = read(data, 0)
    if end != len(data):
        raise ValueError("bytes after the item")
    return item


def read(data, at):
    major, low = data[at] >> 5, data[at] & 31
    at += 1
    number = low
    if low >= 24:
        size = 1 << (low - 24)
        number = int.from_bytes(data[at:at + size], "big")
        at += size
    if major == 0:
        return number, at
    if major == 1:
        return -1 - number, at
    if major == 2:
        return bytes(data[at:at + number]), at + number
    if major == 3:
        return bytes(data[at:at + number]).decode(), at + number
    if major == 4:
        items = []
        for _ in range(number):
            item, at = read(data, at)
            items.append(item)
        return items, at
    if major == 5:
        pairs = Pairs()
        for _ in range(number):
            key, at = read(data, at)
            value, at = read(data, at)
            pairs.append((key, value))
        return pairs, at
    if major == 6:
        value, at = read(data, at)
        return Tag(number, value), at
    return {20: False, 21: True, 22: None}[number], at
