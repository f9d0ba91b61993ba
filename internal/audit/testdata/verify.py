"""Verify a backup of the audit trail as docs/audit.md describes it, with nothing but that page: file on stdin."""
import base64, hashlib, json, struct, sys, uuid

TEXTS = ("action", "issuer", "client", "secret", "scope", "source", "reason", "correlation")


def part(value):
    if isinstance(value, str):
        value = value.encode()
    elif isinstance(value, int):
        value = struct.pack(">q", value)
    return struct.pack(">Q", len(value)) + value


def digest(*values):
    return base64.urlsafe_b64encode(hashlib.sha256(b"".join(map(part, values))).digest()).rstrip(b"=").decode()


def raw(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def entry(e, parts):
    values = [uuid.UUID(e["id"]).bytes, *(e.get(name, "") for name in TEXTS), max(e.get("count", 0), 1)]
    if parts >= 2:
        values.append(e.get("resource", ""))
    if parts >= 3:
        values += [e.get(name, "") for name in ("tenant", "actor", "details")]
    return values


def batch(b, before):
    parts = max(3 if {"tenant", "actor", "details"} & e.keys() else 2 if "resource" in e else 1 for e in b["entries"])
    values = [value for e in b["entries"] for value in entry(e, parts)]
    return digest(f"postern activity {parts}", before, b["node"], b["n"], b["count"], *values)


last, nodes = (0, b""), {}
for line in sys.stdin.buffer:
    ((kind, m),) = json.loads(line).items()
    if kind == "change":
        values = (m["kind"], m["key"], m["action"], m["version"], m.get("object", ""), m["actor"], m["at"])
        assert (m["seq"], m["hash"]) == (last[0] + 1, digest("postern change 1", last[1], m["seq"], *values)), f"change {m['seq']}"
        last = m["seq"], raw(m["hash"])
    elif kind == "batch":
        n, before = nodes.get(m["node"], (0, b""))
        assert m["n"] == n + 1 and len(m["entries"]) in (m["count"], 0), f"{m['node']} {m['n']}: count"
        assert m["hash"] == batch(m, before) if m["entries"] else m["dropped"], f"{m['node']} {m['n']}"
        nodes[m["node"]] = m["n"], raw(m["hash"])
    elif kind == "end":
        assert (m["last"], raw(m["hash"])) == last, "end"
print(last[0], sum(n for n, _ in nodes.values()))
