# SPDX-License-Identifier: Apache-2.0
"""Writes small MaxMind DB files (format 2.0), since none ships: IPv6 trees with 24-bit records, IPv4 below ::/96."""
import ipaddress
import struct

MARK = b"\xab\xcd\xefMaxMind.com"


def control(kind, size):
    """Control octets of a value: its type and size (MaxMind DB File Format, "Data Field Format")."""
    assert size < 29 + 256
    head = min(size, 29)
    out = bytes([kind << 5 | head]) if kind < 8 else bytes([head, kind - 7])
    return out + (bytes([size - 29]) if size >= 29 else b"")


def value(v):
    if isinstance(v, str):
        raw = v.encode()
        return control(2, len(raw)) + raw
    if isinstance(v, dict):
        return control(7, len(v)) + b"".join(value(k) + value(x) for k, x in v.items())
    if isinstance(v, list):
        return control(11, len(v)) + b"".join(value(x) for x in v)
    raw = struct.pack(">Q", v).lstrip(b"\0")
    return control(9, len(raw)) + raw


def nested(country, region=None):
    """As GeoLite2-City and DB-IP have it."""
    record = {"country": {"iso_code": country}}
    if region:
        record["subdivisions"] = [{"iso_code": region}]
    return record


def flat(country, region=None):
    return dict({"country_code": country}, **({"region_code": region} if region else {}))


def build(networks, kind="Test-City"):
    """networks: {"192.0.2.0/24": record}; the file's octets."""
    nodes, data, places = [[None, None]], b"", []
    for network, record in networks.items():
        net = ipaddress.ip_network(network)
        bits, length = int(net.network_address), net.prefixlen + (96 if net.version == 4 else 0)
        at = 0
        for i in range(length):
            bit = bits >> (127 - i) & 1
            if i + 1 == length:
                nodes[at][bit] = ("data", len(places))
            else:
                if nodes[at][bit] is None:
                    nodes.append([None, None])
                    nodes[at][bit] = len(nodes) - 1
                at = nodes[at][bit]
        places.append(len(data))
        data += value(record)

    def number(v):
        if v is None:
            return len(nodes)
        return len(nodes) + 16 + places[v[1]] if isinstance(v, tuple) else v
    tree = b"".join(struct.pack(">I", number(v))[1:] for node in nodes for v in node)
    meta = {"node_count": len(nodes), "record_size": 24, "ip_version": 6, "binary_format_major_version": 2,
            "binary_format_minor_version": 0, "build_epoch": 1700000000, "database_type": kind,
            "languages": ["en"], "description": {"en": "test"}}
    return tree + bytes(16) + data + MARK + b"".join([control(7, len(meta))] + [
        value(k) + (struct_number(k, v) if isinstance(v, int) else value(v)) for k, v in meta.items()])


def struct_number(name, v):
    """The metadata has each number in the type that the format names for it."""
    size = {"node_count": (6, 4), "build_epoch": (9, 8)}.get(name, (5, 2))
    return control(*size) + v.to_bytes(size[1], "big")
