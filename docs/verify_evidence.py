"""Verify evidence of omnicase without omnicase: python verify_evidence.py FILE KEYS_FOLDER [KEPT_HEAD ...]
Each line of FILE is an entry that holds the SHA-256 of the line before; KEYS_FOLDER holds the keys that you trust;
KEPT_HEAD is a head kept elsewhere (SHA256 or NUMBER:SHA256). Exit 0: valid, 8: not. See docs/evidence.md for the kinds.
"""
import base64, hashlib, json, pathlib, re, sys
from datetime import datetime
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

START, BOM = "0" * 64, b"\xef\xbb\xbf"
FIELDS = {"form", "seq", "prev", "id", "kind", "project", "at", "who", "where", "what"}
FORMS = {"prev": r"[0-9a-f]{64}\Z", "at": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z\Z", "kind": r"[a-z][a-z-]{0,30}\Z"}

def canonical(value):                                   # RFC 8785, for documents without floats
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode("utf-8", "surrogatepass")

def parse(line):                                        # a line as an entry; {}: it is none
    try:
        e = json.loads(line)
        good = (FIELDS <= e.keys() <= FIELDS | {"late", "clock", "signed"} and e["form"] == "omnicase evidence 1"
                and type(e["seq"]) is int and 0 < e["seq"] < 2**53 and all(re.match(f, e[n]) for n, f in FORMS.items())
                and all(isinstance(e[n], str) for n in ("id", "project")) and len(line) < 1_000_000
                and all(isinstance(e.get(n, {}), dict) for n in ("who", "where", "what", "late", "clock", "signed")))
        return e if good else {}
    except (ValueError, TypeError, AttributeError, RecursionError):
        return {}

class Verifier:
    def __init__(self, keys):
        self.keys, self.problems, self.digests, self.project, self.last_at = keys, [], [], None, ""
        self.told, self.revoked, self.machines, self.runners, self.given = {}, set(), set(), {}, set()
    def hash_at(self, seq): return self.digests[seq - 1].hex() if seq > 0 else START
    def chain(self, lines):         # does every entry hold the hash of the one before? if not, what was done?
        head, held, doubt, count, i = START, [], False, 0, 0
        while i < len(lines):
            text, place, e, i, count = lines[i], len(self.digests) + 1, parse(lines[i]), i + 1, count + 1
            digest, last = hashlib.sha256(text).digest(), i == len(lines)
            after = {} if last else parse(lines[i])
            wrong, blame, seq = None if e else "malformed", None, place     # of this line; of the line before
            if e:
                self.project, follows, seq = self.project or e["project"], e["prev"] == head, e["seq"]
                misnumbered = follows and seq != place and not (seq > place and after.get("seq") == seq + 1)
                foreign = e["project"] != self.project
                if foreign or misnumbered or seq - place > 10_000_000:
                    wrong, seq = "another-project" if foreign and not follows else "edited", place
                elif seq == place and not follows and not doubt:
                    blame = "edited" if place > 1 and (last or after.get("prev") == digest.hex()) else None
                    blame = "inserted" if place > 1 and e["prev"] == self.hash_at(place - 2) else blame
                    wrong = None if blame else "edited"
                elif seq > place:
                    fits = [] if follows else [j for j in range(i, min(i + 64, len(lines))) if (f := parse(lines[j]))
                                               and f["seq"] == place and f["prev"] == head]
                    self.problems.append((place, "reordered" if fits else "removed"))
                    if fits:                            # put it back where it belongs, and go on with it
                        lines[i - 1:fits[0] + 1] = [lines[fits[0]], *lines[i - 1:fits[0]]]
                        i, count, doubt = i - 1, count - 1, False; continue
                    self.digests += [bytes(32)] * (seq - place)
                elif seq < place:                       # it was there before: it does not count
                    kind = "forked" if e["prev"] == self.hash_at(seq - 1) else "inserted"
                    self.problems.append((place, "duplicated" if digest == self.digests[seq - 1] else kind))
                    doubt = False; continue
            self.problems += ([(place - 1, blame)] if blame else held) + ([(place, wrong)] if wrong else [])
            held, doubt, head = [] if wrong else list(self.content(seq, e, text)), bool(wrong), digest.hex()
            self.digests.append(digest)
        self.problems += held       # what an entry says is judged only when the next one confirms its bytes
        return count, head
    def content(self, seq, e, text):
        what, kind, machine, signed = e["what"], e["kind"], e["where"].get("machine"), e.get("signed")
        if canonical(e) != text: yield seq, "not-canonical"
        if seq == 1 and (kind != "genesis" or e["prev"] != START): yield seq, "no-genesis"
        at, before = (datetime.fromisoformat(t) for t in (e["at"], self.last_at or e["at"]))
        if "clock" not in e and (before - at).total_seconds() > 5: yield seq, "clock"
        self.last_at = e["at"]
        told = what.get("keys", []) if kind == "genesis" else [what.get("key")] if kind == "key" else []
        for k in told if isinstance(told, list) else [None]:
            if isinstance(k, dict) and isinstance(k.get("key"), str):
                self.told.setdefault(k["key"], k)
                if k.get("revoked") is not None: self.revoked.add(k["key"]); self.machines.discard(str(k.get("person")))
                elif "machine" in (k.get("roles") or []): self.machines.add(str(k.get("person")))
            else: yield seq, "malformed"
        if signed is not None:
            wrong = self.signature(e["at"], "entry", {n: v for n, v in e.items() if n != "signed"}, signed)
            key = {} if wrong else self.keys[signed["key"]]
            other = key and ("machine" not in key["roles"] or ("late" not in e and key["person"] != machine))
            if wrong or other: yield seq, wrong or "wrong-role"
        elif kind in ("command", "genesis", "seal") and machine in self.machines: yield seq, "unsigned"
        if kind == "runbook" and what.get("type") in ("run-started", "run-resumed"):
            self.runners.setdefault(str(what.get("run")), set()).add(str(what.get("person")))
        if kind in ("approval", "withdrawal"): yield from self.approval(seq, e["at"], kind, what, what.get("document"))
        if kind == "seal": yield from self.seal(seq, e["at"], what.get("seal"))
    def signature(self, at, purpose, document, signed):    # what is wrong with a signature; None: nothing
        if not isinstance(document, dict) or not isinstance(signed, dict): return "malformed"
        key, at, text = self.keys.get(str(signed.get("key"))), at[:19] + "Z", signed.get("signature")
        if key is None: return "unknown-key"
        if key["key"] in self.revoked or (key["revoked"] is not None and at >= key["revoked"]): return "revoked-key"
        if at < key["from"] or (key["until"] is not None and at >= key["until"]): return "expired-key"
        try:
            if base64.b64encode(raw := base64.b64decode(text, validate=True)).decode() != text: return "bad-signature"
            public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key["public"]))
            public.verify(raw, f"omnicase {purpose} 1\n".encode() + canonical(document))
        except (InvalidSignature, ValueError, TypeError): return "bad-signature"
        return None if self.as_told(key) else "unannounced-key"
    def as_told(self, key):                             # do entries tell of the key as it stands in the folder?
        told = self.told.get(key["key"], {})
        same = all(told.get(n) == key[n] for n in ("person", "roles", "public", "from", "until"))
        return same and (key["revoked"] is not None or key["key"] not in self.revoked)
    def approval(self, seq, at, purpose, what, d):
        if wrong := self.signature(at, purpose, d, what.get("signed")): yield seq, wrong; return
        key, run, runners = self.keys[what["signed"]["key"]], str(d.get("run")), what.get("runners")
        ran = self.runners.get(run, set()) | set(runners if isinstance(runners, list) else [])
        if purpose == "approval" and key["person"] in ran: yield seq, "self-approval"
        if key["person"] != d.get("person") or "machine" in key["roles"]: yield seq, "wrong-role"
        name = f"{purpose} {d.get('approval')}"
        if name in self.given or what.get("run", run) != run: yield seq, "replayed-approval"
        self.given.add(name)
        number, _, value = str(d.get("evidence_head") or f"0:{START}").partition(":")
        yield from self.names_head(seq, int(number) if number.isascii() and number.isdigit() else None, value)
    def seal(self, seq, at, seal):
        bare = {n: v for n, v in seal.items() if n not in ("signed", "code")} if isinstance(seal, dict) else None
        wrong = self.signature(at, "seal", bare, (seal or {}).get("signed") if bare is not None else None)
        wrong = wrong or ("another-project" if bare.get("project") != self.project else None)
        yield from [(seq, wrong)] if wrong else self.names_head(seq, bare.get("seq"), bare.get("head"))
    def names_head(self, seq, named, value):            # a head that somebody signed stands before, as it was seen
        if type(named) is not int or not isinstance(value, str) or named < 0: yield seq, "malformed"
        elif named >= seq: yield seq, "cut-off"
        elif self.hash_at(named) != value: yield named, "rewritten"
    def kept(self, text):                               # a head that somebody kept is among the entries
        number, _, value = text.lower().rpartition(":")
        seq, last = int(number or -1), len(self.digests)
        if 0 < seq <= last: return [(seq, "rewritten")] * (self.hash_at(seq) != value)
        return [(last + 1, "cut-off")] * (seq != 0 and (seq > last or value not in {d.hex() for d in self.digests}))

