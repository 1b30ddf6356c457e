"""Verify evidence of omnicase without omnicase: python verify_evidence.py FILE KEYS_FOLDER [SHA256 | NUMBER:SHA256 ...]
A line of FILE holds the hash of the one before; then the keys that you trust, and heads kept elsewhere. Exit 0 or 8."""
import base64, datetime, hashlib, json, pathlib, re, sys
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
START, BOM, JCS = "0" * 64, b"\xef\xbb\xbf", {"ensure_ascii": False, "sort_keys": True, "separators": (",", ":")}
BOUND, RUNS = ("person", "roles", "public", "from", "until"), ("run-started", "run-resumed")
FIELDS = {"form", "seq", "prev", "id", "kind", "project", "at", "who", "where", "what"}
FORMS = {"prev": r"[0-9a-f]{64}\Z", "at": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z\Z", "kind": r"[a-z][a-z-]{0,30}\Z"}
def canonical(value): return json.dumps(value, **JCS).encode("utf-8", "surrogatepass")   # RFC 8785, without floats
def parse(line):                                        # a line as an entry; {}: it is none
    try:
        e = json.loads(line)
        return e if (FIELDS <= e.keys() <= FIELDS | {"late", "clock", "signed"} and e["form"] == "omnicase evidence 1"
           and type(e["seq"]) is int and 0 < e["seq"] < 2**53 and all(re.match(f, e[n]) for n, f in FORMS.items())
           and all(isinstance(e[n], str) for n in ("id", "project")) and len(line) < 1_000_000
           and all(isinstance(e.get(n, {}), dict) for n in ("who", "where", "what", "late", "clock", "signed"))) else {}
    except (ValueError, TypeError, AttributeError, RecursionError): return {}
def clock(at, before):                                  # does the clock stand behind by more than 5 seconds?
    try: return ["clock"] * ((read := datetime.datetime.fromisoformat)(before) - read(at) > datetime.timedelta(0, 5))
    except ValueError: return ["malformed"]
class Verifier:
    def __init__(self, keys):
        self.keys, self.told, self.found, self.digests, self.project, self.at = keys, {}, [], [], None, ""
        self.first, self.counts, self.pairs, self.revoked, self.machines, self.given, self.ran = map(set, [()] * 7)
    def hash_at(self, seq): return self.digests[seq - 1].hex() if seq > 0 else START
    def chain(self, lines):         # does every entry hold the hash of the one before? if not, what was done?
        head, held, doubt, i = START, [], False, 0
        while i < len(lines):
            text, place, e, i = lines[i], len(self.digests) + 1, parse(lines[i]), i + 1
            digest, after = hashlib.sha256(text).digest(), parse(b"".join(lines[i:i + 1]))
            wrong, blame, seq = None if e else "malformed", None, place     # of this line; of the line before
            if e:
                self.project, follows, seq = self.project or e["project"], e["prev"] == head, e["seq"]
                foreign, right = e["project"] != self.project, seq in (place, max(place, after.get("seq", 0) - 1))
                if foreign or seq - place > 10_000_000 or (follows and not right):
                    wrong, seq = "another-project" if foreign and not follows else "edited", place
                elif seq == place and not follows and not doubt:
                    blame = "edited" if place > 1 and (i == len(lines) or after.get("prev") == digest.hex()) else None
                    blame = "inserted" if place > 1 and e["prev"] == self.hash_at(place - 2) else blame
                    wrong = None if blame else "edited"
                elif seq > place:
                    fits = [] if follows else [j for j in range(i, min(i + 64, len(lines))) if (f := parse(lines[j]))
                                               and f["seq"] == place and f["prev"] == head]
                    self.found.append((place, "reordered" if fits else "removed"))
                    if fits:                            # put it back where it belongs, and go on with it
                        lines[i - 1:fits[0] + 1] = [lines[fits[0]], *lines[i - 1:fits[0]]]
                        i, doubt = i - 1, False; continue
                    self.digests += [bytes(32)] * (seq - place)
                elif seq < place:                       # it was there before: it does not count
                    kind = "forked" if e["prev"] == self.hash_at(seq - 1) else "inserted"
                    self.found.append((place, "duplicated" if digest == self.digests[seq - 1] else kind))
                    doubt = False; continue
            self.found += ([(place - 1, blame)] if blame else held) + ([(place, wrong)] if wrong else [])
            held, doubt, head = [] if wrong else list(self.content(seq, e, text)), bool(wrong), digest.hex()
            self.digests.append(digest)
        self.found += held; return head      # what an entry says is judged when the next one confirms its bytes
    def content(self, seq, e, text):
        what, kind, machine, signed = e["what"], e["kind"], e["where"].get("machine"), e.get("signed")
        if canonical(e) != text: yield seq, "not-canonical"
        if seq == 1 and (kind != "genesis" or e["prev"] != START): yield seq, "no-genesis"
        before, self.at = self.at, e["at"]
        if "clock" not in e and e["at"] < before: yield from ((seq, wrong) for wrong in clock(e["at"], before))
        told = what.get("keys", []) if kind == "genesis" else [what.get("key")] if kind == "key" else []
        yield from ((seq, w) for k in (told if isinstance(told, list) else [None]) if (w := self.tell(e, k, what)))
        if kind == "key" and isinstance(d := what.get("document"), dict): yield from self.seen(seq, d)
        if signed is not None:
            wrong = self.signature(e["at"], "entry", {n: v for n, v in e.items() if n != "signed"}, signed)
            key = {} if wrong else self.keys[signed["key"]]
            other = key and ("machine" not in key["roles"] or ("late" not in e and key["person"] != machine))
            if wrong or other: yield seq, wrong or "wrong-role"
        elif kind in ("command", "genesis", "seal") and str(machine) in self.machines: yield seq, "unsigned"
        if kind == "runbook" and what.get("type") in RUNS: self.ran.add(f"{what.get('run')} {what.get('person')}")
        if kind in ("approval", "withdrawal"): yield from self.approval(seq, e["at"], kind, what, what.get("document"))
        if kind == "seal": yield from self.seal(seq, e["at"], what.get("seal"))
    def tell(self, e, k, what):                         # what is wrong with what an entry tells of a key
        if not isinstance(k, dict) or not isinstance(k.get("key"), str): return "malformed"
        self.told.setdefault(k["key"], k)
        gone, told, d, act = k.get("revoked") is not None, e["kind"] == "key", what.get("document"), what.get("action")
        if told and {"document", "signed"} & what.keys():       # a countersignature
            bound = isinstance(d, dict) and d.get("key") == k and d.get("action") == act
            if not bound or not isinstance(d.get("evidence_head"), str): return "malformed"
            if wrong := self.signature(e["at"], "countersignature", d, what.get("signed")): return wrong
            by, a, b = self.keys[what["signed"]["key"]], what["signed"]["key"], k["key"]
            if by["person"] != d.get("person") or not {"administrator", "owner"} & set(by["roles"]): return "wrong-role"
            if by["person"] == k.get("person"): return "self-approval"
            if act == "countersign": self.pairs.add((a, b))     # the first two countersign each other
            if {(a, b), (b, a)} <= self.pairs and not self.first: self.first = self.counts = {a, b}
            self.counts = self.counts | {to for signer, to in self.pairs if signer in self.counts}
        elif gone and self.first: return "uncountersigned-key" if told else None
        if gone: self.revoked.add(k["key"]); self.machines.discard(str(k.get("person")))
        elif isinstance(k.get("roles"), list) and "machine" in k["roles"]: self.machines.add(str(k.get("person")))
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
        except Exception: return "bad-signature"
        if not self.as_told(key): return "unannounced-key"
        free = "machine" in key["roles"] or key["key"] in self.counts
        return None if free or (purpose == "countersignature" and not self.first) else "uncountersigned-key"
    def as_told(self, key): return all(self.told.get(key["key"], {}).get(n) == key[n] for n in BOUND)
    def left(self):                                     # what is wrong with the folder once all entries are known
        for n, k in self.keys.items():
            counting = k["revoked"] is None
            needs = self.first if "machine" in k["roles"] else counting     # there is somebody who can vouch for it
            if not self.as_told(k) or (n in self.revoked) == counting: yield 0, "unannounced-key"
            elif needs and n not in self.counts: yield 0, "uncountersigned-key"
        yield from [(0, "missing-key")] * len(self.told.keys() - self.keys.keys())
    def approval(self, seq, at, purpose, what, d):
        if wrong := self.signature(at, purpose, d, what.get("signed")): yield seq, wrong; return
        key, run, runners = self.keys[what["signed"]["key"]], str(d.get("run")), what.get("runners")
        ran = f"{run} {key['person']}" in self.ran or key["person"] in (runners if isinstance(runners, list) else [])
        if purpose == "approval" and ran: yield seq, "self-approval"
        if key["person"] != d.get("person") or "machine" in key["roles"]: yield seq, "wrong-role"
        n, again = f"{purpose} {d.get('approval')}", what.get("run", run) != run
        if n in self.given or again: yield seq, "replayed-approval"
        self.given.add(n); yield from self.seen(seq, d)
    def seal(self, seq, at, seal):
        d = {n: v for n, v in seal.items() if n not in ("signed", "code")} if isinstance(seal, dict) else None
        wrong = self.signature(at, "seal", d, seal.get("signed") if d is not None else None)
        wrong = wrong or ("another-project" if d.get("project") != self.project else None)
        yield from [(seq, wrong)] if wrong else self.seen(seq, {"evidence_head": f"{d.get('seq')}:{d.get('head')}"})
    def seen(self, seq, d):                             # a head that somebody signed stands before, as it was seen
        number, _, value = str(d.get("evidence_head") or f"0:{START}").partition(":")
        if not (number.isascii() and number.isdigit() and len(number) < 17): yield seq, "malformed"
        elif int(number) >= seq: yield seq, "cut-off"
        elif self.hash_at(int(number)) != value: yield int(number), "rewritten"
    def kept(self, text):                               # a head that somebody kept is among the entries
        (number, _, value), last = text.lower().rpartition(":"), len(self.digests)
        if 0 < (seq := int(number or -1)) <= last: return [(seq, "rewritten")] * (self.hash_at(seq) != value)
        return [(last + 1, "cut-off")] * (seq != 0 and (seq > last or value not in {d.hex() for d in self.digests}))
def verify(file, folder, kept=()):
    files = [json.loads(file.read_bytes()) for file in sorted(pathlib.Path(folder).glob("*.json"))]
    keys = {hashlib.sha256(base64.b64decode(k["public"])).hexdigest()[:16]: k for k in files}
    *lines, rest = (pathlib.Path(file).read_bytes() if pathlib.Path(file).exists() else b"").split(b"\n")
    clean = [ln.removeprefix(BOM).rstrip() if ln[:3] == BOM or ln[-1:].isspace() else ln for ln in lines]
    bent = [(place, "line-endings") for place, (a, b) in enumerate(zip(lines, clean, strict=True), 1) if a != b][:1]
    count, head = len(clean), (v := Verifier(keys)).chain(clean)
    found = v.found + bent + ([(len(v.digests) + 1, "torn")] if rest else []) + [p for t in kept for p in v.kept(t)]
    found += [(0, "missing")] * (not count and not found) + list(v.left())
    problems = sorted(dict.fromkeys(found), key=lambda p: p[0] or len(v.digests) + 1)
    return {"valid": not problems, "entries": count, "head": head, "first_keys": sorted(v.first), "problems": problems}
if __name__ == "__main__":
    print(json.dumps(verdict := verify(*sys.argv[1:3], sys.argv[3:]), indent=1)); sys.exit(0 if verdict["valid"] else 8)

