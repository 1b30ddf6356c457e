"""Check the signatures under accepted differences without omnicase: python check_waivers.py WAIVERS_JSON KEYS_FOLDER
Prints a line for each waiver; exit 0: every signature holds and two persons signed, 8: not, or nobody signed.
"""
import base64, hashlib, json, pathlib, sys
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

def canonical(value):                                   # RFC 8785, for documents without floats
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()

def wrong(deed, keys):                                  # what is wrong with one signature; None: nothing
    document, signed = deed["document"], deed["signed"]
    if not signed: return "not signed"
    key, person = keys.get(signed["key"]), document["approved_by" if "approved_by" in document else "proposed_by"]
    if key is None: return "unknown key"
    if hashlib.sha256(base64.b64decode(key["public"])).hexdigest()[:16] != key["key"]: return "key with another id"
    if key["person"] != person: return "another person's key"
    at = document["approved_at" if "approved_at" in document else "proposed_at"][:19].replace(" ", "T") + "Z"
    if at < key["from"] or any(key[end] is not None and at >= key[end] for end in ("until", "revoked")):
        return "key not valid then"
    try:
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key["public"]))
        public.verify(base64.b64decode(signed["signature"]), b"omnicase waiver 1\n" + canonical(document))
    except (InvalidSignature, ValueError):
        return "signature does not hold"

def check(waivers, folder):
    keys = {key["key"]: key for key in (json.loads(f.read_bytes()) for f in pathlib.Path(folder).glob("*.json"))}
    bad = 0
    for waiver in json.loads(pathlib.Path(waivers).read_bytes())["waivers"]:
        deeds = waiver["signed"]
        found = [reason for deed in deeds if (reason := wrong(deed, keys))]
        shown = ("check", "mapping", "group", "keys", "max", "until", "reason", "meaning")
        found += [f"{n} is not what was signed" for d in deeds for n in shown if d["document"][n] != waiver[n]]
        people = [waiver["proposed_by"], waiver["approved_by"]]
        found += ["approved by who proposed it"] if len(set(people)) < len(people) else []
        found += ["approved by nobody"] if len(deeds) < 2 else []
        bad += bool(found)
        print(f"waiver {waiver['id']}, {people[0]} and {people[1] or 'nobody'}: {', '.join(found) or 'signed by both'}")
    return 8 if bad else 0

if __name__ == "__main__":
    sys.exit(check(sys.argv[1], sys.argv[2]))