def verify(file, folder, kept=()):
    keys = {k["key"]: k for k in (json.loads(f.read_bytes()) for f in sorted(pathlib.Path(folder).glob("*.json")))}
    ids = [hashlib.sha256(base64.b64decode(k["public"])).hexdigest()[:16] for k in keys.values()]
    if ids != list(keys): sys.exit("a key has an id that is not its own")
    v, whole = Verifier(keys), pathlib.Path(file).read_bytes() if pathlib.Path(file).exists() else b""
    *lines, rest = whole.split(b"\n")
    clean = [ln.removeprefix(BOM).rstrip() if ln[:3] == BOM or ln[-1:].isspace() else ln for ln in lines]
    bent = [(place, "line-endings") for place, (a, b) in enumerate(zip(lines, clean, strict=True), 1) if a != b][:1]
    count, head = v.chain(clean)
    found = v.problems + bent + ([(len(v.digests) + 1, "torn")] if rest else []) + [p for t in kept for p in v.kept(t)]
    found += [(0, "missing")] if not count and not found else []
    found += [(0, "unannounced-key") for k in keys.values() if not v.as_told(k)]
    problems = sorted(dict.fromkeys(found), key=lambda p: p[0] or len(v.digests) + 1)
    return {"valid": not problems, "entries": count, "head": head, "problems": problems}

if __name__ == "__main__":
    print(json.dumps(verdict := verify(sys.argv[1], sys.argv[2], sys.argv[3:]), indent=1))
    sys.exit(0 if verdict["valid"] else 8)
